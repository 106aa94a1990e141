//go:build kafka

package realkafka

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/kafkatest"
)

const killTopic = "killed"

// The moments at which a capture is killed: when its archive has so many sealed segments.
var killAfterSegments = []int{0, 1, 2, 5, 9, 14}

func TestACaptureThatIsKilledAndRunAgainMissesAndDoublesNothing(t *testing.T) {
	bin, b := buildCommand(t), kafkatest.Start(t, kafkatest.Options{})
	client := newClient(t, b)
	fillForKill(t, client)
	eachEncoding(t, func(t *testing.T, e format.Encoding) { checkKills(t, bin, b, client, e) })
}

func checkKills(t *testing.T, bin string, b *kafkatest.Broker, client *kgo.Client, e format.Encoding) {
	whole, killed := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "killed")
	capture := func(dir string) []string {
		return []string{"capture", "-b", b.Brokers()[0], "-t", killTopic, "-o", dir, "--rotate-size", "4MB", "--encoding", string(e)}
	}
	mustRun(t, bin, capture(whole)...)

	for _, segments := range killAfterSegments {
		killWhenSealed(t, newCommand(bin, capture(killed)...), killed, segments)
	}
	mustRun(t, bin, capture(killed)...)

	verifyDeep(t, killed)
	sameTree(t, "killed and run again", dataTree(t, killed), dataTree(t, whole))
	archive := openArchive(t, killed)
	for p := range int32(3) {
		got := archived(t, archive, format.TopicPartition{Topic: killTopic, Partition: p})
		sameRecords(t, fmt.Sprintf("partition %d", p), got, readLog(t, client, killTopic, p).records)
	}
}

// fillForKill writes about 180 MB to three partitions.
func fillForKill(t *testing.T, client *kgo.Client) {
	t.Helper()
	createTopic(t, client, killTopic, 3, kept)
	for p := range int32(3) {
		for i := range 60 {
			records := texts(killTopic, p, fmt.Sprintf("round %d", i), 100)
			for _, r := range records {
				r.Value = append(r.Value, noise(10_000)...)
			}
			produce(t, client, records...)
		}
	}
}

// killWhenSealed starts a capture and kills it when the archive in dir has so many segments.
func killWhenSealed(t *testing.T, c *command, dir string, segments int) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !begun(dir) || len(sealed(t, dir)) < segments {
		select {
		case err := <-ended:
			t.Fatalf("the capture ended (%v) before it had %d segments\n%s", err, segments, c.said.Bytes())
		case <-tick.C:
		}
	}
	c.Process.Kill()
	<-ended
	if c.ProcessState.Success() {
		t.Fatalf("the capture ended before it could be killed at %d segments: the topic is too small", segments)
	}
}

// begun says whether the archive's identity is there: the plan is made.
func begun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "karchive.json"))
	return err == nil
}

func sealed(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "data", "*", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}
