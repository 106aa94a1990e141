//go:build kafka

package realkafka

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/test/kafkatest"
)

// The topics of the source and their partitions. Replay can put back all of them but farFuture, whose timestamps no producer of the
// client can express.
const (
	kinds      = "torture.kinds"      // every kind of record, all codecs, several leader epochs
	txns       = "torture_txns"       // committed and aborted transactions, an aborted tail in partition 1
	compacted  = "torture-compacted"  // gaps where records were compacted away
	appendTime = "_torture.appended"  // timestamps set by the broker
	trimmed    = "torture.trimmed"    // begins past 0
	farFuture  = "torture.far-future" // past the year 2262
)

var partitionsOf = map[string]int32{kinds: 4, txns: 2, compacted: 2, appendTime: 1, trimmed: 1, farFuture: 1}

// The records are years old and some lie in the future: kept must not be deleted, and anyTime must not be refused.
var (
	kept    = map[string]string{"retention.ms": "-1"}
	anyTime = map[string]string{"retention.ms": "-1", "message.timestamp.after.max.ms": "9223372036854775807", "max.message.bytes": "12582912"}
)

// newSource starts a broker and fills it. The broker is restarted midway, so that leader epochs differ within partitions.
func newSource(t *testing.T) (*kafkatest.Broker, *kgo.Client) {
	t.Helper()
	b := kafkatest.Start(t, kafkatest.Options{HeapMB: 768})
	client := newClient(t, b)
	createTopic(t, client, kinds, partitionsOf[kinds], anyTime)
	createTopic(t, client, appendTime, partitionsOf[appendTime], map[string]string{"message.timestamp.type": "LogAppendTime"})
	createTopic(t, client, farFuture, partitionsOf[farFuture], anyTime)
	createTopic(t, client, txns, partitionsOf[txns], kept)
	createTopic(t, client, trimmed, partitionsOf[trimmed], kept)

	fillKinds(t, b, client)
	produce(t, client, texts(appendTime, 0, "appended", 100)...)
	produceAt(t, client, farFuture, 0, 1, 1700000000000000, 9223372036855, 253402300800000, 0, 8000000000000000)
	fillTxns(t, b)
	fillCompacted(t, client)
	fillTrimmed(t, client)

	if err := b.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	for p := range partitionsOf[kinds] {
		produce(t, client, texts(kinds, p, "after the restart", 50)...)
	}
	for p := range partitionsOf[txns] {
		awaitStable(t, client, txns, p)
	}
	return b, client
}

// fillKinds writes every kind of record with every codec.
func fillKinds(t *testing.T, b *kafkatest.Broker, client *kgo.Client) {
	t.Helper()
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	for i, codec := range codecs {
		compressing := newClient(t, b, kgo.ProducerBatchCompression(codec))
		records := append(kindsOfPayloads(), kindsOfTimes()...)
		records = append(records, kindsOfHeaders()...)
		for j, r := range records {
			r.Topic, r.Partition = kinds, int32((i+j)%int(partitionsOf[kinds]))
		}
		produce(t, compressing, records...)
		compressing.Close()
	}
	for p := range int32(2) {
		produce(t, client, &kgo.Record{Topic: kinds, Partition: p, Key: []byte("large"), Value: noise(largeBytes)})
		produce(t, client, texts(kinds, p, "after the large one", 10)...)
	}
}

func kindsOfPayloads() []*kgo.Record {
	var records []*kgo.Record
	payloads := [][]byte{nil, {}, {0}, []byte("text"), {0xff, 0xfe, 0x00, 0x80}, []byte("日本"), bytes.Repeat([]byte("repeat "), 20_000)}
	for _, key := range payloads {
		for _, value := range payloads {
			records = append(records, &kgo.Record{Key: key, Value: value, Timestamp: time.UnixMilli(1700000000123)})
		}
	}
	return records
}

// kindsOfTimes are none (-1), the epoch, a time out of order, and the last one before the client's nanoseconds overflow.
func kindsOfTimes() []*kgo.Record {
	var records []*kgo.Record
	for _, ms := range []int64{-1, 0, 1, 1700000000999, 1600000000000, 4102444800000, 9223372036854} {
		records = append(records, &kgo.Record{Value: []byte("time"), Timestamp: time.UnixMilli(ms)})
	}
	return records
}

