//go:build kafka

package realkafka

import (
	"cmp"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

// rawLog is what a partition's log holds under read_committed, decoded here from the bytes of the broker.
type rawLog struct {
	start, end int64 // offsets that can be read, end being the last stable offset
	high       int64 // high watermark
	records    []format.Record
	control    []int64 // offsets of transaction markers
}

const (
	batchOverhead       = 12 // first offset and length
	attributeCodec      = 0x07
	attributeAppendTime = 0x08
	attributeTxn        = 0x10
	attributeControl    = 0x20
	readCommitted       = 1
)

// readLog reads a partition from its start to the last stable offset that it has now.
func readLog(t *testing.T, client *kgo.Client, topic string, partition int32) *rawLog {
	t.Helper()
	meta, err := kadm.NewClient(client).Metadata(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	r := &rawReader{t: t, client: client, topic: topic, id: meta.Topics[topic].ID, partition: partition}
	return r.readAll()
}

type rawReader struct {
	t         *testing.T
	client    *kgo.Client
	topic     string
	id        [16]byte
	partition int32
	log       rawLog
}

func (r *rawReader) readAll() *rawLog {
	r.t.Helper()
	r.log.start, r.log.end, r.log.high = watermarks(r.t, r.client, r.topic, r.partition)
	for at := r.log.start; at < r.log.end; {
		next := r.decode(r.fetch(at), at)
		if next <= at {
			r.t.Fatalf("fetch at %d of %s/%d: no progress", at, r.topic, r.partition)
		}
		at = next
	}
	return &r.log
}

// watermarks are the log start, the last stable offset and the high watermark.
func watermarks(t *testing.T, client *kgo.Client, topic string, partition int32) (start, stable, high int64) {
	t.Helper()
	admin := kadm.NewClient(client)
	for _, ask := range []struct {
		to   *int64
		list func() (kadm.ListedOffsets, error)
	}{
		{&start, func() (kadm.ListedOffsets, error) { return admin.ListStartOffsets(t.Context(), topic) }},
		{&stable, func() (kadm.ListedOffsets, error) { return admin.ListCommittedOffsets(t.Context(), topic) }},
		{&high, func() (kadm.ListedOffsets, error) { return admin.ListEndOffsets(t.Context(), topic) }},
	} {
		listed, err := ask.list()
		if err != nil {
			t.Fatal(err)
		}
		o, ok := listed.Lookup(topic, partition)
		if !ok || o.Err != nil {
			t.Fatalf("offsets of %s/%d: %v", topic, partition, o.Err)
		}
		*ask.to = o.Offset
	}
	return start, stable, high
}

func (r *rawReader) fetch(at int64) *kmsg.FetchResponseTopicPartition {
	r.t.Helper()
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = r.partition, at, 32<<20
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID, topic.Partitions = r.topic, r.id, []kmsg.FetchRequestTopicPartition{p}
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel = 1000, 1, 32<<20, readCommitted
	req.Topics = []kmsg.FetchRequestTopic{topic}
	resp, err := r.client.Broker(1).RetriableRequest(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	fetched := resp.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(fetched.ErrorCode); err != nil {
		r.t.Fatal(err)
	}
	got := &fetched.Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
		r.t.Fatal(err)
	}
	return got
}

// decode takes the records from offset from on, and returns the offset after the last whole batch.
func (r *rawReader) decode(p *kmsg.FetchResponseTopicPartition, from int64) (next int64) {
	r.t.Helper()
	slices.SortFunc(p.AbortedTransactions, func(a, b kmsg.FetchResponseTopicPartitionAbortedTransaction) int {
		return cmp.Compare(a.FirstOffset, b.FirstOffset)
	})
	aborts, aborting := p.AbortedTransactions, map[int64]bool{}
	for raw := p.RecordBatches; len(raw) > batchOverhead; {
		size := batchOverhead + int(binary.BigEndian.Uint32(raw[8:]))
		if size > len(raw) {
			break // a part of a batch, which the next fetch brings whole
		}
		var batch kmsg.RecordBatch
		if err := batch.ReadFrom(raw[:size]); err != nil {
			r.t.Fatal(err)
		}
		raw, next = raw[size:], batch.FirstOffset+int64(batch.LastOffsetDelta)+1
		for len(aborts) > 0 && aborts[0].FirstOffset < next {
			aborting[aborts[0].ProducerID] = true
			aborts = aborts[1:]
		}
		switch {
		case batch.Attributes&attributeControl != 0:
			r.log.control = append(r.log.control, batch.FirstOffset)
			if marker := r.records(&batch)[0]; binary.BigEndian.Uint16(marker.Key[2:]) == 0 { // an abort
				delete(aborting, batch.ProducerID)
			}
		case batch.Attributes&attributeTxn != 0 && aborting[batch.ProducerID]:
		default:
			r.take(r.records(&batch), from)
		}
	}
	return next
}

// take keeps what the log holds before its end and the fetch asked for: a batch can begin before the offset that was asked for.
func (r *rawReader) take(records []format.Record, from int64) {
	for _, rec := range records {
		if rec.Offset >= from && rec.Offset < r.log.end {
			r.log.records = append(r.log.records, rec)
		}
	}
}

func (r *rawReader) records(b *kmsg.RecordBatch) []format.Record {
	r.t.Helper()
	raw, err := kgo.DefaultDecompressor().Decompress(b.Records, kgo.CompressionCodecType(b.Attributes&attributeCodec))
	if err != nil {
		r.t.Fatal(err)
	}
	records := make([]format.Record, b.NumRecords)
	for i := range records {
		length, n := binary.Varint(raw)
		var rec kmsg.Record
		if err := rec.ReadFrom(raw[:n+int(length)]); err != nil {
			r.t.Fatal(err)
		}
		raw = raw[n+int(length):]
		records[i] = decoded(b, &rec)
	}
	return records
}

func decoded(b *kmsg.RecordBatch, rec *kmsg.Record) format.Record {
	r := format.Record{
		Offset:        b.FirstOffset + int64(rec.OffsetDelta),
		TimestampMs:   b.FirstTimestamp + rec.TimestampDelta64,
		TimestampType: format.TimestampCreate,
		LeaderEpoch:   b.PartitionLeaderEpoch,
		Key:           rec.Key,
		Value:         rec.Value,
	}
	if b.Attributes&attributeAppendTime != 0 {
		r.TimestampMs, r.TimestampType = b.MaxTimestamp, format.TimestampLogAppend
	}
	for _, h := range rec.Headers {
		r.Headers = append(r.Headers, format.Header{Key: h.Key, Value: h.Value})
	}
	return r
}
