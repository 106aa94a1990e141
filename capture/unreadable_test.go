package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

// tens are batches of ten records each, from offset 0 on.
func tens(n int) [][]byte {
	var all [][]byte
	for i := range n {
		var records []rawRecord
		for delta := range 10 {
			records = append(records, rawRecord{delta: int64(delta), value: fmt.Appendf(nil, "%d", 10*i+delta)})
		}
		all = append(all, rawBatch{base: int64(10 * i), records: records}.encode())
	}
	return all
}

// serves makes the broker answer with these logs.
func (b *broker) serves(logs map[int32][][]byte) {
	b.onFetch(func(_ int32, req *kmsg.FetchRequest) (kmsg.Response, error) { return served(req, logs), nil })
}

// served is the answer with whole batches from the one that holds the offset asked for.
func served(req *kmsg.FetchRequest, logs map[int32][][]byte) kmsg.Response {
	resp := emptyFrom(req, 0, 50).(*kmsg.FetchResponse)
	for i, topic := range req.Topics {
		for j, p := range topic.Partitions {
			first := min(int(p.FetchOffset/10), 5)
			resp.Topics[i].Partitions[j].RecordBatches = slices.Concat(logs[p.Partition][first:]...)
		}
	}
	return resp
}

// damages are the ways in which a batch cannot be read. Those with a right sum were made so by a producer.
var damages = map[string]func([]byte) []byte{
	"its sum is wrong":           func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
	"its last offset is garbage": func(b []byte) []byte { b[batchLastDelta] ^= 0x40; return b },
	"its size is negative":       func(b []byte) []byte { b[batchLength] = 0x80; return b },
	"its magic is unknown":       func(b []byte) []byte { b[batchMagic] = 9; return b },
	"it does not decompress":     func(b []byte) []byte { b[batchAttributes+1] = 4; return summed(b) },
	"its codec is unknown":       func(b []byte) []byte { b[batchAttributes+1] = 7; return summed(b) },
	"its records are cut short":  func(b []byte) []byte { b[batchHeader] = 0x7f; return summed(b) },
}

// summed gives a batch the right sum.
func summed(b []byte) []byte {
	binary.BigEndian.PutUint32(b[batchCRC:], crc32.Checksum(b[batchAttributes:], castagnoli))
	return b
}

func TestTheOtherPartitionsOfASnapshotAreReadPastABatchThatCannotBeRead(t *testing.T) {
	for name, damage := range damages {
		inBubble(t, func(t *testing.T) {
			b := newVirtualBroker(t, kfake.SeedTopics(6, "orders"))
			logs := map[int32][][]byte{}
			for p := range int32(6) {
				b.fill("orders", p, 50)
				logs[p] = tens(5)
			}
			logs[1][2], logs[4][0] = damage(logs[1][2]), damage(logs[4][0])
			b.serves(logs)
			a := newPlace(t)
			r, err := a.try(t.Context(), b, Options{Topics: []string{"orders"}, Lanes: 2})
			partition, ok := errors.AsType[*PartitionError](err)
			if !ok || !errors.Is(err, ErrCorruptBatch) || partition.Partition.Partition != 1 && partition.Partition.Partition != 4 {
				t.Errorf("%s: got %v, want a PartitionError", name, err)
			}
			if all := strings.Join(append(r.Warnings, err.Error()), "\n"); !strings.Contains(all, "orders-1 at offset 20") && !strings.Contains(all, "orders-1 at offset 0") || !strings.Contains(all, "orders-4 at offset 0") {
				t.Errorf("%s: said is %s, want both partitions named", name, all)
			}
			for _, p := range []int32{0, 2, 3, 5} {
				if got := len(a.records("orders", p)); got != 50 {
					t.Errorf("%s: partition %d has %d records, want 50", name, p, got)
				}
			}
		})
	}
}

func TestWhatCannotBeReadIsSkippedAsAGap(t *testing.T) {
	for name, damage := range damages {
		for _, bad := range []int{0, 2, 4} {
			inBubble(t, func(t *testing.T) {
				b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
				b.fill("orders", 0, 50)
				logs := map[int32][][]byte{0: tens(5)}
				logs[0][bad] = damage(logs[0][bad])
				b.serves(logs)
				a := newPlace(t)
				r := a.capture(b, Options{Topics: []string{"orders"}, SkipCorrupt: true})
				var want []int64
				for i := range int64(50) {
					if i/10 != int64(bad) {
						want = append(want, i)
					}
				}
				if got := offsetsOf(a.records("orders", 0)); !slices.Equal(got, want) {
					t.Errorf("%s, batch %d: records %v, want %v", name, bad, got, want)
				}
				if r.Gaps.Corrupt != 10 || !r.Incomplete() {
					t.Errorf("%s, batch %d: %d offsets are corrupt, incomplete %v; want 10, true", name, bad, r.Gaps.Corrupt, r.Incomplete())
				}
			})
		}
	}
}

