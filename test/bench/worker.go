//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
)

// worker is one floor, in a process of its own. It prints what its interesting part took.
func worker(ctx context.Context, args []string, stdout io.Writer) error {
	run, ok := map[string]func(context.Context, []string) (usage, error){
		"consume": consume, "zstd": compressAlone, "unzstd": decompressAlone, "produce": produceAlone, "window": readWindow,
	}[args[0]]
	if !ok {
		return fmt.Errorf("no worker %s", args[0])
	}
	u, err := run(ctx, args[1:])
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return json.NewEncoder(stdout).Encode(u)
}

// stopwatch measures a part of this process.
type stopwatch struct {
	begin time.Time
	cpu   time.Duration
}

func startWatch() stopwatch { return stopwatch{time.Now(), cpuTime()} }

func (w stopwatch) stop() usage {
	return usage{Wall: time.Since(w.begin).Seconds(), CPU: (cpuTime() - w.cpu).Seconds()}
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// consume reads a topic to its end with the client's own consumer and its default options, and writes nothing. Arguments: broker, topic.
func consume(ctx context.Context, args []string) (usage, error) {
	watch := startWatch()
	client, err := kgo.NewClient(kgo.SeedBrokers(args[0]))
	if err != nil {
		return usage{}, err
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, args[1])
	if err != nil {
		return usage{}, err
	}
	var left int64
	from := map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) {
		left += o.Offset
		from[o.Partition] = kgo.NewOffset().At(0)
	})
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{args[1]: from})
	var n, bytes int64
	for n < left {
		fetches := client.PollFetches(ctx)
		if err := errors.Join(fetchErrors(fetches)...); err != nil {
			return usage{}, err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			n++
			bytes += int64(len(r.Key) + len(r.Value))
		})
	}
	u := watch.stop()
	u.Records, u.Bytes = n, bytes
	return u, nil
}

func fetchErrors(f kgo.Fetches) (errs []error) {
	for _, e := range f.Errors() {
		errs = append(errs, e.Err)
	}
	return errs
}

// blockBytes is what the zstd floors compress at once.
const blockBytes = 1 << 20

// compressAlone compresses the canonical bytes of a dataset in row order, block by block, on one core. Arguments: dataset, share, level.
func compressAlone(_ context.Context, args []string) (usage, error) {
	_, u, err := compressBlocks(args)
	return u, err
}

func compressBlocks(args []string) (blocks [][]byte, u usage, err error) {
	d, err := pick(args)
	if err != nil {
		return nil, u, err
	}
	level, err := strconv.Atoi(args[2])
	if err != nil {
		return nil, u, err
	}
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, u, err
	}
	var block []byte
	flush := func() {
		watch := startWatch()
		out := e.EncodeAll(block, nil)
		took := watch.stop()
		u.Wall, u.CPU, u.Bytes, u.Out = u.Wall+took.Wall, u.CPU+took.CPU, u.Bytes+int64(len(block)), u.Out+int64(len(out))
		blocks = append(blocks, out)
		block = block[:0]
	}
	err = d.each(func(_ int, r *format.Record) error {
		if block = format.AppendCanonical(block, r); len(block) >= blockBytes {
			flush()
		}
		u.Records++
		return nil
	})
	flush()
	return blocks, u, err
}

// decompressAlone decompresses what compressAlone made. Arguments: dataset, share, level.
func decompressAlone(_ context.Context, args []string) (usage, error) {
	blocks, made, err := compressBlocks(args)
	if err != nil {
		return usage{}, err
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return usage{}, err
	}
	buf := make([]byte, 0, 2*blockBytes)
	watch := startWatch()
	for _, b := range blocks {
		if _, err := d.DecodeAll(b, buf); err != nil {
			return usage{}, err
		}
	}
	u := watch.stop()
	u.Records, u.Bytes = made.Records, made.Bytes
	return u, nil
}

func pick(args []string) (dataset, error) {
	d, ok := datasets[args[0]]
	if !ok {
		return d, fmt.Errorf("no dataset %s", args[0])
	}
	share, err := strconv.ParseFloat(args[1], 64)
	return d.scaled(share), err
}

