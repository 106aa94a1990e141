package serve

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
)

// mortal is the network of a client that can be killed: from then on it neither says nor hears anything.
type mortal struct {
	network *kfake.VirtualNetwork

	mu    sync.Mutex // guards what follows
	conns []net.Conn
	dead  bool
}

func (m *mortal) dial(ctx context.Context, network, address string) (net.Conn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return nil, net.ErrClosed
	}
	c, err := m.network.DialContext(ctx, network, address)
	if err == nil {
		m.conns = append(m.conns, c)
	}
	return c, err
}

func (m *mortal) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
	for _, c := range m.conns {
		c.Close()
	}
}

// member joins the group g. It commits nothing: while a commit finds no broker, franz-go waits for a lock, and virtual time does not go on.
func member(t *testing.T, s *Server, n *mortal) *kgo.Client {
	return client(t, s, kgo.Dialer(n.dial), kgo.ConsumerGroup("g"), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(time.Second), kgo.DisableAutoCommit())
}

func TestTheOthersReadWhatAMemberThatDiedHad(t *testing.T) {
	const partitions, each = 6, 40
	var logs []log
	for p := range int32(partitions) {
		logs = append(logs, plain(format.TopicPartition{Topic: "orders", Partition: p}, 0, each))
	}
	virtually(t, logs, func(t *testing.T, a *format.Archive, network *kfake.VirtualNetwork) {
		s := start(t, Options{Sources: []Source{{Archive: a}}, Listen: "127.0.0.1:9092", Listener: network.Listen, OnTrouble: func(err error) { t.Error(err) }})
		seen, victim := make(map[string]bool), &mortal{network: network}
		poll := func(c *kgo.Client) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			for _, r := range c.PollRecords(ctx, 1).Records() {
				seen[described(r)] = true
			}
		}
		members := []*kgo.Client{member(t, s, &mortal{network: network}), member(t, s, victim), member(t, s, &mortal{network: network})}
		for range 20 {
			for _, c := range members {
				poll(c)
			}
		}
		victim.kill()
		died := time.Now()
		for len(seen) < partitions*each && time.Since(died) < 10*time.Minute {
			poll(members[0])
			poll(members[2])
		}
		if len(seen) != partitions*each {
			t.Errorf("got %d records ten minutes after a member died, want %d", len(seen), partitions*each)
		}
	})
}
