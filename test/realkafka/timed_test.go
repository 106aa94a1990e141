//go:build kafka

package realkafka

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/replay/timeline"
	"github.com/karchive/karchive/test/kafkatest"
)

// A second of two topics, each cause a millisecond before its consequence, with steps back in time and records at the same time.
func TestATimedReplayKeepsCountsAndOrder(t *testing.T) {
	broker := kafkatest.Start(t, kafkatest.Options{HeapMB: 512})
	client := newClient(t, broker)
	topics := map[string]int32{"causes": 2, "consequences": 1}
	for topic, partitions := range topics {
		createTopic(t, client, topic, partitions, nil)
	}
	start := time.Now().Add(-time.Hour).Truncate(time.Second)
	const n = 500
	for i := range n {
		at := start.Add(time.Duration(i/5*10) * time.Millisecond)
		if i%50 == 49 {
			at = at.Add(-300 * time.Millisecond)
		}
		text := fmt.Appendf(nil, "%d", i)
		produce(t, client, &kgo.Record{Topic: "causes", Partition: int32(i % 2), Key: text, Value: text, Timestamp: at},
			&kgo.Record{Topic: "consequences", Key: text, Value: text, Timestamp: at.Add(time.Millisecond)})
	}
	dir := filepath.Join(t.TempDir(), "run")
	mustCapture(t, broker, dir, capture.Options{Topics: []string{"causes", "consequences"}})

	speed, err := timeline.ParseSpeed("1")
	if err != nil {
		t.Fatal(err)
	}
	rate, err := timeline.ParseRate("2000/s")
	if err != nil {
		t.Fatal(err)
	}
	for name, pace := range map[string]timeline.Pace{"speed": speed, "rate": rate} {
		rule, err := routing.ParseMapping("*:=" + name + ".*")
		if err != nil {
			t.Fatal(err)
		}
		report, err := replayInto(t, broker, dir, replay.Options{
			Schedule: timeline.Schedule{Pace: pace}, Pacing: replay.Pacing{Precision: replay.HighPrecision, MaxCatchUp: time.Hour},
			Mapping: rule, AllowSourceCluster: true, CreateTopics: true,
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := [6]int64{report.Planned, report.Sent, report.Acknowledged, report.Missing, report.Timing.Dispatch.Count, report.Timing.OutOfOrder}
		if want := [6]int64{2 * n, 2 * n, 2 * n, 0, 2 * n, 2 * n / 50}; got != want {
			t.Errorf("%s: planned, sent, acknowledged, missing, measured, out of order: got %v, want %v", name, got, want)
		}
		for topic, partitions := range topics {
			for p := range partitions {
				sameRecords(t, fmt.Sprintf("%s: %s-%d", name, topic, p), readLog(t, client, name+"."+topic, p).records, readLog(t, client, topic, p).records)
			}
		}
		t.Logf("%s: dispatch p50 %v, p99 %v, acknowledgement p99 %v", name, report.Timing.Dispatch.P50, report.Timing.Dispatch.P99, report.Timing.Acknowledgement.P99)
	}
}
