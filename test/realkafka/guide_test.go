//go:build kafka

package realkafka

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/karchive/karchive/test/kafkatest"
)

// TestTheStepsOfTheGuide takes records out of a Speedscale snapshot and sends them to a topic, as README shows it: through a CSV file, which has
// one record of each Fetch, and through an archive, which has all.
func TestTheStepsOfTheGuide(t *testing.T) {
	broker := kafkatest.Start(t, kafkatest.Options{HeapMB: 512})
	client := newClient(t, broker)
	for topic, partitions := range map[string]int32{"dev-fulfillment": 1, "transactions": 2, "accounts": 8} {
		createTopic(t, client, topic, partitions, kept)
	}
	bin, dir := buildCommand(t), t.TempDir()
	csv, archive := filepath.Join(dir, "out.csv"), filepath.Join(dir, "run1")
	const guide, snapshot = "../../internal/speedscale/testdata/guide.jsonl", "../../internal/speedscale/testdata/snapshot.jsonl"

	mustRun(t, bin, "extract", guide, "--path", "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString",
		"--filter", `(command IS "Fetch")`, "-o", csv)
	want := `kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString,RRPair UUID
message1,44f7a2cc-2045-4fb6-9635-3da8aa7fa909
message2,58f7a2cc-1135-4fa6-3433-ada5aa2fa161
`
	if got, err := os.ReadFile(csv); err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	mustRun(t, bin, "replay", csv, "-b", broker.Brokers()[0], "--topic", "dev-fulfillment", "--rate", "100/s")
	got := readLog(t, client, "dev-fulfillment", 0).records
	if len(got) != 2 || string(got[0].Value) != "message1" || string(got[1].Value) != "message2" || got[0].TimestampMs <= 0 {
		t.Errorf("got %v", got)
	}

	mustRun(t, bin, "import", "speedscale", snapshot, "-o", archive)
	mustRun(t, bin, "replay", archive, "-b", broker.Brokers()[0])
	for topic, records := range map[string][]int{"transactions": {32, 31}, "accounts": {0, 0, 0, 0, 0, 0, 0, 3}} {
		for partition, want := range records {
			if got := len(readLog(t, client, topic, int32(partition)).records); got != want {
				t.Errorf("%s-%d: got %d records, want %d", topic, partition, got, want)
			}
		}
	}
}
