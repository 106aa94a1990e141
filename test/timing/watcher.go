package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// watcher consumes a topic while a replay fills it, and notes when records come.
type watcher struct {
	client *kgo.Client
	cancel context.CancelFunc
	done   chan struct{}
	got    arrivals
	err    error
}

// arrival is a record that was consumed.
type arrival struct {
	sent time.Time // its timestamp: when it was given to the producer, whole milliseconds
	at   time.Time // when the consumer had it
}

type arrivals []arrival

// start consumes until n records came.
func (w *watcher) start(ctx context.Context, address, topic string, n int) error {
	from := map[int32]kgo.Offset{}
	for p := range int32(partitions) {
		from[p] = kgo.NewOffset().At(0)
	}
	var err error
	w.client, err = kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return err
	}
	ctx, w.cancel = context.WithCancel(ctx)
	w.done, w.got = make(chan struct{}), make(arrivals, 0, n)
	go func() {
		defer close(w.done)
		for len(w.got) < n && w.err == nil {
			w.err = w.poll(ctx)
		}
	}()
	return nil
}

func (w *watcher) poll(ctx context.Context) error {
	fetches := w.client.PollFetches(ctx)
	now := time.Now()
	fetches.EachRecord(func(r *kgo.Record) { w.got = append(w.got, arrival{r.Timestamp, now}) })
	return fetches.Err()
}

// wait returns what came. The rest of it has half a minute.
func (w *watcher) wait() (arrivals, error) {
	select {
	case <-w.done:
		return w.got, w.err
	case <-time.After(30 * time.Second):
		w.cancel()
		<-w.done
		return nil, fmt.Errorf("only %d records came", len(w.got))
	}
}

func (w *watcher) stop() {
	w.cancel()
	<-w.done
	w.client.Close()
}

// since are the times from a start at which records came.
func (a arrivals) since(start time.Time) []time.Duration {
	out := make([]time.Duration, len(a))
	for i := range a {
		out[i] = a[i].at.Sub(start)
	}
	return out
}

// sent are the times from a start at which records were sent.
func (a arrivals) sent(start time.Time) []time.Duration {
	out := make([]time.Duration, len(a))
	for i := range a {
		out[i] = a[i].sent.Sub(start)
	}
	return out
}
