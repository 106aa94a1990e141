//go:build unix

package main

import (
	"context"
	"errors"
	"math"
	"strconv"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
)

// consume reads a topic to its end with the client's own consumer and its default options, and writes nothing. Arguments: broker, topic, and, of
// several that share the partitions, its number and how many they are.
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
	takes, err := sharing(args[2:])
	if err != nil {
		return usage{}, err
	}
	var left int64
	from := map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) {
		if !takes(o.Partition) {
			return
		}
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

// sharing says which partitions one of several workers takes: every n-th. Without arguments it is alone.
func sharing(args []string) (takes func(partition int32) bool, err error) {
	if len(args) == 0 {
		return func(int32) bool { return true }, nil
	}
	i, err := strconv.Atoi(args[0])
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(args[1])
	return func(partition int32) bool { return int(partition)%n == i }, err
}

// firstRecord returns when it has read a record of a topic.
func firstRecord(ctx context.Context, broker, topic string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer client.Close()
	return client.PollRecords(ctx, 1).Err()
}

func fetchErrors(f kgo.Fetches) (errs []error) {
	for _, e := range f.Errors() {
		errs = append(errs, e.Err)
	}
	return errs
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
	codec := codecs[args[5]]
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

// codecs are those of batches, with the levels of a replay.
var codecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression().WithLevel(int(zstd.SpeedFastest)),
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
