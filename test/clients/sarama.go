package main

import (
	"context"
	"errors"
	"time"

	"github.com/IBM/sarama"
)

// saramaLibrary reads from a broker with sarama.
type saramaLibrary struct{ broker string }

func (l saramaLibrary) config(committed bool) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Consumer.Return.Errors = true
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Enable = false
	if committed {
		c.Consumer.IsolationLevel = sarama.ReadCommitted
	}
	return c
}

func (l saramaLibrary) read(ctx context.Context, topic string, partition int, committed bool, each printer) error {
	consumer, err := sarama.NewConsumer([]string{l.broker}, l.config(committed))
	if err != nil {
		return err
	}
	defer consumer.Close()
	p, err := consumer.ConsumePartition(topic, int32(partition), sarama.OffsetOldest)
	if err != nil {
		return err
	}
	defer p.AsyncClose()
	for {
		select {
		case m := <-p.Messages():
			if _, more := each(ofSarama(m)); !more {
				return nil
			}
		case err := <-p.Errors():
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func ofSarama(m *sarama.ConsumerMessage) message {
	out := message{int(m.Partition), m.Offset, m.Timestamp, m.Key, m.Value, nil}
	for _, h := range m.Headers {
		out.headers = append(out.headers, header{string(h.Key), h.Value})
	}
	return out
}

func (l saramaLibrary) group(ctx context.Context, topic, name string, each printer) error {
	g, err := sarama.NewConsumerGroup([]string{l.broker}, name, l.config(true))
	if err != nil {
		return err
	}
	defer g.Close()
	enough, done := context.WithCancel(ctx)
	defer done()
	if err := g.Consume(enough, []string{topic}, &member{each: each, done: done}); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// member consumes what it is given of a group.
type member struct {
	each printer
	done func()
}

// Setup implements sarama.ConsumerGroupHandler.
func (*member) Setup(sarama.ConsumerGroupSession) error { return nil }

// Cleanup implements sarama.ConsumerGroupHandler.
func (*member) Cleanup(s sarama.ConsumerGroupSession) error {
	s.Commit()
	return nil
}

// ConsumeClaim implements sarama.ConsumerGroupHandler. It marks what was printed and nothing else.
func (m *member) ConsumeClaim(s sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case <-s.Context().Done():
			return nil
		case one, ok := <-claim.Messages():
			if !ok || s.Context().Err() != nil {
				return nil
			}
			taken, more := m.each(ofSarama(one))
			if taken {
				s.MarkMessage(one, "")
			}
			if !more {
				m.done()
				return nil
			}
		}
	}
}

func (l saramaLibrary) since(_ context.Context, topic string, partition int, at time.Time) (int64, error) {
	c, err := sarama.NewClient([]string{l.broker}, l.config(true))
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.GetOffset(topic, int32(partition), at.UnixMilli())
}
