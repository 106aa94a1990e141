package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

// rawBatch describes a record batch; its bytes are put together independently of the decoder.
type rawBatch struct {
	base       int64
	epoch      int32
	attributes int16
	baseTime   int64
	maxTime    int64
	producer   int64
	last       int32 // last offset delta; 0: that of the last record
	records    []rawRecord
}

type rawRecord struct {
	delta, time int64
	key, value  []byte
	headers     []format.Header
}

func (r rawRecord) encode() []byte {
	b := []byte{0}
	b = binary.AppendVarint(b, r.time)
	b = binary.AppendVarint(b, r.delta)
	b = appendBytes(appendBytes(b, r.key), r.value)
	b = binary.AppendVarint(b, int64(len(r.headers)))
	for _, h := range r.headers {
		b = appendBytes(appendBytes(b, []byte(h.Key)), h.Value)
	}
	return append(binary.AppendVarint(nil, int64(len(b))), b...)
}

func appendBytes(b, payload []byte) []byte {
	if payload == nil {
		return binary.AppendVarint(b, -1)
	}
	return append(binary.AppendVarint(b, int64(len(payload))), payload...)
}

func (b rawBatch) encode() []byte {
	var payload []byte
	last := b.last
	for _, r := range b.records {
		payload = append(payload, r.encode()...)
		last = max(last, int32(r.delta))
	}
	batch := kmsg.RecordBatch{
		FirstOffset: b.base, PartitionLeaderEpoch: b.epoch, Magic: 2, Attributes: b.attributes, LastOffsetDelta: last,
		FirstTimestamp: b.baseTime, MaxTimestamp: b.maxTime, ProducerID: b.producer, NumRecords: int32(len(b.records)), Records: payload,
	}
	batch.Length = int32(len(batch.AppendTo(nil)) - 12)
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

// collector is a sink that writes down what it gets.
type collector struct {
	records  []string
	controls []int64
	gaps     [][2]int64
	fail     error
}

func (c *collector) record(r *format.Record) error {
	c.records = append(c.records, fmt.Sprintf("%d@%d/%d e%d %q=%q %q", r.Offset, r.TimestampMs, r.TimestampType, r.LeaderEpoch, r.Key, r.Value, r.Headers))
	return c.fail
}

func (c *collector) control(offset int64, _ int32) error {
	c.controls = append(c.controls, offset)
	return c.fail
}

func (c *collector) lost(from, until int64) error {
	c.gaps = append(c.gaps, [2]int64{from, until})
	return c.fail
}

// decodeAll scans and decodes what a broker would send.
func decodeAll(raw []byte, from, until int64, committed bool, aborted ...kmsg.FetchResponseTopicPartitionAbortedTransaction) (*collector, span, error) {
	found, err := scan(raw, from)
	if err != nil {
		return nil, found, err
	}
	got := &collector{}
	d := decoder{committed: committed, decompressor: newDecompressor(0)}
	p := &kmsg.FetchResponseTopicPartition{RecordBatches: raw[:found.size], AbortedTransactions: aborted}
	return got, found, d.decode(p, found.legacy, from, until, got)
}

func wantRecords(t *testing.T, got *collector, want ...string) {
	t.Helper()
	if !slices.Equal(got.records, want) {
		t.Errorf("got  %v\nwant %v", got.records, want)
	}
}

func TestTimestampsAreThoseOfTheBatch(t *testing.T) {
	records := []rawRecord{{delta: 0, time: 0}, {delta: 1, time: -5}, {delta: 7, time: 1 << 40}}
	create, _, err := decodeAll(rawBatch{base: 10, epoch: 3, baseTime: 1700000000000000, maxTime: 9, records: records}.encode(), 0, math.MaxInt64, true)
	if err != nil {
		t.Fatal(err)
	}
	wantRecords(t, create,
		`10@1700000000000000/0 e3 ""="" []`, `11@1699999999999995/0 e3 ""="" []`, `17@1701099511627776/0 e3 ""="" []`)
	appended, _, err := decodeAll(rawBatch{base: 10, epoch: 3, attributes: 8, baseTime: 5, maxTime: 99, records: records}.encode(), 0, math.MaxInt64, true)
	if err != nil {
		t.Fatal(err)
	}
	wantRecords(t, appended, `10@99/1 e3 ""="" []`, `11@99/1 e3 ""="" []`, `17@99/1 e3 ""="" []`)
}

func TestOnlyOffsetsWithinTheBoundsAreDecoded(t *testing.T) {
	var raw []byte
	for i := range 4 {
		raw = append(raw, rawBatch{base: int64(10 * i), records: []rawRecord{{delta: 0}, {delta: 4}, {delta: 9}}}.encode()...)
	}
	got, found, err := decodeAll(raw, 14, 29, true)
	if err != nil {
		t.Fatal(err)
	}
	wantRecords(t, got, `14@0/0 e0 ""="" []`, `19@0/0 e0 ""="" []`, `20@0/0 e0 ""="" []`, `24@0/0 e0 ""="" []`)
	if found.next != 40 {
		t.Errorf("next is %d, want 40", found.next)
	}
}

func TestAScanKnowsHowFarBatchesReachThatHoldNothing(t *testing.T) {
	raw := rawBatch{base: 10, epoch: 4, last: 9}.encode() // what compaction leaves of ten records
	whole := len(raw)
	raw = append(raw, rawBatch{base: 20, records: []rawRecord{{}}}.encode()[:40]...) // the rest did not fit
	found, err := scan(raw, 12)
	if err != nil || found != (span{size: whole, next: 20, epoch: 4}) {
		t.Errorf("found %+v, %v", found, err)
	}
	if found, err := scan(raw[:5], 12); err != nil || found.next != 12 || found.size != 0 {
		t.Errorf("of a stump: %+v, %v", found, err)
	}
}

func TestAbortedTransactionsAreLeftOutUpToTheirMarkers(t *testing.T) {
	const tx, control = 1 << 4, 1 << 5
	data := func(base, producer int64) []byte {
		return rawBatch{base: base, producer: producer, attributes: tx, records: []rawRecord{{}}}.encode()
	}
	marker := func(base, producer int64, kind byte) []byte {
		return rawBatch{base: base, producer: producer, attributes: tx | control, records: []rawRecord{{key: []byte{0, 0, 0, kind}}}}.encode()
	}
	raw := slices.Concat(
		data(0, 7), data(1, 8), // 7 aborts, 8 commits
		marker(2, 7, 0), data(3, 7), marker(4, 7, 1), // then 7 commits
		marker(5, 8, 1), data(6, 8), data(7, 7), marker(8, 8, 0), // and 8 aborts, while 7 goes on
		rawBatch{base: 9, producer: 8, records: []rawRecord{{}}}.encode(), // outside of any transaction
	)
	aborts := []kmsg.FetchResponseTopicPartitionAbortedTransaction{{ProducerID: 8, FirstOffset: 6}, {ProducerID: 7, FirstOffset: 0}}
	got, _, err := decodeAll(raw, 0, math.MaxInt64, true, aborts...)
	if err != nil {
		t.Fatal(err)
	}
	wantRecords(t, got, `1@0/0 e0 ""="" []`, `3@0/0 e0 ""="" []`, `7@0/0 e0 ""="" []`, `9@0/0 e0 ""="" []`)
	if want := []int64{2, 4, 5, 8}; !slices.Equal(got.controls, want) {
		t.Errorf("control offsets %v, want %v", got.controls, want)
	}
	all, _, _ := decodeAll(raw, 0, math.MaxInt64, false, aborts...)
	if len(all.records) != 6 || len(all.controls) != 4 {
		t.Errorf("read_uncommitted has %d records and %d control offsets, want 6 and 4", len(all.records), len(all.controls))
	}
}

func TestDamagedBatchesAreNamedAndNeverCrash(t *testing.T) {
	good := rawBatch{base: 5, records: []rawRecord{
		{key: []byte("key"), value: []byte("value"), headers: []format.Header{{Key: "h", Value: []byte("v")}}}, {delta: 1},
	}}.encode()
	for bit := range len(good) * 8 {
		bad := slices.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		got, found, err := decodeAll(bad, 5, math.MaxInt64, true)
		// The base offset, the length and the epoch are in front of what the checksum covers.
		if covered := bit/8 >= 17; covered && !errors.Is(err, ErrCorruptBatch) {
			t.Errorf("bit %d: got %v with %+v", bit, err, got)
		}
		if found.size > len(bad) {
			t.Errorf("bit %d: %d bytes of %d", bit, found.size, len(bad))
		}
	}
}

func TestDamageBehindARightChecksumIsFound(t *testing.T) {
	for what, spoil := range map[string]func([]byte){
		"count":      func(b []byte) { binary.BigEndian.PutUint32(b[57:], 3) },
		"size":       func(b []byte) { b[61] = 100 },
		"no size":    func(b []byte) { b[61] = 0 },
		"key length": func(b []byte) { b[65] = 100 },
		"below -1":   func(b []byte) { b[65] = 3 },
		"codec":      func(b []byte) { b[22] = 4 },
	} {
		b := rawBatch{base: 5, records: []rawRecord{{key: []byte("key"), value: []byte("value")}, {delta: 1}}}.encode()
		spoil(b)
		binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], castagnoli))
		if got, _, err := decodeAll(b, 0, math.MaxInt64, true); !errors.Is(err, ErrCorruptBatch) {
			t.Errorf("%s: got %v with %v", what, err, got.records)
		}
	}
}

