//go:build kafka

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/test/kafkatest"
)

const partitions = 3

// patience is for what stands still: nothing that goes on ends by it, on however slow a machine.
const patience = 4 * time.Minute

// contents are values in order, by partition.
type contents [partitions][]string

// rig is a cluster under test.
type rig struct {
	cluster *kafkatest.Cluster
	connect []kgo.Opt
	admin   *kadm.Client
}

func newRig(t *testing.T) *rig {
	t.Helper()
	c := kafkatest.StartCluster(t)
	r := &rig{cluster: c, connect: []kgo.Opt{kgo.SeedBrokers(c.Brokers()...), kgo.MetadataMinAge(250 * time.Millisecond)}}
	r.admin = kadm.NewClient(r.client(t))
	return r
}

func (r *rig) client(t *testing.T, o ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(slices.Concat(r.connect, o)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (r *rig) topics(t *testing.T, names ...string) {
	t.Helper()
	made, err := r.admin.CreateTopics(t.Context(), partitions, 3, nil, names...)
	if err == nil {
		err = made.Error()
	}
	if err == nil {
		err = r.cluster.AwaitInSync(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// write produces numbered records, n in each partition, or a few in every tick until ctx ends.
func (r *rig) write(ctx context.Context, t *testing.T, topic string, n int) {
	c := r.client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(300))
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for i := 0; (n == 0 || i < n) && ctx.Err() == nil; i++ {
		for p := range int32(partitions) {
			value := fmt.Appendf(nil, "%s/%d/%08d %0*d", topic, p, i, 100+i%300, i)
			c.Produce(context.Background(), &kgo.Record{Topic: topic, Partition: p, Value: value}, func(_ *kgo.Record, err error) {
				if err != nil {
					t.Errorf("write %s/%d: %v", topic, p, err)
				}
			})
		}
		if n == 0 && i%10 == 0 {
			<-tick.C
		}
	}
	c.Flush(context.Background())
}

// read is what a consumer finds in a topic.
func (r *rig) read(t *testing.T, topic string, o ...kgo.Opt) (all contents) {
	t.Helper()
	list := r.admin.ListEndOffsets
	if len(o) > 0 {
		list = r.admin.ListCommittedOffsets
	}
	ends, err := list(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	at := map[int32]kgo.Offset{}
	for p := range int32(partitions) {
		at[p] = kgo.NewOffset().AtStart()
	}
	c := r.client(t, append(o, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: at}), kgo.KeepControlRecords())...)
	defer c.Close()
	next := [partitions]int64{}
	done := func(p int32) bool { end, _ := ends.Lookup(topic, p); return next[p] >= end.Offset }
	for !done(0) || !done(1) || !done(2) {
		waiting, cancel := context.WithTimeout(t.Context(), patience)
		fetched := c.PollFetches(waiting)
		cancel()
		if waiting.Err() == context.DeadlineExceeded {
			t.Fatalf("read %s up to %v: nothing more comes", topic, next)
		}
		fetched.EachRecord(func(rec *kgo.Record) {
			next[rec.Partition] = rec.Offset + 1
			if !rec.Attrs.IsControl() {
				all[rec.Partition] = append(all[rec.Partition], string(rec.Value))
			}
		})
	}
	return all
}

// archived is what an archive has of a topic.
func archived(t *testing.T, dir, topic string) (all contents) {
	t.Helper()
	a := open(t, dir)
	for p := range int32(partitions) {
		c := scan.NewCursor(a, format.TopicPartition{Topic: topic, Partition: p}, format.Selection{})
		for {
			group, err := c.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range group {
				all[p] = append(all[p], string(group[i].Value))
			}
		}
		c.Close()
	}
	return all
}

func open(t *testing.T, dir string) *format.Archive {
	t.Helper()
	a, err := format.OpenPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// capture captures a topic into a directory, which may have an archive.
func (r *rig) capture(ctx context.Context, dir, topic string, o capture.Options, hooks ...kgo.Hook) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return err
	}
	a, err := format.OpenForWriting(fsys)
	if errors.Is(err, format.ErrNotArchive) {
		a, err = format.Create(fsys, format.Identity{})
	}
	if err != nil {
		return err
	}
	defer a.Close()
	o.Topics, o.ConnectTimeout, o.StallTimeout = []string{topic}, patience, patience
	_, err = capture.Run(ctx, append(slices.Clone(r.connect), kgo.WithHooks(hooks...)), a, o)
	return err
}

// replay sends an archive of topic from to topic to.
func (r *rig) replay(t *testing.T, a *format.Archive, from, to string, o replay.Options) error {
	rule, err := routing.ParseMapping(from + ":=" + to)
	if err != nil {
		return err
	}
	o.Mapping = rule
	o.AllowSourceCluster, o.CreateTopics, o.ConnectTimeout, o.StallTimeout = true, true, patience, patience
	_, err = replay.Run(t.Context(), r.connect, a, o)
	return err
}

func same(t *testing.T, what string, got, want contents) {
	t.Helper()
	for p := range want {
		if !slices.Equal(got[p], want[p]) {
			t.Errorf("%s, partition %d: got %d records, want %d, the same in order", what, p, len(got[p]), len(want[p]))
		}
	}
}
