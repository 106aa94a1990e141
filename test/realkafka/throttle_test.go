//go:build kafka

package realkafka

import (
	"context"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/test/kafkatest"
)

// throttles counts the answers by which a broker asks a client to wait.
type throttles struct{ n atomic.Int64 }

func (h *throttles) OnBrokerThrottle(kgo.BrokerMetadata, time.Duration, bool) { h.n.Add(1) }

// quota bounds what every client may send or fetch in a second.
func quota(t *testing.T, b *kafkatest.Broker, bytes float64) {
	t.Helper()
	everyone := kadm.ClientQuotaEntity{{Type: "client-id"}}
	set := []kadm.AlterClientQuotaEntry{{Entity: everyone, Ops: []kadm.AlterClientQuotaOp{{Key: "producer_byte_rate", Value: bytes}, {Key: "consumer_byte_rate", Value: bytes}}}}
	altered, err := kadm.NewClient(newClient(t, b)).AlterClientQuotas(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range altered {
		if a.Err != nil {
			t.Fatal(a.Err)
		}
	}
}

func TestAThrottledReplayAndCaptureAreSlowAndRight(t *testing.T) {
	source, target := kafkatest.Start(t, kafkatest.Options{}), kafkatest.Start(t, kafkatest.Options{})
	client, dir := newClient(t, source), t.TempDir()
	createTopic(t, client, "t", 1, kept)
	for range 8 {
		produce(t, client, large(texts("t", 0, "throttled", 30))...)
	}
	mustCapture(t, source, filepath.Join(dir, "run"), capture.Options{Topics: []string{"t"}})
	quota(t, target, 200_000) // 2.4 MB come at once, and count over ten seconds
	told := &throttles{}
	report, err := replayInto(t, target, filepath.Join(dir, "run"), replay.Options{CreateTopics: true, Hooks: []kgo.Hook{told}, Compression: "none"})
	if err != nil || report.Acknowledged != 240 || told.n.Load() == 0 {
		t.Fatalf("replay: %v, %d records, throttled %d times", err, report.Acknowledged, told.n.Load())
	}
	mustCapture(t, target, filepath.Join(dir, "back"), capture.Options{Topics: []string{"t"}, FetchBytes: 300_000})
	verifyDeep(t, filepath.Join(dir, "back"))
	quota(t, target, 1e9)
	got := archived(t, openArchive(t, filepath.Join(dir, "back")), format.TopicPartition{Topic: "t"})
	sameRecords(t, "t", got, readLog(t, newClient(t, target), "t", 0).records)
}

func TestAFollowCaptureTellsOfATransactionThatStaysOpen(t *testing.T) {
	b, _, _ := openTransaction(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	want := "t-0 waits at offset 10 for "
	tell := func(p capture.Progress) {
		if strings.HasPrefix(p.Trouble, want) && strings.HasSuffix(p.Trouble, "an open transaction holds back 5 offsets") {
			cancel()
		}
	}
	o := capture.Options{Topics: []string{"t"}, Follow: true, StallTimeout: 5 * time.Second, OnProgress: tell} // of which nothing but the transaction may take as long
	o.StopAfter.Duration = patience
	report, err := captureInto(ctx, t, b, filepath.Join(t.TempDir(), "run"), o)
	if err != nil || report.Stopped != capture.StoppedByContext || report.Records != 10 || len(report.Warnings) != 1 || !strings.HasPrefix(report.Warnings[0], want) {
		t.Errorf("%v, stopped by %q with %d records, warnings %q", err, report.Stopped, report.Records, report.Warnings)
	}
}
