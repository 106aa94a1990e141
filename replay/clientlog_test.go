package replay

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// heard is what a refusalLogger tells.
type heard struct {
	mu      sync.Mutex
	refused []error
	renewed int
}

// listeningClient is a producer to a cluster, its logger, and what that tells.
func listeningClient(t *testing.T, o ...kgo.Opt) (*kfake.Cluster, *kgo.Client, *refusalLogger, *heard) {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	h := &heard{}
	l := &refusalLogger{
		refused: func(topic string, partition int32, err error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			if topic == "orders" && partition == 0 {
				h.refused = append(h.refused, err)
			}
		},
		renewed: func() { h.renewed++ },
	}
	o = append(o, kgo.SeedBrokers(fake.ListenAddrs()...), kgo.WithLogger(l), kgo.DefaultProduceTopic("orders"), kgo.MetadataMinAge(20*time.Millisecond))
	client, err := kgo.NewClient(o...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return fake, client, l, h
}

// hearsFirst sends a record, and wants why it was given up to be heard before the record is told.
func (h *heard) hearsFirst(t *testing.T, client *kgo.Client, want error, message string) {
	t.Helper()
	told := make(chan []error, 1)
	client.Produce(t.Context(), &kgo.Record{Value: []byte("v")}, func(*kgo.Record, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		told <- h.refused
	})
	if got := <-told; len(got) != 1 || !errors.Is(got[0], want) {
		t.Errorf("heard %v before the record was told, want %v: is %q still the client's message?", got, want, message)
	}
}

// The messages of the client are no part of what it promises. These tests are where a new version that words them otherwise is noticed.

func TestTheClientSaysThatItHasAProducerID(t *testing.T) {
	_, client, _, h := listeningClient(t)
	if _, _, err := client.ProducerID(t.Context()); err != nil || h.renewed != 1 {
		t.Errorf("heard of it %d times, error %v; want once: is %q still the client's message?", h.renewed, err, renewedMessage)
	}
}

func TestTheClientSaysThatItGivesABatchUpBeforeItsRecordsAreTold(t *testing.T) {
	fake, client, _, h := listeningClient(t)
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders", Err: kerr.MessageTooLarge, Count: 1})
	h.hearsFirst(t, client, kerr.MessageTooLarge, refusedMessage)
}

func TestTheClientSaysThatItGivesAPartitionUpThatCannotBeLoaded(t *testing.T) {
	fake, client, _, h := listeningClient(t, kgo.DisableIdempotentWrite())
	if err := client.ProduceSync(t.Context(), &kgo.Record{Value: []byte("loads the partition")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders", Err: kerr.NotLeaderForPartition, Count: -1})
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "orders", Err: kerr.TopicAuthorizationFailed, Count: -1})
	h.hearsFirst(t, client, kerr.TopicAuthorizationFailed, unloadedMessage)
}

func TestTheClientSaysWhyItRetries(t *testing.T) {
	fake, client, l, _ := listeningClient(t)
	l.quiet.Store(true)
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders", Err: kerr.NotEnoughReplicas, Count: 1})
	if err := client.ProduceSync(context.Background(), &kgo.Record{Value: []byte("v")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if got := l.cause(); got == nil || got.Error() != kerr.NotEnoughReplicas.Error() {
		t.Errorf("heard %v, want %v: are %q and %q still the client's messages?", got, kerr.NotEnoughReplicas, producedMessage, retriedAnswer)
	}
}
