package main

import (
	"context"
	"time"

	"github.com/segmentio/kafka-go"
)

// kafkaGoLibrary reads from a broker with kafka-go.
type kafkaGoLibrary struct{ broker string }

const (
	fetchBytes = 32 << 20               // enough for the largest record of the tests
	fetchWait  = 100 * time.Millisecond // a reader that is closed waits for its last fetch
)

func (l kafkaGoLibrary) reader(topic string, committed bool) kafka.ReaderConfig {
	c := kafka.ReaderConfig{Brokers: []string{l.broker}, Topic: topic, MinBytes: 1, MaxBytes: fetchBytes, MaxWait: fetchWait, StartOffset: kafka.FirstOffset}
	if committed {
		c.IsolationLevel = kafka.ReadCommitted
	}
	return c
}

func (l kafkaGoLibrary) read(ctx context.Context, topic string, partition int, committed bool, each printer) error {
	c := l.reader(topic, committed)
	c.Partition = partition
	r := kafka.NewReader(c)
	defer r.Close()
	if err := r.SetOffset(kafka.FirstOffset); err != nil {
		return err
	}
	for {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return err
		}
		if _, more := each(ofKafkaGo(m)); !more {
			return nil
		}
	}
}

func ofKafkaGo(m kafka.Message) message {
	out := message{m.Partition, m.Offset, m.Time, m.Key, m.Value, nil}
	for _, h := range m.Headers {
		out.headers = append(out.headers, header{h.Key, h.Value})
	}
	return out
}

func (l kafkaGoLibrary) group(ctx context.Context, topic, name string, each printer) error {
	c := l.reader(topic, true)
	c.GroupID = name
	r := kafka.NewReader(c)
	defer r.Close()
	for {
		m, err := r.FetchMessage(ctx)
		if err != nil {
			return err
		}
		_, more := each(ofKafkaGo(m))
		if err := r.CommitMessages(ctx, m); err != nil {
			return err
		}
		if !more {
			return nil
		}
	}
}

func (l kafkaGoLibrary) since(ctx context.Context, topic string, partition int, at time.Time) (int64, error) {
	c := l.reader(topic, true)
	c.Partition = partition
	r := kafka.NewReader(c)
	defer r.Close()
	if err := r.SetOffsetAt(ctx, at); err != nil {
		return 0, err
	}
	return r.Offset(), nil
}
