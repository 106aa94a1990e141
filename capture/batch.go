package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

// Record batches, magic 2, are decoded here and not by the client, straight into format.Record: the client's records cost an
// allocation for every header list and lose timestamps beyond the year 2262, and it keeps to itself how far a batch reached that
// holds no record. The layout is that of Kafka's documentation, "Message Format"; integers are big-endian.
const (
	batchBaseOffset = 0  // int64
	batchLength     = 8  // int32, of what follows
	batchEpoch      = 12 // int32, partition leader epoch
	batchMagic      = 16 // int8
	batchCRC        = 17 // uint32, Castagnoli, of what follows
	batchAttributes = 21 // int16
	batchLastDelta  = 23 // int32, last offset minus base offset
	batchBaseTime   = 27 // int64
	batchMaxTime    = 35 // int64
	batchProducer   = 43 // int64, producer id
	batchCount      = 57 // int32
	batchHeader     = 61 // size of all of the above

	logOverhead = 12 // base offset and length, in front of every magic
)

// The bits of a batch's attributes.
const (
	attrCompression   = 0x07
	attrLogAppendTime = 1 << 3
	attrTransactional = 1 << 4
	attrControl       = 1 << 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// span is what scan found in the bytes of a fetch response.
type span struct {
	size   int   // bytes of whole batches: a response may end in a part of one
	next   int64 // first offset after them
	epoch  int32 // leader epoch of the last one
	legacy bool  // some are message sets of magic 0 or 1
}

// scan walks the headers of b, which was fetched from offset at, without decoding anything.
func scan(b []byte, at int64) (span, error) {
	s := span{next: at, epoch: format.NoLeaderEpoch}
	for rest := b; len(rest) > batchMagic; rest = b[s.size:] {
		size := int(int32(binary.BigEndian.Uint32(rest[batchLength:]))) + logOverhead
		if size <= batchMagic {
			return s, fmt.Errorf("%w: its size is %d", ErrCorruptBatch, size)
		}
		if size > len(rest) {
			break
		}
		last := int64(binary.BigEndian.Uint64(rest))
		if magic := rest[batchMagic]; magic < 2 {
			s.legacy = true
		} else if magic > 2 || size < batchHeader {
			return s, fmt.Errorf("%w: magic %d, size %d", ErrCorruptBatch, magic, size)
		} else {
			last += int64(int32(binary.BigEndian.Uint32(rest[batchLastDelta:])))
			s.epoch = int32(binary.BigEndian.Uint32(rest[batchEpoch:]))
		}
		s.size += size
		s.next = max(s.next, last+1)
	}
	return s, nil
}

// sink takes what a decoder finds, in offset order. A record's memory is the decoder's and is used again after the call.
type sink interface {
	record(r *format.Record) error
	control(offset int64, epoch int32) error
	lost(from, until int64) error // offsets that cannot be read, but for those that were given before
}

// decoder decodes record batches for one lane. It is for one goroutine.
type decoder struct {
	tp           format.TopicPartition
	committed    bool // leave out what was aborted
	skipCorrupt  bool // give batches that cannot be read to sink.lost
	decompressor *decompressor

	from, until int64 // offsets outside are left out
	aborted     map[int64][]int64
	codec       kgo.CompressionCodecType // of the batch that is being decoded
	rec         format.Record
	headers     []format.Header
}

// decode gives sink the records and control offsets in [from, until) of a partition's part of a fetch response.
func (d *decoder) decode(p *kmsg.FetchResponseTopicPartition, legacy bool, from, until int64, out sink) error {
	d.from, d.until = from, until
	defer d.forget()
	if legacy {
		return d.decodeLegacy(p, out)
	}
	if d.committed {
		d.aborted = abortedTransactions(p.AbortedTransactions)
	}
	for b := p.RecordBatches; len(b) > 0; {
		size := int(binary.BigEndian.Uint32(b[batchLength:])) + logOverhead
		if err := d.batch(b[:size], out); err != nil {
			if !d.skipCorrupt || !isUnreadable(err) {
				return err
			}
			base := int64(binary.BigEndian.Uint64(b))
			if err := out.lost(base, base+int64(int32(binary.BigEndian.Uint32(b[batchLastDelta:])))+1); err != nil {
				return err
			}
		}
		b = b[size:]
	}
	return nil
}

// forget lets go of the response: a lane that is idle would keep all of it in memory.
func (d *decoder) forget() {
	d.rec, d.aborted = format.Record{}, nil
	clear(d.headers[:cap(d.headers)])
}

// abortedTransactions are the first offsets of aborted transactions by producer id, ascending.
func abortedTransactions(list []kmsg.FetchResponseTopicPartitionAbortedTransaction) map[int64][]int64 {
	if len(list) == 0 {
		return nil
	}
	aborted := map[int64][]int64{}
	for _, t := range list {
		aborted[t.ProducerID] = append(aborted[t.ProducerID], t.FirstOffset)
	}
	for _, first := range aborted {
		slices.Sort(first)
	}
	return aborted
}

func (d *decoder) batch(b []byte, out sink) error {
	base := int64(binary.BigEndian.Uint64(b))
	last := base + int64(int32(binary.BigEndian.Uint32(b[batchLastDelta:])))
	if got, want := crc32.Checksum(b[batchAttributes:], castagnoli), binary.BigEndian.Uint32(b[batchCRC:]); got != want {
		return d.corrupt(base, "its CRC is %08x, it says %08x", got, want)
	}
	attributes := binary.BigEndian.Uint16(b[batchAttributes:])
	producer := int64(binary.BigEndian.Uint64(b[batchProducer:]))
	control := attributes&attrControl != 0
	drop := false
	if first := d.aborted[producer]; len(first) > 0 && attributes&attrTransactional != 0 && base >= first[0] {
		drop = !control
		if control && isAbortMarker(b[batchHeader:]) {
			d.aborted[producer] = first[1:]
		}
	}
	if drop || last < d.from || base >= d.until {
		return nil
	}
	d.codec = kgo.CompressionCodecType(attributes & attrCompression)
	payload, err := d.decompressor.open(b[batchHeader:], attributes&attrCompression)
	if err != nil {
		return d.unreadable(base, err)
	}
	defer payload.release()
	return d.records(b, payload, attributes, out)
}

// isAbortMarker looks into a control batch: its record's key is a version and a type, both int16, and type 0 means abort.
func isAbortMarker(payload []byte) bool {
	r := reader{rest: payload}
	body := r.record()
	body.varint() // timestamp delta
	body.varint() // offset delta
	key := body.bytes()
	return !body.bad && len(key) >= 4 && key[2] == 0 && key[3] == 0
}

// records walks the records of a batch. The count is not trusted: every record takes bytes of the payload, which bounds the loop.
func (d *decoder) records(b []byte, payload *payload, attributes uint16, out sink) error {
	base := int64(binary.BigEndian.Uint64(b))
	count := int32(binary.BigEndian.Uint32(b[batchCount:]))
	baseTime := int64(binary.BigEndian.Uint64(b[batchBaseTime:]))
	logTime := attributes&attrLogAppendTime != 0
	rec := &d.rec
	rec.LeaderEpoch = int32(binary.BigEndian.Uint32(b[batchEpoch:]))
	rec.TimestampType = format.TimestampCreate
	if logTime {
		rec.TimestampType = format.TimestampLogAppend
		rec.TimestampMs = int64(binary.BigEndian.Uint64(b[batchMaxTime:]))
	}
	for i := range count {
		body, err := payload.next()
		if err != nil {
			return d.unreadable(base, err)
		}
		if delta := body.varint(); !logTime {
			rec.TimestampMs = baseTime + delta
		}
		rec.Offset = base + body.varint()
		if body.bad {
			return d.corrupt(base, "record %d of %d is cut short", i, count)
		}
		if rec.Offset < d.from {
			continue
		}
		if rec.Offset >= d.until {
			return nil
		}
		if attributes&attrControl != 0 {
			if err := out.control(rec.Offset, rec.LeaderEpoch); err != nil {
				return err
			}
			continue
		}
		if !d.payload(&body) {
			return d.corrupt(base, "record %d of %d is cut short", i, count)
		}
		if err := out.record(rec); err != nil {
			return err
		}
	}
	return nil
}

// payload reads key, value and headers into d.rec.
func (d *decoder) payload(r *reader) bool {
	d.rec.Key = r.bytes()
	d.rec.Value = r.bytes()
	d.headers = d.headers[:0]
	for range r.varint() {
		key := r.bytes()
		value := r.bytes()
		if r.bad || key == nil {
			return false
		}
		// The bytes outlive the call that the string is for, and nobody writes to them meanwhile.
		d.headers = append(d.headers, format.Header{Key: unsafe.String(unsafe.SliceData(key), len(key)), Value: value})
	}
	d.rec.Headers = d.headers
	return !r.bad
}

// unreadable is an error of decompressing a batch.
func (d *decoder) unreadable(offset int64, err error) error {
	if errors.Is(err, ErrBatchTooLarge) {
		return &PartitionError{d.tp, offset, err}
	}
	return d.corrupt(offset, "%v", err)
}

func (d *decoder) corrupt(offset int64, why string, args ...any) error {
	return &PartitionError{d.tp, offset, fmt.Errorf("%w: %s", ErrCorruptBatch, fmt.Sprintf(why, args...))}
}

// reader reads the fields of records. Once bad, it stays bad and returns zeros.
type reader struct {
	rest []byte
	bad  bool
}

// record cuts off the next record and reads over its attributes, which Kafka does not use.
func (r *reader) record() reader {
	n := r.varint()
	if n < 1 || n > int64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return reader{bad: true}
	}
	body := reader{rest: r.rest[1:n]}
	r.rest = r.rest[n:]
	return body
}

