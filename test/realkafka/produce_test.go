//go:build kafka

package realkafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/test/kafkatest"
)

const largeBytes = 10 << 20

// newClient is a client of b that puts every record into the partition it names.
func newClient(t *testing.T, b *kafkatest.Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(b.Brokers()...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(largeBytes + 1<<20),
		kgo.BrokerMaxReadBytes(256 << 20),
		kgo.ProducerLinger(0),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func createTopic(t *testing.T, client *kgo.Client, topic string, partitions int32, configs map[string]string) {
	t.Helper()
	set := map[string]*string{}
	for k, v := range configs {
		set[k] = &v
	}
	admin := kadm.NewClient(client)
	if _, err := admin.CreateTopic(t.Context(), partitions, 1, set, topic); err != nil {
		t.Fatal(err)
	}
	// The broker hears of a new topic a moment after it was made.
	await(t, "leaders of "+topic, func() bool {
		listed, err := admin.ListEndOffsets(t.Context(), topic)
		return err == nil && listed.Error() == nil && len(listed[topic]) == int(partitions)
	})
}

func produce(t *testing.T, client *kgo.Client, records ...*kgo.Record) {
	t.Helper()
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// transaction produces records in a transaction and ends it as told.
func transaction(t *testing.T, client *kgo.Client, end kgo.TransactionEndTry, records ...*kgo.Record) {
	t.Helper()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	produce(t, client, records...)
	if err := client.EndTransaction(t.Context(), end); err != nil {
		t.Fatal(err)
	}
}

func texts(topic string, partition int32, prefix string, n int) []*kgo.Record {
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = &kgo.Record{Topic: topic, Partition: partition, Key: fmt.Appendf(nil, "%s-%d", prefix, i%10),
			Value: fmt.Appendf(nil, "%s %d", prefix, i), Timestamp: time.UnixMilli(1700000000000 + int64(i))}
	}
	return records
}

// produceAt appends records with timestamps that the client cannot express: its nanoseconds overflow after the year 2262.
func produceAt(t *testing.T, client *kgo.Client, topic string, partition int32, timestamps ...int64) {
	t.Helper()
	meta, err := kadm.NewClient(client).Metadata(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = partition, rawBatch(timestamps)
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic, rt.TopicID, rt.Partitions = topic, meta.Topics[topic].ID, []kmsg.ProduceRequestTopicPartition{p}
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis, req.Topics = -1, 10_000, []kmsg.ProduceRequestTopic{rt}
	resp, err := client.Broker(1).RetriableRequest(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if err := kerr.ErrorForCode(resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode); err != nil {
		t.Fatal(err)
	}
}

// rawBatch is a record batch with one record for each timestamp.
func rawBatch(timestamps []int64) []byte {
	batch := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, LastOffsetDelta: int32(len(timestamps)) - 1, NumRecords: int32(len(timestamps)),
		FirstTimestamp: timestamps[0], MaxTimestamp: timestamps[0], ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
	}
	for i, ms := range timestamps {
		batch.MaxTimestamp = max(batch.MaxTimestamp, ms)
		rec := kmsg.Record{TimestampDelta64: ms - timestamps[0], OffsetDelta: int32(i), Value: fmt.Appendf(nil, "at %d", ms)}
		body := rec.AppendTo(nil)[1:] // without the length, which is 0 and one byte here
		batch.Records = append(binary.AppendVarint(batch.Records, int64(len(body))), body...)
	}
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-batchOverhead))
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

// patience is for what happens in moments on a machine that does nothing else, and ends a test only when it never happens.
const patience = 5 * time.Minute

// await asks for a condition until it holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); !holds(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// deleteRecords moves a log's start to offset.
func deleteRecords(t *testing.T, client *kgo.Client, topic string, partition int32, offset int64) {
	t.Helper()
	var before kadm.Offsets
	before.Add(kadm.Offset{Topic: topic, Partition: partition, At: offset})
	deleted, err := kadm.NewClient(client).DeleteRecords(t.Context(), before)
	if err != nil {
		t.Fatal(err)
	}
	if err := deleted.Error(); err != nil {
		t.Fatal(err)
	}
}

func alterTopic(t *testing.T, client *kgo.Client, topic, config, value string) {
	t.Helper()
	set := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: config, Value: &value}}
	altered, err := kadm.NewClient(client).AlterTopicConfigs(t.Context(), set, topic)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := altered.On(topic, func(r *kadm.AlterConfigsResponse) error { return r.Err }); err != nil {
		t.Fatal(err)
	}
}

// awaitStable waits until no transaction is open: a transaction ends for its producer before its markers are written.
func awaitStable(t *testing.T, client *kgo.Client, topic string, partition int32) {
	t.Helper()
	await(t, "end of transactions", func() bool {
		_, stable, high := watermarks(t, client, topic, partition)
		return stable == high
	})
}
