//go:build kafka

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/timeline"
	"github.com/karchive/karchive/test/kafkatest"
)

const (
	partitions = 3
	patience   = time.Minute // a loaded machine elects slowly
)

// rig is a cluster under test.
type rig struct {
	t       *testing.T
	cluster *kafkatest.Cluster
	connect []kgo.Opt
	admin   *kadm.Client
}

func newRig(t *testing.T) *rig {
	c := kafkatest.StartCluster(t)
	r := &rig{t: t, cluster: c, connect: []kgo.Opt{kgo.SeedBrokers(c.Brokers()...), kgo.MetadataMinAge(250 * time.Millisecond)}}
	r.admin = kadm.NewClient(r.client())
	return r
}

func (r *rig) client(o ...kgo.Opt) *kgo.Client {
	r.t.Helper()
	c, err := kgo.NewClient(slices.Concat(r.connect, o)...)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	return c
}

func (r *rig) topic(t *testing.T, name string) {
	t.Helper()
	if _, err := r.admin.CreateTopic(t.Context(), partitions, 3, nil, name); err != nil {
		t.Fatal(err)
	}
	if err := r.cluster.AwaitInSync(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// write produces numbered records until there are n in each partition, or with n = 0 until ctx ends.
func (r *rig) write(ctx context.Context, topic string, n int) {
	c := r.client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(300))
	for i := 0; (n == 0 || i < n) && ctx.Err() == nil; i++ {
		for p := range int32(partitions) {
			value := fmt.Appendf(nil, "%s/%d/%08d %0*d", topic, p, i, 100+i%300, i)
			c.Produce(context.Background(), &kgo.Record{Topic: topic, Partition: p, Value: value}, nil)
		}
		if n == 0 && i%50 == 0 {
			time.Sleep(20 * time.Millisecond) // a load that goes on for as long as the test
		}
	}
	c.Flush(context.Background())
}

// inTurn kills each broker and starts it again while do runs, and returns when both are over.
func (r *rig) inTurn(t *testing.T, do func(over <-chan struct{})) {
	t.Helper()
	over := make(chan struct{})
	var doing sync.WaitGroup
	doing.Go(func() { do(over) })
	defer doing.Wait()
	defer close(over)
	for i := range r.cluster.Size() {
		r.cluster.Kill(i)
		time.Sleep(2 * time.Second)                                 // for others to notice
		if err := r.cluster.Restart(r.t.Context(), i); err != nil { // a broker outlives the subtest
			t.Error(err)
			return
		}
	}
}

// read is what a consumer finds in a topic, by partition.
func (r *rig) read(t *testing.T, topic string, o ...kgo.Opt) (all [partitions][]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	list := r.admin.ListEndOffsets
	if len(o) > 0 {
		list = r.admin.ListCommittedOffsets
	}
	ends, err := list(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	at := map[int32]kgo.Offset{}
	for p := range int32(partitions) {
		at[p] = kgo.NewOffset().AtStart()
	}
	c := r.client(append(o, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: at}), kgo.KeepControlRecords())...)
	next := [partitions]int64{}
	done := func(p int32) bool { end, _ := ends.Lookup(topic, p); return next[p] >= end.Offset }
	for !done(0) || !done(1) || !done(2) {
		fetched := c.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("read %s up to %v: %v", topic, next, ctx.Err())
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
func archived(t *testing.T, dir, topic string) (all [partitions][]string) {
	t.Helper()
	a := open(t, dir)
	for p := range int32(partitions) {
		c := a.Cursor(format.TopicPartition{Topic: topic, Partition: p}, format.Window{})
		for {
			group, err := c.Next()
			if err != nil {
				break
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
	fsys, err := format.DirFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := format.Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// capture captures a topic into a directory, which may have an archive.
func (r *rig) capture(ctx context.Context, t *testing.T, dir, topic string, o capture.Options) error {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	fsys, err := format.DirFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := format.OpenForWriting(fsys)
	if errors.Is(err, format.ErrNotArchive) {
		a, err = format.Create(fsys, format.Identity{})
	}
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	o.Topics, o.ConnectTimeout, o.StallTimeout = []string{topic}, patience, patience
	_, err = capture.Run(ctx, r.connect, a, o)
	return err
}

// replay sends an archive of a topic to another one.
func (r *rig) replay(t *testing.T, dir, from, to string, o replay.Options) error {
	t.Helper()
	rule, err := replay.ParseRule(from + ":=" + to)
	if err != nil {
		t.Fatal(err)
	}
	o.Mapping = replay.Mapping{rule}
	o.AllowSourceCluster, o.CreateTopics, o.ConnectTimeout, o.StallTimeout = true, true, patience, 2*patience
	_, err = replay.Run(t.Context(), r.connect, open(t, dir), o)
	return err
}

func same(t *testing.T, what string, got, want [partitions][]string) {
	t.Helper()
	for p := range want {
		if !slices.Equal(got[p], want[p]) {
			t.Errorf("%s, partition %d: got %d records, want %d, the same in order", what, p, len(got[p]), len(want[p]))
		}
	}
}

// replays are the kinds of replay.
func replays(t *testing.T) map[string]replay.Options {
	t.Helper()
	pace, err := timeline.ParseRate("2000/s")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]replay.Options{
		"plain":        {Lanes: 3},
		"timed":        {Schedule: timeline.Schedule{Pace: pace}},
		"exactly-once": {ExactlyOnce: true, CheckpointInterval: 200 * time.Millisecond},
	}
}

func TestWhatIsCapturedAndReplayedIsTheSourceWhileBrokersDieInTurn(t *testing.T) {
	r := newRig(t)
	r.topic(t, "fixed")
	r.write(t.Context(), "fixed", 4000)
	want := r.read(t, "fixed")
	whole := filepath.Join(t.TempDir(), "whole")
	if err := r.capture(t.Context(), t, whole, "fixed", capture.Options{}); err != nil {
		t.Fatal(err)
	}
	same(t, "a snapshot of a quiet cluster", archived(t, whole, "fixed"), want)

	t.Run("follow", func(t *testing.T) {
		r.topic(t, "live")
		dir := filepath.Join(t.TempDir(), "run")
		ctx, stop := context.WithCancel(t.Context())
		writing, end := context.WithCancel(t.Context())
		var both sync.WaitGroup
		var captured error
		both.Go(func() {
			captured = r.capture(ctx, t, dir, "live", capture.Options{Follow: true, RotateInterval: time.Second})
		})
		r.inTurn(t, func(over <-chan struct{}) {
			go func() { <-over; end() }()
			r.write(writing, "live", 0)
		})
		time.Sleep(3 * time.Second) // for the last records
		stop()
		both.Wait()
		if captured != nil {
			t.Fatal(captured)
		}
		if err := r.capture(t.Context(), t, dir, "live", capture.Options{}); err != nil { // what came last
			t.Fatal(err)
		}
		same(t, "a follow capture", archived(t, dir, "live"), r.read(t, "live"))
	})

	t.Run("snapshot", func(t *testing.T) {
		r.inTurn(t, func(over <-chan struct{}) {
			for n := 0; ; n++ {
				dir := filepath.Join(t.TempDir(), fmt.Sprint(n))
				if err := r.capture(t.Context(), t, dir, "fixed", capture.Options{FetchBytes: 64 << 10, Lanes: 1}); err != nil {
					t.Errorf("snapshot %d: %v", n, err)
					return
				}
				same(t, fmt.Sprintf("snapshot %d", n), archived(t, dir, "fixed"), want)
				select {
				case <-over:
					return
				default:
				}
			}
		})
	})

	for name, o := range replays(t) {
		t.Run(name, func(t *testing.T) {
			var sent []string
			r.inTurn(t, func(over <-chan struct{}) {
				for n := 0; ; n++ {
					to := fmt.Sprintf("%s-%d", name, n)
					o.ReplayID = ""
					if err := r.replay(t, whole, "fixed", to, o); err != nil {
						t.Errorf("%s: %v", to, err)
						return
					}
					sent = append(sent, to)
					select {
					case <-over:
						return
					default:
					}
				}
			})
			for _, to := range sent {
				same(t, to, r.read(t, to, committed(o)...), want)
			}
		})
	}
	t.Run("started while a broker is down", func(t *testing.T) { r.startedWhileDown(t, whole, want) })
}

func committed(o replay.Options) []kgo.Opt {
	if o.ExactlyOnce {
		return []kgo.Opt{kgo.FetchIsolationLevel(kgo.ReadCommitted())}
	}
	return nil
}

// startedWhileDown begins everything in the moment after a broker was killed, while its partitions still have it for a leader.
func (r *rig) startedWhileDown(t *testing.T, whole string, want [partitions][]string) {
	for i := range r.cluster.Size() {
		r.cluster.Kill(i)
		dir := filepath.Join(t.TempDir(), fmt.Sprint(i))
		var all sync.WaitGroup
		all.Go(func() {
			if err := r.capture(t.Context(), t, dir, "fixed", capture.Options{}); err != nil {
				t.Errorf("snapshot: %v", err)
			}
		})
		all.Go(func() {
			o := capture.Options{Follow: true, StopAfter: capture.StopAfter{Records: int64(partitions * len(want[0]))}}
			if err := r.capture(t.Context(), t, dir+"-follow", "fixed", o); err != nil {
				t.Errorf("follow capture: %v", err)
			}
		})
		for name, o := range replays(t) {
			all.Go(func() {
				if err := r.replay(t, whole, "fixed", fmt.Sprintf("down-%s-%d", name, i), o); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		all.Wait()
		if err := r.cluster.Restart(r.t.Context(), i); err != nil { // a broker outlives the subtest
			t.Fatal(err)
		}
		same(t, "snapshot", archived(t, dir, "fixed"), want)
		same(t, "follow capture", archived(t, dir+"-follow", "fixed"), want)
		for name, o := range replays(t) {
			to := fmt.Sprintf("down-%s-%d", name, i)
			same(t, to, r.read(t, to, committed(o)...), want)
		}
	}
}