// varint reads a zigzag number of up to 64 bits.
func (r *reader) varint() int64 {
	if len(r.rest) > 0 && r.rest[0] < 0x80 {
		v := r.rest[0]
		r.rest = r.rest[1:]
		return int64(v>>1) ^ -int64(v&1)
	}
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// bytes reads a length and that many bytes; length -1 is nil, and 0 is not.
func (r *reader) bytes() []byte {
	n := r.varint()
	if n == -1 {
		return nil
	}
	if n < 0 || n > int64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// decodeLegacy decodes message sets of magic 0 and 1, which old topics may still hold, with the client's own decoder.
func (d *decoder) decodeLegacy(p *kmsg.FetchResponseTopicPartition, out sink) error {
	isolation := kgo.ReadUncommitted()
	if d.committed {
		isolation = kgo.ReadCommitted()
	}
	fetched, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true, Offset: d.from, IsolationLevel: isolation, Topic: d.tp.Topic, Partition: d.tp.Partition,
	}, p, legacyDecompressor{d.decompressor}, nil)
	if fetched.Err != nil {
		return d.unreadable(d.from, fetched.Err)
	}
	for _, r := range fetched.Records {
		if r.Offset >= d.until {
			return nil
		}
		if err := d.legacyRecord(r, out); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) legacyRecord(r *kgo.Record, out sink) error {
	if r.Attrs.IsControl() {
		return out.control(r.Offset, r.LeaderEpoch)
	}
	d.codec = kgo.CompressionCodecType(r.Attrs.CompressionType())
	d.rec = format.Record{
		Offset: r.Offset, LeaderEpoch: r.LeaderEpoch, Key: r.Key, Value: r.Value,
		TimestampType: format.TimestampType(r.Attrs.TimestampType()), TimestampMs: format.NoTimestamp,
	}
	if d.rec.TimestampType != format.TimestampNone {
		d.rec.TimestampMs = exactMillis(r.Timestamp.UnixNano())
	}
	d.headers = d.headers[:0]
	for _, h := range r.Headers {
		d.headers = append(d.headers, format.Header{Key: h.Key, Value: h.Value})
	}
	d.rec.Headers = d.headers
	return out.record(&d.rec)
}

// exactMillis undoes the client's conversion of milliseconds to nanoseconds, which overflows past the year 2262. The product with 1e6,
// which is 15625 * 2^6, modulo 2^64 holds ms * 15625 modulo 2^58, and 15625 is odd and has an inverse there. So it is exact for
// all |ms| < 2^57, over four million years.
func exactMillis(ns int64) int64 {
	const inverse = 0x790fb65668c26139 // of 15625, modulo 2^64
	return int64(uint64(ns)>>6*inverse<<6) >> 6
}