func TestABrokerThatSendsOldBatchesAgainIsAskedLessAndLess(t *testing.T) {
	for _, follow := range []bool{false, true} {
		inBubble(t, func(t *testing.T) {
			b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
			b.fill("orders", 0, 50)
			asked := 0
			b.onFetch(func(_ int32, req *kmsg.FetchRequest) (kmsg.Response, error) {
				asked++
				return batches(req, 50, tens(1)[0]), nil
			})
			a := newPlace(t)
			if follow {
				f := a.follow(b, Options{Topics: []string{"orders"}, StopAfter: StopAfter{Duration: defaultStallTimeout}})
				<-f.done
			} else if _, err := a.try(t.Context(), b, Options{Topics: []string{"orders"}}); !errors.Is(err, ErrStalled) {
				t.Errorf("got %v, want %v", err, ErrStalled)
			}
			if asked > 150 {
				t.Errorf("follow %v: asked %d times in %s", follow, asked, defaultStallTimeout)
			}
		})
	}
}

// writers make a batch's payload smaller.
var writers = map[kgo.CompressionCodecType]func(io.Writer) io.WriteCloser{
	kgo.CodecGzip: func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	kgo.CodecLz4:  func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) },
	kgo.CodecZstd: func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z },
	kgo.CodecSnappy: func(w io.Writer) io.WriteCloser {
		w.Write(append(bytes.Clone(xerial), 0, 0, 0, 1, 0, 0, 0, 1))
		return xerialWriter{w}
	},
}

// xerialWriter makes a block of every 32 KiB, as Java's producers do.
type xerialWriter struct{ to io.Writer }

func (w xerialWriter) Write(p []byte) (int, error) {
	for block := range slices.Chunk(p, 32<<10) {
		packed := snappy.Encode(nil, block)
		w.to.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(packed))), packed...))
	}
	return len(p), nil
}

func (w xerialWriter) Close() error { return nil }

// bomb is a batch of n records of size zeros.
func bomb(codec kgo.CompressionCodecType, n, size int) []byte {
	var payload bytes.Buffer
	w := writers[codec](&payload)
	zeros := make([]byte, size)
	for i := range n {
		w.Write(rawRecord{delta: int64(i), value: zeros}.encode())
	}
	w.Close()
	return batchOf(codec, n, payload.Bytes())
}

// batchOf is a batch of n records that are packed already.
func batchOf(codec kgo.CompressionCodecType, n int, packed []byte) []byte {
	batch := kmsg.RecordBatch{Magic: 2, Attributes: int16(codec), LastOffsetDelta: int32(n - 1), ProducerID: -1, NumRecords: int32(n), Records: packed}
	batch.Length = int32(len(batch.AppendTo(nil)) - 12)
	return summed(batch.AppendTo(nil))
}

// counting counts records and lets go of them.
type counting struct{ records, bytes int }

func (c *counting) record(r *format.Record) error { c.records++; c.bytes += len(r.Value); return nil }
func (c *counting) control(int64, int32) error    { return nil }
func (c *counting) lost(int64, int64) error       { return nil }

func TestABatchOfHundredsOfMegabytesIsDecodedRecordByRecord(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, which runs with -short, allocates too")
	}
	for codec := range writers {
		raw := bomb(codec, 300, 1<<20)
		d := decoder{decompressor: newDecompressor(0)}
		got := &counting{}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := d.decode(&kmsg.FetchResponseTopicPartition{RecordBatches: raw}, false, 0, math.MaxInt64, got)
		runtime.ReadMemStats(&after)
		if err != nil || got.records != 300 || got.bytes != 300<<20 {
			t.Errorf("codec %d: %d records of %d bytes, error %v", codec, got.records, got.bytes, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
			t.Errorf("codec %d: %d MiB were allocated for 300 records of 1 MiB", codec, took>>20)
		}
	}
}

func TestARecordThatCannotBeHeldIsNamedWithItsSize(t *testing.T) {
	for codec := range writers {
		raw := bomb(codec, 1, 200<<20)
		_, _, err := decodeAll(raw, 0, math.MaxInt64, false)
		if !errors.Is(err, ErrBatchTooLarge) || !strings.Contains(err.Error(), "at offset 0") || !strings.Contains(err.Error(), "claims 2097152") {
			t.Errorf("codec %d: got %v, want ErrBatchTooLarge with partition, offset and size", codec, err)
		}
		d := decoder{decompressor: newDecompressor(300 << 20)}
		got := &counting{}
		if err := d.decode(&kmsg.FetchResponseTopicPartition{RecordBatches: raw}, false, 0, math.MaxInt64, got); err != nil || got.bytes != 200<<20 {
			t.Errorf("codec %d, with more memory: %d bytes, %v", codec, got.bytes, err)
		}
	}
}