func kindsOfHeaders() []*kgo.Record {
	var records []*kgo.Record
	for _, headers := range [][]kgo.RecordHeader{
		{{Key: "a", Value: []byte("1")}},
		{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "a", Value: []byte("1")}},
		{{Key: "null"}, {Key: "empty", Value: []byte{}}},
		{{Key: "", Value: []byte("empty key")}, {Key: ""}},
		{{Key: "\xff", Value: []byte{0xff}}, {Key: "good"}, {Key: "half \xe6\x97 and \xc3\x28"}},
		{{Key: "日本", Value: []byte("日本")}, {Key: "nul\x00nul", Value: []byte{0}}},
	} {
		records = append(records, &kgo.Record{Key: []byte("k"), Headers: headers, Timestamp: time.UnixMilli(1700000000456)})
	}
	return records
}

// noise does not compress.
func noise(n int) []byte {
	random, b := rand.NewChaCha8([32]byte{1}), make([]byte, n)
	random.Read(b)
	return b
}

// fillTxns leaves partition 0 with committed, aborted and plain records in turn and two transactions that interleave, and partition 1
// with an aborted tail: nothing comes after its last readable record but aborted ones and a marker.
func fillTxns(t *testing.T, b *kafkatest.Broker) {
	t.Helper()
	plain, txn := newClient(t, b), newClient(t, b, kgo.TransactionalID("torture"))
	for p := range partitionsOf[txns] {
		produce(t, plain, texts(txns, p, "plain", 20)...)
		transaction(t, txn, kgo.TryCommit, texts(txns, p, "committed", 30)...)
		transaction(t, txn, kgo.TryAbort, texts(txns, p, "aborted", 40)...)
		transaction(t, txn, kgo.TryCommit, texts(txns, p, "committed again", 5)...)
	}
	interleave(t, txn, newClient(t, b, kgo.TransactionalID("torture 2")))
	transaction(t, txn, kgo.TryAbort, texts(txns, 1, "aborted tail", 200)...)
}

// interleave writes by turns in two open transactions, of which the first aborts and the second commits.
func interleave(t *testing.T, abort, commit *kgo.Client) {
	t.Helper()
	for _, client := range []*kgo.Client{abort, commit} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		produce(t, abort, texts(txns, 0, "interleaved and aborted", 3)...)
		produce(t, commit, texts(txns, 0, "interleaved and committed", 3)...)
	}
	if err := abort.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	produce(t, commit, texts(txns, 0, "after the abort", 3)...)
	if err := commit.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
}

// fillCompacted writes keys over and over, with tombstones and keys that come once among them, until compaction took some away, and
// then stops compaction: two captures must find the same log.
func fillCompacted(t *testing.T, client *kgo.Client) {
	t.Helper()
	createTopic(t, client, compacted, partitionsOf[compacted], map[string]string{
		"cleanup.policy": "compact", "segment.ms": "50", "min.cleanable.dirty.ratio": "0.001", "max.compaction.lag.ms": "100",
		"delete.retention.ms": "86400000", "message.timestamp.after.max.ms": anyTime["message.timestamp.after.max.ms"]})
	for p := range partitionsOf[compacted] {
		written := 0
		await(t, "compaction", func() bool {
			produce(t, client, texts(compacted, p, "compact me", 50)...)
			produce(t, client, &kgo.Record{Topic: compacted, Partition: p, Key: []byte("deleted")})
			produce(t, client, &kgo.Record{Topic: compacted, Partition: p, Key: fmt.Appendf(nil, "once %d", written), Value: []byte{}})
			written += 52
			return len(readLog(t, client, compacted, p).records) < written-200
		})
	}
	alterTopic(t, client, compacted, "max.compaction.lag.ms", "9223372036854775807")
	alterTopic(t, client, compacted, "min.compaction.lag.ms", "9223372036854775807")
}

// fillTrimmed writes records and deletes the first of them: the log starts within a batch.
func fillTrimmed(t *testing.T, client *kgo.Client) {
	t.Helper()
	produce(t, client, texts(trimmed, 0, "trimmed", 100)...)
	deleteRecords(t, client, trimmed, 0, 42)
}
