//go:build kafka

package kafkatest

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestTwoBrokersAreTwoClusters(t *testing.T) {
	a, b := Start(t, Options{}), Start(t, Options{})
	for _, broker := range []*Broker{a, b} {
		meta, err := kadm.NewClient(newClient(t, broker)).BrokerMetadata(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := meta.Cluster, broker.ClusterID(); got != want {
			t.Errorf("cluster id: got %q, want %q", got, want)
		}
	}
	if a.ClusterID() == b.ClusterID() {
		t.Errorf("both clusters have the id %q", a.ClusterID())
	}
}

func TestRestartKeepsRecordsAndRaisesTheLeaderEpoch(t *testing.T) {
	b := Start(t, Options{})
	client := newClient(t, b, kgo.DefaultProduceTopic("t"))
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	produce(t, client, "before")
	if err := b.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	produce(t, client, "after")

	got := consume(t, b, "t", 2)
	if string(got[0].Value) != "before" || string(got[1].Value) != "after" {
		t.Errorf("got %q and %q, want before and after", got[0].Value, got[1].Value)
	}
	if got[0].LeaderEpoch >= got[1].LeaderEpoch {
		t.Errorf("leader epoch: got %d, then %d, want a higher one after the restart", got[0].LeaderEpoch, got[1].LeaderEpoch)
	}
}

func TestToolRunsKafkasOwnConsumer(t *testing.T) {
	b := Start(t, Options{})
	client := newClient(t, b, kgo.DefaultProduceTopic("t"))
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	produce(t, client, "a")
	produce(t, client, "b")
	var out bytes.Buffer
	err := b.Tool(t.Context(), &out, "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", b.Brokers()[0],
		"--topic", "t", "--from-beginning", "--max-messages", "2", "--property", "print.offset=true")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "Offset:0\ta\nOffset:1\tb\n"; got != want {
		t.Errorf("console consumer: got %q, want %q", got, want)
	}
}

func TestToolReportsWhatAFailedProgramSaid(t *testing.T) {
	b := Start(t, Options{})
	err := b.Tool(t.Context(), io.Discard, "kafka.tools.StorageTool", "no-such-command")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(err.Error(), "no-such-command") {
		t.Errorf("got %v, want an exit error that repeats the program's complaint", err)
	}
}

func newClient(t *testing.T, b *Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(b.Brokers()...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func produce(t *testing.T, client *kgo.Client, value string) {
	t.Helper()
	if err := client.ProduceSync(t.Context(), kgo.StringRecord(value)).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// consume reads n records from the start of partition 0 with a client of its own.
func consume(t *testing.T, b *Broker, topic string, n int) []*kgo.Record {
	t.Helper()
	start := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}
	client := newClient(t, b, kgo.ConsumePartitions(start))
	var got []*kgo.Record
	for len(got) < n {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		got = append(got, fetches.Records()...)
	}
	return got
}