// Producers but Java's make one block of snappy of a whole batch, which is decompressed at once or not at all.
func TestABlockOfSnappyIsTakenWholeOrNamed(t *testing.T) {
	var records []byte
	for i := range 90 {
		records = append(records, rawRecord{delta: int64(i), value: make([]byte, 1<<20)}.encode()...)
	}
	raw := batchOf(kgo.CodecSnappy, 90, snappy.Encode(nil, records))
	d := decoder{decompressor: newDecompressor(0)}
	for range 3 { // what was taken is given back
		got := &counting{}
		if err := d.decode(&kmsg.FetchResponseTopicPartition{RecordBatches: raw}, false, 0, math.MaxInt64, got); err != nil || got.records != 90 || got.bytes != 90<<20 {
			t.Errorf("%d records of %d bytes, error %v", got.records, got.bytes, err)
		}
	}
	d.decompressor = newDecompressor(0)
	d.decompressor.memory = 80 << 20
	err := d.decode(&kmsg.FetchResponseTopicPartition{RecordBatches: raw}, false, 0, math.MaxInt64, &counting{})
	if !errors.Is(err, ErrBatchTooLarge) || !strings.Contains(err.Error(), "at offset 0") || !strings.Contains(err.Error(), "of snappy in a piece") {
		t.Errorf("got %v, want ErrBatchTooLarge with partition, offset and size", err)
	}
}

func TestSnappyThatClaimsMoreThanItCanHoldIsCorrupt(t *testing.T) {
	head := append(bytes.Clone(xerial), 0, 0, 0, 1, 0, 0, 0, 1)
	claim := binary.AppendUvarint(nil, 1<<32-1)
	for name, packed := range map[string][]byte{
		"a block of 4 GiB": append(claim, 0, 1), "Java's block of 4 GiB": slices.Concat(head, []byte{0, 0, 0, 7}, claim, []byte{0, 1}), "a block that is cut": slices.Concat(head, []byte{0, 0, 1, 0}, claim),
		"a length that is cut": append(bytes.Clone(head), 0, 0), "nothing": nil,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := decodeAll(batchOf(kgo.CodecSnappy, 1, packed), 0, math.MaxInt64, false)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrCorruptBatch) || after.TotalAlloc-before.TotalAlloc > 16<<20 {
			t.Errorf("%s: got %v with %d bytes allocated, want ErrCorruptBatch", name, err, after.TotalAlloc-before.TotalAlloc)
		}
	}
}

func TestAClaimIsNotBelievedBeforeTheBytesAreThere(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector, which runs with -short, allocates too")
	}
	var payload bytes.Buffer
	w := gzip.NewWriter(&payload)
	w.Write(rawRecord{value: make([]byte, 10<<20)}.encode()) // makes it a large batch
	w.Write(binary.AppendVarint(nil, 100<<20))
	w.Close()
	batch := kmsg.RecordBatch{Magic: 2, Attributes: 1, LastOffsetDelta: 1, ProducerID: -1, NumRecords: 2, Records: payload.Bytes()}
	batch.Length = int32(len(batch.AppendTo(nil)) - 12)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d := decoder{decompressor: newDecompressor(0)}
	err := d.decode(&kmsg.FetchResponseTopicPartition{RecordBatches: summed(batch.AppendTo(nil))}, false, 0, math.MaxInt64, &counting{})
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrCorruptBatch) || after.TotalAlloc-before.TotalAlloc > 90<<20 {
		t.Errorf("got %v with %d MiB allocated, want ErrCorruptBatch and less than was claimed", err, (after.TotalAlloc-before.TotalAlloc)>>20)
	}
}

// KAFKA-3160: the header checksum covers the magic. Only Kafka's own clients read such frames.
func TestLz4OfMessageFormat0IsRead(t *testing.T) {
	raw, err := os.ReadFile("testdata/v0-lz4-segment.log")
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := decodeAll(raw, 0, math.MaxInt64, false)
	if err != nil || len(got.records) < 5 || !strings.HasPrefix(got.records[0], `0@-1/-1 e-1 "k0"="v0-0-x`) {
		t.Errorf("got %d records, error %v; the first %v", len(got.records), err, got.records[:min(1, len(got.records))])
	}
	for i, r := range got.records {
		if !strings.HasPrefix(r, fmt.Sprintf("%d@", i)) {
			t.Errorf("record %d is %.40s", i, r)
		}
	}
}
