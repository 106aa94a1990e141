package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/internal/checkpoint"
	"github.com/karchive/karchive/test/memfs"
)

var (
	orders0 = format.TopicPartition{Topic: "orders", Partition: 0}
	orders1 = format.TopicPartition{Topic: "orders", Partition: 1}
	events0 = format.TopicPartition{Topic: "events", Partition: 0}
)

// base is the timestamp that test records count from: an hour ago, so that no default retention concerns them.
var base = time.Now().Add(-time.Hour).UnixMilli()

// recording is the contents of an archive. A row group ends after every groupSize records. Records that are lost are not written, and where
// filtered is set rules left out what lies between them.
type recording struct {
	identity  format.Identity
	groupSize int
	records   map[format.TopicPartition][]format.Record
	lost      map[format.TopicPartition]ledger.Gap
	filtered  bool
}

// archive writes the recording and opens it read-only.
func (r recording) archive(t *testing.T) *format.Archive {
	t.Helper()
	files := memfs.New(memfs.Options{})
	outside(func() { r.write(t, files) })
	a, err := format.Open(files)
	must(t, err)
	return a
}

func (r recording) write(t *testing.T, files storage.FS) {
	t.Helper()
	if r.identity.ClusterID == "" {
		r.identity.ClusterID = "source"
	}
	a, err := format.Create(files, r.identity)
	must(t, err)
	for tp, records := range r.records {
		r.writeSegment(t, a, tp, records)
	}
	must(t, a.Close())
}

func (r recording) writeSegment(t *testing.T, a *format.Archive, tp format.TopicPartition, records []format.Record) {
	t.Helper()
	w, err := a.NewSegment(format.WriterOptions{
		Topic: tp.Topic, Partition: tp.Partition, Base: records[0].Offset,
		Source:      origin.Source{ClusterID: r.identity.ClusterID, Isolation: origin.ReadCommitted},
		Compression: format.NoCompression, // zstd encoders are pooled, and one made in a bubble cannot leave it
	})
	must(t, err)
	for i := range records {
		if r.groupSize > 0 && i > 0 && i%r.groupSize == 0 {
			must(t, w.Cut())
		}
		for r.filtered && w.Position() < records[i].Offset {
			must(t, w.Skip(w.Position(), 1, ledger.Filtered))
		}
		gap, lost := r.lost[tp]
		if lost && w.Position() == gap.From {
			must(t, w.Gap(gap))
		}
		if lost && records[i].Offset >= gap.From && records[i].Offset < gap.Until {
			continue
		}
		must(t, w.Write(&records[i]))
	}
	_, _, err = w.Seal(records[len(records)-1].Offset + 1)
	must(t, err)
}

// plain is n records with keys and values that say their partition and offset, a millisecond apart.
func plain(tp format.TopicPartition, n int) []format.Record {
	out := make([]format.Record, n)
	for i := range out {
		out[i] = format.Record{
			Offset: int64(i), TimestampMs: base + int64(i), LeaderEpoch: 1,
			Key: fmt.Appendf(nil, "key-%d", i), Value: fmt.Appendf(nil, "%s/%d@%d", tp.Topic, tp.Partition, i),
		}
	}
	return out
}

// ordersAndEvents has two partitions of orders and one of events with n records each.
func ordersAndEvents(n int) recording {
	r := recording{groupSize: 10, records: make(map[format.TopicPartition][]format.Record)}
	for _, tp := range []format.TopicPartition{orders0, orders1, events0} {
		r.records[tp] = plain(tp, n)
	}
	r.identity.Topics = []origin.Topic{{Name: "events", Partitions: 1}, {Name: "orders", Partitions: 2}}
	return r
}

// target is an embedded cluster with another id than the recordings'.
type target struct {
	*kfake.Cluster
	connect []kgo.Opt
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

func newTarget(t *testing.T, options ...kfake.Opt) target {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.ClusterID("target")}, options...)...)
	must(t, err)
	t.Cleanup(c.Close)
	return target{c, []kgo.Opt{kgo.SeedBrokers(c.ListenAddrs()...)}, new(net.Dialer).DialContext}
}

func withTopics() kfake.Opt { return kfake.SeedTopics(2, "orders", "events") }

func (c target) admin(t *testing.T) *kadm.Client {
	t.Helper()
	cl, err := kgo.NewClient(c.connect...)
	must(t, err)
	t.Cleanup(cl.Close)
	return kadm.NewClient(cl)
}

// contents reads all of a topic, by partition. One that does not exist is empty.
func (c target) contents(t *testing.T, topic string) map[int32][]*kgo.Record {
	t.Helper()
	ends, err := c.admin(t).ListEndOffsets(t.Context(), topic)
	must(t, err)
	out := make(map[int32][]*kgo.Record)
	offsets := make(map[int32]kgo.Offset)
	left := int64(0)
	ends.Each(func(o kadm.ListedOffset) {
		if errors.Is(o.Err, kerr.UnknownTopicOrPartition) {
			return
		}
		must(t, o.Err)
		left += o.Offset
		if o.Offset > 0 {
			offsets[o.Partition] = kgo.NewOffset().AtStart()
		}
	})
	if left == 0 {
		return out
	}
	cl, err := kgo.NewClient(append(slices.Clone(c.connect), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets}))...)
	must(t, err)
	defer cl.Close()
	for left > 0 {
		fetches := cl.PollFetches(t.Context())
		must(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			out[r.Partition] = append(out[r.Partition], r)
			left--
		})
	}
	return out
}

// values are the values of a partition, in order.
func (c target) values(t *testing.T, tp format.TopicPartition) []string {
	t.Helper()
	var out []string
	for _, r := range c.contents(t, tp.Topic)[tp.Partition] {
		out = append(out, string(r.Value))
	}
	return out
}

func valuesOf(records []format.Record) []string {
	var out []string
	for i := range records {
		out = append(out, string(records[i].Value))
	}
	return out
}

// run replays and expects success.
func (c target) run(t *testing.T, a *format.Archive, o replay.Options) replay.Report {
	t.Helper()
	report, err := replay.Run(t.Context(), c.connect, a, o)
	must(t, err)
	return report
}

// equal tells nil from empty, and what is behind pointers.
func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want)
	if g == w { // nil and empty look the same, as do pointers to different things
		g, w = fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want)
	}
	t.Errorf("%s:\n got %.2000s\nwant %.2000s", what, g, w)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// memory is a checkpoint for tests that keeps every state that was saved.
type memory struct{ saved [][]byte }

func (m *memory) Load(context.Context) ([]byte, error) {
	if len(m.saved) == 0 {
		return nil, nil
	}
	return m.saved[len(m.saved)-1], nil
}

func (m *memory) Save(_ context.Context, document []byte) error {
	m.saved = append(m.saved, bytes.Clone(document))
	return nil
}

func (m *memory) last() *checkpoint.State {
	s, err := checkpoint.Decode(m.saved[len(m.saved)-1])
	if err != nil {
		panic(err)
	}
	return s
}

// partition is the last saved state of tp.
func (m *memory) partition(t *testing.T, tp format.TopicPartition) checkpoint.Partition {
	t.Helper()
	for _, p := range m.last().Partitions {
		if p.Topic == tp.Topic && p.Partition == tp.Partition {
			return p
		}
	}
	t.Fatalf("nothing was saved of %s", tp)
	return checkpoint.Partition{}
}