func FuzzDecodeNeverCrashes(f *testing.F) {
	f.Add(rawBatch{base: 5, attributes: 16, records: []rawRecord{{key: []byte("key"), headers: []format.Header{{Key: "h"}}}}}.encode())
	f.Add(rawBatch{base: 5, attributes: 48, records: []rawRecord{{key: []byte{0, 0, 0, 0}}}}.encode())
	f.Add(message(1, 3, 77, []byte("key"), []byte("value")))
	f.Add(message(0, 3, 0, nil, []byte("value")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		found, err := scan(raw, 0)
		if err != nil {
			return
		}
		if !found.legacy { // let the mutations through to what the checksum protects
			for at := 0; at < found.size; {
				size := int(int32(binary.BigEndian.Uint32(raw[at+8:]))) + 12
				binary.BigEndian.PutUint32(raw[at+17:], crc32.Checksum(raw[at+21:at+size], castagnoli))
				at += size
			}
		}
		decodeAll(raw, 0, math.MaxInt64, true, kmsg.FetchResponseTopicPartitionAbortedTransaction{})
	})
}

// message is a message of magic 0 or 1.
func message(magic int8, offset, ms int64, key, value []byte) []byte {
	b := []byte{byte(magic), 0}
	if magic == 1 {
		b = binary.BigEndian.AppendUint64(b, uint64(ms))
	}
	for _, payload := range [][]byte{key, value} {
		if payload == nil {
			b = binary.BigEndian.AppendUint32(b, math.MaxUint32)
			continue
		}
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(payload))), payload...)
	}
	b = append(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)), b...)
	b = append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
	return append(binary.BigEndian.AppendUint64(nil, uint64(offset)), b...)
}

