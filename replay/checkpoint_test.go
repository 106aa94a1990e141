package replay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/internal/checkpoint"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/selection"
)

func TestAProgressFileBelongsToOneReplay(t *testing.T) {
	r := ordersAndEvents(20)
	a, c := r.archive(t), newTarget(t, withTopics())
	name := filepath.Join(t.TempDir(), "progress.json")
	first := replay.Options{Topics: []string{"orders"}, From: selection.AtOffset(2), Checkpoint: replay.NewProgressFile(name)}
	c.run(t, a, first)
	equal(t, "records", len(c.values(t, orders0)), 18)

	elsewhere := newTarget(t, kfake.ClusterID("elsewhere"), withTopics())
	changed := func(change func(*replay.Options)) replay.Options {
		o := first
		change(&o)
		return o
	}
	for what, run := range map[string]struct {
		archive *format.Archive
		to      target
		options replay.Options
	}{
		"archive":        {r.archive(t), c, first},
		"target cluster": {a, elsewhere, first},
		"topics":         {a, c, changed(func(o *replay.Options) { o.Topics = nil })},
		"partitions":     {a, c, changed(func(o *replay.Options) { o.Partitions = []int32{0} })},
		"from":           {a, c, changed(func(o *replay.Options) { o.From = selection.Position{} })},
		"until":          {a, c, changed(func(o *replay.Options) { o.Until = selection.AtOffset(9) })},
		"limit":          {a, c, changed(func(o *replay.Options) { o.Limit = 5 })},
		"map":            {a, c, changed(func(o *replay.Options) { o.Mapping = mapping(t, "orders:=events") })},
		"partitioner":    {a, c, changed(func(o *replay.Options) { o.Partitioner = routing.ByKey })},
		"timestamps":     {a, c, changed(func(o *replay.Options) { o.Timestamps = replay.NowTimestamps })},
	} {
		_, err := replay.Run(t.Context(), run.to.connect, run.archive, run.options)
		mismatch, ok := errors.AsType[*replay.MismatchError](err)
		if !ok || mismatch.What != what || mismatch.Saved == mismatch.Now {
			t.Errorf("another %s: error %v, want a MismatchError that says so", what, err)
		}
	}
	report := c.run(t, a, changed(func(o *replay.Options) { o.Acks, o.Compression, o.Lanes = replay.AcksLeader, "zstd", 1 }))
	equal(t, "sent with what does not shape the records", report.Sent, int64(0))
}

func TestATopicThatWasMadeAgainIsNoticed(t *testing.T) {
	a, c := ordersAndEvents(20).archive(t), newTarget(t)
	options := replay.Options{CreateTopics: true, Checkpoint: &memory{}}
	c.run(t, a, options)
	_, err := c.admin(t).DeleteTopic(t.Context(), "orders")
	must(t, err)
	_, err = replay.Run(t.Context(), c.connect, a, options)
	if mismatch, ok := errors.AsType[*replay.MismatchError](err); !ok || mismatch.What != "topic id of orders" {
		t.Errorf("error %v, want a MismatchError about the topic id", err)
	}
}

func TestADistanceFromNowStaysWhatItWasWhenTheReplayBegan(t *testing.T) {
	r := aged(20, time.Hour)
	a, c := r.archive(t), newTarget(t, withTopics())
	clock := &shiftedClock{}
	options := replay.Options{Until: selection.Ago(30 * time.Minute), Checkpoint: &memory{}, Clock: clock}
	refuseOnce(c, orders0, 0)
	if _, err := replay.Run(t.Context(), c.connect, a, options); !errors.Is(err, replay.ErrIncomplete) {
		t.Fatalf("error %v, want ErrIncomplete", err)
	}
	clock.by = -2 * time.Hour // the records are now after the position, had it moved
	c.run(t, a, options)
	equal(t, "values", c.values(t, orders0), valuesOf(r.records[orders0]))
}

// shiftedClock is the system's clock, off by some time.
type shiftedClock struct{ by time.Duration }

func (c *shiftedClock) Now() time.Time { return time.Now().Add(c.by) }

