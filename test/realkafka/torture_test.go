//go:build kafka

package realkafka

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/test/kafkatest"
)

func TestEveryRecordComesThroughCaptureReplayAndCaptureUnchanged(t *testing.T) {
	source, client := newSource(t)
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		first, second := filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "second")
		createIn(t, first, e)
		mustCapture(t, source, first, capture.Options{Topics: slices.Collect(maps.Keys(partitionsOf))})
		verifyDeep(t, first)
		sameAsLogs(t, openArchive(t, first), client)

		target := kafkatest.Start(t, kafkatest.Options{HeapMB: 768})
		back := newClient(t, target)
		// With the source's config the target would stamp these anew.
		createTopic(t, back, appendTime, partitionsOf[appendTime], kept)
		replayable := slices.DeleteFunc(slices.Collect(maps.Keys(partitionsOf)), func(topic string) bool { return topic == farFuture })
		if _, err := replayInto(t, target, first, replay.Options{Topics: replayable, CreateTopics: true}); err != nil {
			t.Fatalf("replay: %v", err)
		}

		createIn(t, second, e)
		mustCapture(t, target, second, capture.Options{Topics: replayable})
		verifyDeep(t, second)
		sameButForTheirPlace(t, openArchive(t, second), openArchive(t, first), replayable)
	})
}

// sameAsLogs compares records, coverage and gaps of every partition with what the broker's bytes say.
func sameAsLogs(t *testing.T, archive *format.Archive, client *kgo.Client) {
	t.Helper()
	for topic, n := range partitionsOf {
		for p := range n {
			tp := format.TopicPartition{Topic: topic, Partition: p}
			log := readLog(t, client, topic, p)
			sameRecords(t, topic, archived(t, archive, tp), log.records)
			sameCoverage(t, archive, tp, log)
		}
	}
}

func sameCoverage(t *testing.T, archive *format.Archive, tp format.TopicPartition, log *rawLog) {
	t.Helper()
	c, err := archive.Coverage(tp)
	if err != nil {
		t.Fatal(err)
	}
	if c.From != log.start || c.Next != log.end {
		t.Errorf("%v covers %d to %d, want %d to %d", tp, c.From, c.Next, log.start, log.end)
	}
	control := int64(len(log.control))
	absent := log.end - log.start - int64(len(log.records)) - control
	if c.Ledger.Control != control || c.Ledger.Absent != absent || c.Ledger.Lost() != 0 {
		t.Errorf("%v: gaps %+v, want %d control and %d absent", tp, c.Ledger, control, absent)
	}
}

// sameButForTheirPlace compares the records of two archives but for offset, leader epoch and timestamp type, which a replay cannot
// keep.
func sameButForTheirPlace(t *testing.T, got, want *format.Archive, topics []string) {
	t.Helper()
	for _, topic := range topics {
		for p := range partitionsOf[topic] {
			tp := format.TopicPartition{Topic: topic, Partition: p}
			sent := archived(t, want, tp)
			if len(sent) == 0 {
				t.Errorf("%v has no records: nothing is shown", tp)
			}
			sameRecords(t, topic+" after replay", placeless(archived(t, got, tp)), placeless(sent))
		}
	}
}

func placeless(records []format.Record) []format.Record {
	for i := range records {
		records[i].Offset, records[i].LeaderEpoch, records[i].TimestampType = 0, 0, format.TimestampCreate
	}
	return records
}
