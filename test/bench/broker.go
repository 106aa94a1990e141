//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/kafkatest"
)

// broker is what the bench measures against.
type broker struct {
	address string
	kafka   *kafkatest.Broker // nil: the embedded one
	stop    func()
}

func startBroker(ctx context.Context, dir string, embedded bool) (*broker, error) {
	if embedded {
		c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID("bench"))
		if err != nil {
			return nil, err
		}
		return &broker{c.ListenAddrs()[0], nil, c.Close}, nil
	}
	k, err := kafkatest.Run(ctx, filepath.Join(dir, "kafka"), kafkatest.Options{HeapMB: 1024})
	if err != nil {
		return nil, err
	}
	return &broker{k.Brokers()[0], k, k.Stop}, nil
}

// topic is a dataset in Kafka.
type topic struct {
	data       dataset
	partitions int
	codec      string // of its batches, one of codecs
}

func (t topic) name() string {
	return fmt.Sprintf("%s-%d-%s", t.data.name, t.partitions, t.codec)
}

// create makes a topic that keeps its records whatever their timestamps, and returns when all of its partitions have a leader.
func (b *broker) create(ctx context.Context, name string, partitions int) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.address))
	if err != nil {
		return err
	}
	defer client.Close()
	configs := map[string]*string{"retention.ms": kadm.StringPtr("-1"), "message.timestamp.before.max.ms": kadm.StringPtr(strconv.Itoa(math.MaxInt64))}
	if _, err = kadm.NewClient(client).CreateTopic(ctx, int32(partitions), 1, configs, name); err != nil {
		return err
	}
	return b.awaitLeaders(ctx, name, partitions)
}

func (b *broker) awaitLeaders(ctx context.Context, name string, partitions int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for {
		led, err := b.leaders(ctx, name)
		if err == nil && led == partitions {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d partitions of %s have a leader: %w", led, partitions, name, context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// leaders counts the partitions that have a leader. It asks with a new client, because clients cache such things.
func (b *broker) leaders(ctx context.Context, name string) (n int, err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.address))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	meta, err := kadm.NewClient(client).Metadata(ctx, name)
	if err != nil {
		return 0, err
	}
	for _, p := range meta.Topics[name].Partitions {
		if p.Err == nil && p.Leader >= 0 {
			n++
		}
	}
	return n, nil
}

func (b *broker) drop(ctx context.Context, names ...string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.address))
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = kadm.NewClient(client).DeleteTopics(ctx, names...)
	return err
}

// fill makes a topic and puts its dataset into it, record by record to the partitions in turn.
func (b *broker) fill(ctx context.Context, t topic) error {
	if err := b.create(ctx, t.name(), t.partitions); err != nil {
		return fmt.Errorf("create %s: %w", t.name(), err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(b.address), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(codecs[t.codec]),
		kgo.MaxBufferedRecords(math.MaxInt), kgo.MaxBufferedBytes(inFlightBytes), kgo.RecordDeliveryTimeout(0), kgo.ProducerLinger(20*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	var failed atomic.Pointer[error]
	err = t.data.each(func(i int, r *format.Record) error {
		k := &kgo.Record{Topic: t.name(), Partition: int32(i % t.partitions), Key: r.Key, Value: r.Value, Timestamp: r.Time()}
		for _, h := range r.Headers {
			k.Headers = append(k.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		client.Produce(ctx, k, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		})
		return ctx.Err()
	})
	if err == nil {
		err = client.Flush(ctx)
	}
	if p := failed.Load(); err == nil && p != nil {
		err = *p
	}
	if err != nil {
		return fmt.Errorf("fill %s: %w", t.name(), err)
	}
	return nil
}

// tool runs one of Kafka's own programs and measures its wall time, start of the Java machine included.
func (b *broker) tool(ctx context.Context, class string, args ...string) (usage, error) {
	begin := time.Now()
	err := b.kafka.Tool(ctx, io.Discard, class, args...)
	return usage{Wall: time.Since(begin).Seconds()}, err
}