func (c *shiftedClock) SleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(t.Sub(c.Now()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestAProgressFileIsReadableAndReplacedAsAWhole(t *testing.T) {
	a, c := ordersAndEvents(20).archive(t), newTarget(t, withTopics())
	dir := t.TempDir()
	name := filepath.Join(dir, "progress.json")
	c.run(t, a, replay.Options{Checkpoint: replay.NewProgressFile(name)})
	text, err := os.ReadFile(name)
	must(t, err)
	var got struct {
		Version    int  `json:"karchive_progress"`
		Complete   bool `json:"complete"`
		Partitions []checkpoint.Partition
	}
	must(t, json.Unmarshal(text, &got))
	equal(t, "version and completeness", [2]any{got.Version, got.Complete}, [2]any{1, true})
	equal(t, "partitions", len(got.Partitions), 3)
	equal(t, "events/0", [3]any{got.Partitions[0].Topic, got.Partitions[0].Next, got.Partitions[0].Records}, [3]any{"events", int64(20), int64(20)})
	left, err := os.ReadDir(dir)
	must(t, err)
	equal(t, "files", len(left), 1)
}

func TestAFileThatIsNoProgressFileIsRefusedAndKept(t *testing.T) {
	a, c := ordersAndEvents(20).archive(t), newTarget(t, withTopics())
	for _, text := range []string{"", "hello", `{"a":1}`, `[]`, `{"karchive_progress":2}`} {
		name := filepath.Join(t.TempDir(), "progress.json")
		must(t, os.WriteFile(name, []byte(text), 0o600))
		if _, err := replay.Run(t.Context(), c.connect, a, replay.Options{Checkpoint: replay.NewProgressFile(name)}); err == nil {
			t.Errorf("%q was taken for a progress file", text)
		}
		kept, err := os.ReadFile(name)
		must(t, err)
		equal(t, "contents", string(kept), text)
	}
	equal(t, "records", len(c.values(t, orders0)), 0)
}

func TestAProgressFileThatCannotBeWrittenIsAnErrorBeforeAnythingIsSent(t *testing.T) {
	a, c := ordersAndEvents(20).archive(t), newTarget(t, withTopics())
	name := filepath.Join(t.TempDir(), "absent", "progress.json")
	if _, err := replay.Run(t.Context(), c.connect, a, replay.Options{Checkpoint: replay.NewProgressFile(name)}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
	equal(t, "records", len(c.values(t, orders0)), 0)
}

// together holds back the last record of every partition until the client has put all others into batches: before it has heard of a topic it
// only keeps its records, and a flush that comes then sends what there is, in several requests. After one of them was refused the client
// counts anew, and may then count wrong for the other partitions, which stops them.
type together struct {
	last   string // the values of the last records end with this
	others atomic.Int64
	there  chan struct{}
}

func (h *together) OnProduceRecordBuffered(r *kgo.Record) {
	if bytes.HasSuffix(r.Value, []byte(h.last)) {
		<-h.there
	}
}

func (h *together) OnProduceRecordPartitioned(*kgo.Record, int32) {
	if h.others.Add(-1) == 0 {
		close(h.there)
	}
}

// By key the records of one partition go to many, and one of those may refuse.
func TestARefusalByKeyLeavesNothingDoubledAndNothingOut(t *testing.T) {
	r := recording{groupSize: 500, records: map[format.TopicPartition][]format.Record{orders0: plain(orders0, 5000), orders1: plain(orders1, 5000)}}
	a, c := r.archive(t), newTarget(t, kfake.SeedTopics(5, "orders"))
	held := &together{last: "@4999", there: make(chan struct{})}
	held.others.Store(9998)
	// All is sent at once, when the client is flushed.
	connect := append(slices.Clone(c.connect), kgo.ProducerLinger(time.Minute), kgo.WithHooks(held))
	options := replay.Options{Partitioner: routing.ByKey, Checkpoint: &memory{}}
	refuseOnce(c, format.TopicPartition{Topic: "orders", Partition: 3}, 0)
	report, err := replay.Run(t.Context(), connect, a, options)
	if !errors.Is(err, replay.ErrIncomplete) {
		t.Fatalf("error %v, want ErrIncomplete", err)
	}
	if len(options.Checkpoint.(*memory).partition(t, orders0).Beyond) == 0 {
		t.Fatalf("nothing was acknowledged beyond the refused record, the test shows nothing: %+v\n%+v", report, options.Checkpoint.(*memory).last())
	}
	second := c.run(t, a, options)
	equal(t, "acknowledged by both runs", report.Acknowledged+second.Acknowledged, int64(10_000))
	whole := newTarget(t, kfake.SeedTopics(5, "orders"))
	whole.run(t, a, replay.Options{Partitioner: routing.ByKey})
	for partition := range int32(5) {
		tp := format.TopicPartition{Topic: "orders", Partition: partition}
		for _, source := range []string{"orders/0", "orders/1"} {
			equal(t, tp.String()+" from "+source, from(source, c.values(t, tp)), from(source, whole.values(t, tp)))
		}
	}
}

// from are the values that came from a partition.
func from(source string, values []string) []string {
	var out []string
	for _, v := range values {
		if v[:len(source)] == source {
			out = append(out, v)
		}
	}
	return out
}
