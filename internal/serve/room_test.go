package serve

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

// asking has so many clients send a question, and read nothing of the answer.
func asking(t *testing.T, network *kfake.VirtualNetwork, s *Server, n int, m *kmsg.FetchRequest) {
	t.Helper()
	for range n {
		c, err := network.DialContext(t.Context(), "tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		go func(c net.Conn) { c.Write(question(m, 1)) }(c)
	}
	synctest.Wait()
}

func TestClientsThatWaitOrReadNothingKeepNobodyFromReading(t *testing.T) {
	l := plain(orders0, 0, 3)
	whole := func() *kmsg.FetchRequest {
		m := fetchOrders()
		m.MaxBytes, m.MaxWaitMillis, m.MinBytes = largestAnswer, 20_000, 1
		return m
	}
	behind, other := whole(), whole()
	behind.Topics[0].Partitions[0].FetchOffset = 3
	other.Topics[0].Topic = "made"
	for name, test := range map[string]struct {
		clients int
		ask     *kmsg.FetchRequest
		most    time.Duration
	}{
		"wait for records":              {200, behind, 0},
		"wait for records of others":    {200, other, 0},
		"read nothing":                  {40, whole(), 0},
		"read nothing, and are so many": {200, whole(), 3 * hurriedTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			virtually(t, []log{l}, func(t *testing.T, a *format.Archive, network *kfake.VirtualNetwork) {
				s := start(t, Options{Sources: []Source{{Archive: a}}, Listen: "127.0.0.1:9092", Listener: network.Listen})
				made := client(t, s, kgo.Dialer(network.DialContext))
				createTopic(t, made, "made")
				asking(t, network, s, test.clients, test.ask)
				begin := time.Now()
				c := client(t, s, kgo.Dialer(network.DialContext), kgo.MaxVersions(fetchVersion(11)))
				got := fetched(t, c, 0, nil)
				if took := time.Since(begin); took > test.most {
					t.Errorf("answered after %s, want at most %s", took, test.most)
				}
				if len(got.Topics[0].Partitions[0].RecordBatches) == 0 {
					t.Error("got no record")
				}
			})
		})
	}
}

func createTopic(t *testing.T, c *kgo.Client, name string) {
	t.Helper()
	m := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 1, 1
	m.Topics = append(m.Topics, topic)
	if _, err := m.RequestWith(context.WithoutCancel(t.Context()), c); err != nil {
		t.Fatal(err)
	}
}