// produceAlone sends a dataset that is in memory with the client options of a replay. Arguments: broker, topic, partitions, dataset,
// share, codec.
func produceAlone(ctx context.Context, args []string) (usage, error) {
	partitions, err := strconv.Atoi(args[2])
	if err != nil {
		return usage{}, err
	}
	d, err := pick(args[3:])
	if err != nil {
		return usage{}, err
	}
	codec := kgo.NoCompression()
	if args[5] == "zstd" {
		codec = kgo.ZstdCompression()
	}
	var records []kgo.Record
	var bytes int64
	err = d.each(func(i int, r *format.Record) error {
		k := kgo.Record{Topic: args[1], Partition: int32(i % partitions), Key: r.Key, Value: r.Value, Timestamp: r.Time()}
		for _, h := range r.Headers {
			k.Headers = append(k.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		records = append(records, k)
		bytes += format.CanonicalSize(r)
		return nil
	})
	if err != nil {
		return usage{}, err
	}
	watch := startWatch()
	if err := send(ctx, args[0], records, codec); err != nil {
		return usage{}, err
	}
	u := watch.stop()
	u.Records, u.Bytes = int64(len(records)), bytes
	return u, nil
}

// inFlightBytes bounds what produceAlone has in the client, as a replay does.
const inFlightBytes = 64 << 20

func send(ctx context.Context, broker string, records []kgo.Record, codec kgo.CompressionCodec) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(codec),
		kgo.MaxBufferedRecords(math.MaxInt), kgo.MaxBufferedBytes(inFlightBytes), kgo.RecordDeliveryTimeout(0))
	if err != nil {
		return err
	}
	defer client.Close()
	var failed atomic.Pointer[error]
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			failed.CompareAndSwap(nil, &err)
		}
	}
	for i := range records {
		client.Produce(ctx, &records[i], promise)
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// readWindow walks one hundredth of the time of an archive and counts the bytes that are read for it. Arguments: archive.
func readWindow(_ context.Context, args []string) (usage, error) {
	fsys, err := format.DirFS(args[0])
	if err != nil {
		return usage{}, err
	}
	counting := &countingFS{FS: fsys}
	watch := startWatch()
	archive, err := format.Open(counting)
	if err != nil {
		return usage{}, err
	}
	defer archive.Close()
	u, err := walkWindow(archive)
	if err != nil {
		return usage{}, err
	}
	took := watch.stop()
	u.Wall, u.CPU, u.Out = took.Wall, took.CPU, counting.read.Load()
	return u, nil
}

func walkWindow(archive *format.Archive) (u usage, err error) {
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	for _, tp := range archive.Partitions() {
		c, err := archive.Coverage(tp)
		if err != nil {
			return u, err
		}
		low, high = min(low, c.MinTimestampMs), max(high, c.MaxTimestampMs)
	}
	from := low + (high-low)/2
	until := from + (high-low)/100
	for _, tp := range archive.Partitions() {
		cursor := archive.Cursor(tp, format.Window{FromMs: &from, UntilMs: &until})
		for {
			records, err := cursor.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return u, err
			}
			u.Records += int64(len(records))
			for i := range records {
				u.Bytes += format.CanonicalSize(&records[i])
			}
		}
	}
	return u, nil
}

// countingFS counts the bytes read from files.
type countingFS struct {
	format.FS
	read atomic.Int64
}

func (c *countingFS) Open(name string) (format.File, error) {
	f, err := c.FS.Open(name)
	return &countingFile{f, c}, err
}

type countingFile struct {
	format.File
	fs *countingFS
}

func (f *countingFile) Read(b []byte) (int, error) {
	n, err := f.File.Read(b)
	f.fs.read.Add(int64(n))
	return n, err
}

func (f *countingFile) ReadAt(b []byte, at int64) (int, error) {
	n, err := f.File.ReadAt(b, at)
	f.fs.read.Add(int64(n))
	return n, err
}

func isWorker(args []string) bool { return len(args) > 2 && args[1] == "worker" }

func runAsWorker() {
	if err := worker(context.Background(), os.Args[2:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench worker:", strings.TrimSpace(err.Error()))
		os.Exit(1)
	}
}
