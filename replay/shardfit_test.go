package replay_test

import (
	"errors"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
)

// days is a recording of two partitions whose records are so many days old.
func days(first, second int) recording {
	r := recording{records: make(map[format.TopicPartition][]format.Record)}
	for tp, old := range map[format.TopicPartition]int{orders0: first, orders1: second} {
		r.records[tp] = plain(tp, 5)
		for i := range r.records[tp] {
			r.records[tp][i].TimestampMs = time.Now().Add(-time.Duration(old) * 24 * time.Hour).UnixMilli()
		}
	}
	return r
}

func TestShardsRefuseAlikeWhatTheTargetWouldDelete(t *testing.T) {
	for _, c := range []struct {
		name    string
		archive recording
		configs map[string]string
		there   bool // the topic
		refused bool
	}{
		{name: "all too old", archive: days(10, 10), refused: true},
		{name: "all too old for a topic that is there", archive: days(10, 10), there: true, refused: true},
		{name: "kept for ever", archive: days(10, 10), configs: map[string]string{"retention.ms": "-1"}},
		{name: "one shard's too old", archive: days(10, 1)},
		{name: "one shard's too old for a topic that is there", archive: days(1, 10), there: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			to := newTarget(t)
			if c.there {
				_, err := to.admin(t).CreateTopic(t.Context(), 2, 1, nil, "orders")
				must(t, err)
			}
			a, sent := c.archive.archive(t), int64(0)
			for i := range 2 {
				report, err := replay.Run(t.Context(), to.connect, a, replay.Options{CreateTopics: true, TopicConfigs: c.configs, Shard: routing.Shard{Index: i, Count: 2}})
				sent += report.Sent
				if _, refused := errors.AsType[*replay.RefusedError](err); refused != c.refused || err != nil && !refused {
					t.Errorf("shard %d: got %v, want it refused: %v", i, err, c.refused)
				}
			}
			topics, err := to.admin(t).ListTopics(t.Context())
			must(t, err)
			equal(t, "there is a topic", topics.Has("orders"), c.there || !c.refused)
			want := int64(10)
			if c.refused {
				want = 0
			}
			equal(t, "sent", sent, want)
		})
	}
}
