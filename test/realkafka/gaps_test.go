//go:build kafka

package realkafka

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/test/kafkatest"
)

// openTransaction is a broker with ten records in topic t, and five behind them in a transaction of txn that is open.
func openTransaction(t *testing.T) (b *kafkatest.Broker, client, txn *kgo.Client) {
	t.Helper()
	b = kafkatest.Start(t, kafkatest.Options{})
	client, txn = newClient(t, b), newClient(t, b, kgo.TransactionalID("open"))
	createTopic(t, client, "t", 1, kept)
	produce(t, client, texts("t", 0, "before", 10)...)
	if err := txn.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	produce(t, txn, texts("t", 0, "open", 5)...)
	return b, client, txn
}

func TestAnOpenTransactionHoldsTheSnapshotBackUntilItEnds(t *testing.T) {
	b, client, txn := openTransaction(t)
	produce(t, client, texts("t", 0, "behind", 7)...)

	dir := filepath.Join(t.TempDir(), "run")
	held := mustCapture(t, b, dir, capture.Options{Topics: []string{"t"}, RequireHW: true})
	if held.Records != 10 || held.Behind != 12 || !held.Incomplete() {
		t.Errorf("got %d records, %d behind, incomplete %v, want 10, 12 and true", held.Records, held.Behind, held.Incomplete())
	}
	if err := txn.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	awaitStable(t, client, "t", 0)
	rest := mustCapture(t, b, dir, capture.Options{Topics: []string{"t"}, RequireHW: true})
	if rest.Records != 12 || rest.Behind != 0 || rest.Incomplete() {
		t.Errorf("then got %d records, %d behind, incomplete %v, want 12, 0 and false", rest.Records, rest.Behind, rest.Incomplete())
	}
	verifyDeep(t, dir)
	sameRecords(t, "t", archived(t, openArchive(t, dir), format.TopicPartition{Topic: "t"}), readLog(t, client, "t", 0).records)
}

func TestRecordsDeletedBetweenTwoCapturesAreAGapByName(t *testing.T) {
	b := kafkatest.Start(t, kafkatest.Options{})
	client := newClient(t, b)
	createTopic(t, client, "t", 1, kept)
	produce(t, client, texts("t", 0, "first", 10)...)
	dir := filepath.Join(t.TempDir(), "run")
	mustCapture(t, b, dir, capture.Options{Topics: []string{"t"}})
	produce(t, client, texts("t", 0, "then", 40)...)
	deleteRecords(t, client, "t", 0, 30)

	report := mustCapture(t, b, dir, capture.Options{Topics: []string{"t"}})
	if report.Records != 20 || report.Lost() != 20 || !report.Incomplete() {
		t.Errorf("got %d records, %d lost, incomplete %v, want 20, 20 and true", report.Records, report.Lost(), report.Incomplete())
	}
	verifyDeep(t, dir)
	c, err := openArchive(t, dir).Coverage(format.TopicPartition{Topic: "t"})
	if err != nil {
		t.Fatal(err)
	}
	want := []ledger.Gap{{From: 10, Until: 30, Reason: ledger.Retention}}
	if c.From != 0 || c.Next != 50 || !slices.Equal(c.Ledger.Ranges, want) {
		t.Errorf("coverage %d to %d with %v, want 0 to 50 with %v", c.From, c.Next, c.Ledger.Ranges, want)
	}
}

func TestAnArchiveIsContinuedOnlyFromTheLogItCameFrom(t *testing.T) {
	a, b := kafkatest.Start(t, kafkatest.Options{}), kafkatest.Start(t, kafkatest.Options{})
	dir := filepath.Join(t.TempDir(), "run")
	for _, broker := range []*kafkatest.Broker{a, b} {
		client := newClient(t, broker)
		createTopic(t, client, "t", 1, kept)
		produce(t, client, texts("t", 0, "same", 10)...)
	}
	mustCapture(t, a, dir, capture.Options{Topics: []string{"t"}})
	want := dataTree(t, dir)

	_, err := captureInto(t.Context(), t, b, dir, capture.Options{Topics: []string{"t"}})
	if mismatch := new(capture.MismatchError); !errors.As(err, &mismatch) {
		t.Errorf("another cluster: got %v, want a MismatchError", err)
	}

	client := newClient(t, a)
	if _, err := kadm.NewClient(client).DeleteTopic(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	await(t, "topic made again", func() bool {
		_, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, "t")
		return err == nil
	})
	produce(t, newClient(t, a), texts("t", 0, "again", 20)...)
	_, err = captureInto(t.Context(), t, a, dir, capture.Options{Topics: []string{"t"}})
	if again := new(capture.RecreatedTopicError); !errors.As(err, &again) {
		t.Errorf("topic made again: got %v, want a RecreatedTopicError", err)
	}
	sameTree(t, "after the refusals", dataTree(t, dir), want)
}

func TestReplayRefusesTimestampsThatItCannotSendAndTheClusterOfTheArchive(t *testing.T) {
	source := kafkatest.Start(t, kafkatest.Options{})
	client := newClient(t, source)
	createTopic(t, client, farFuture, 1, anyTime)
	produceAt(t, client, farFuture, 0, 1700000000000, 1700000000000000)
	dir := filepath.Join(t.TempDir(), "run")
	mustCapture(t, source, dir, capture.Options{Topics: []string{farFuture}})

	target := kafkatest.Start(t, kafkatest.Options{})
	for broker, code := range map[*kafkatest.Broker]string{source: "source-cluster", target: "timestamp-range"} {
		_, err := replayInto(t, broker, dir, replay.Options{CreateTopics: true})
		refused := new(replay.RefusedError)
		if !errors.As(err, &refused) || !slices.ContainsFunc(refused.Findings, func(f replay.Finding) bool { return f.Code == code }) {
			t.Errorf("got %v, want a refusal for %s", err, code)
		}
	}
	if _, _, high := watermarks(t, client, farFuture, 0); high != 2 {
		t.Errorf("the source has %d records, want the 2 it had", high)
	}
}