func TestOldMessageFormatsAreRead(t *testing.T) {
	raw := slices.Concat(
		message(0, 3, 0, nil, []byte("old")), message(1, 4, 1700000000000000, []byte("k"), nil), message(1, 8, -1, []byte("k"), []byte{}),
		rawBatch{base: 9, epoch: 2, records: []rawRecord{{value: []byte("new")}}}.encode(), message(1, 12, 5, nil, nil),
	)
	got, found, err := decodeAll(raw, 3, 12, true)
	if err != nil || found.next != 13 || !found.legacy {
		t.Fatalf("%+v, %v", found, err)
	}
	wantRecords(t, got, `3@-1/-1 e-1 ""="old" []`, `4@1700000000000000/0 e-1 "k"="" []`, `8@-1/0 e-1 "k"="" []`, `9@0/0 e2 ""="new" []`)
}

func TestMillisecondsThatOverflowAsNanosecondsAreRestored(t *testing.T) {
	values := []int64{0, 1, -1, 1700000000000, 9223372036854, 9223372036855, 1700000000000000, 1<<57 - 1, -1 << 57}
	for shift := range 57 {
		values = append(values, 1<<shift, -1<<shift, 0x0123456789abcdef>>shift&(1<<57-1))
	}
	for _, want := range values {
		if got := exactMillis(time.Unix(0, want*1e6).UnixNano()); got != want {
			t.Errorf("%d became %d", want, got)
		}
	}
}

func TestTimestampsFarInTheFutureComeThroughABroker(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.produceRaw("orders", rawBatch{producer: -1, baseTime: 1700000000000000, maxTime: math.MaxInt64, records: []rawRecord{
		{}, {delta: 1, time: math.MaxInt64 - 1700000000000000},
	}})
	a := newPlace(t)
	a.capture(b, Options{Topics: []string{"orders"}})
	got := a.records("orders", 0)
	if len(got) != 2 || got[0].TimestampMs != 1700000000000000 || got[1].TimestampMs != math.MaxInt64 {
		t.Errorf("got %+v", got)
	}
}

// produceRaw sends a batch that the client would not make.
func (b *broker) produceRaw(topic string, batch rawBatch) {
	b.t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 1000
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic = topic
	if topics, err := b.admin().ListTopics(b.t.Context(), topic); err == nil {
		rt.TopicID = topics[topic].ID
	}
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Records = batch.encode()
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(b.t.Context(), b.client())
	if err != nil || resp.Topics[0].Partitions[0].ErrorCode != 0 {
		b.t.Fatalf("produce: %v, %+v", err, resp)
	}
}
