package replay_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// newVirtualTarget is a target for a synctest bubble.
func newVirtualTarget(t *testing.T, options ...kfake.Opt) target {
	t.Helper()
	vn := &kfake.VirtualNetwork{}
	c := newTarget(t, append([]kfake.Opt{kfake.ListenFn(vn.Listen), kfake.Ports(9092)}, options...)...)
	c.connect = append(c.connect, kgo.Dialer(vn.DialContext))
	c.dial = vn.DialContext
	return c
}

var errDead = errors.New("this process is dead")

// mortal is the network of a process that dies at its write number at: after that nothing of it reaches the target any more. With after
// set it dies when the write is done, so that the target does what it was asked to and the process never hears of it. One that survives
// only loses its connections there.
type mortal struct {
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	at    int
	after bool
	kill  func() // ends the process

	survives bool

	mu     sync.Mutex
	writes int
	cut    bool
	dead   bool
	conns  []net.Conn
}

func (m *mortal) connect(c target) []kgo.Opt {
	m.dial = c.dial
	return []kgo.Opt{kgo.SeedBrokers(c.ListenAddrs()...), kgo.Dialer(m.open)}
}

func (m *mortal) open(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := m.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		conn.Close()
		return nil, errDead
	}
	m.conns = append(m.conns, conn)
	return &mortalConn{conn, m}, nil
}

func (m *mortal) died() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

func (m *mortal) wasCut() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cut
}

type mortalConn struct {
	net.Conn
	of *mortal
}

func (c *mortalConn) Write(b []byte) (int, error) {
	m := c.of
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return 0, errDead
	}
	m.writes++
	if m.writes != m.at {
		return c.Conn.Write(b)
	}
	if m.after {
		c.Conn.Write(b)
	}
	m.end()
	if m.survives {
		return 0, net.ErrClosed
	}
	return 0, errDead
}

// die is the same at once.
func (m *mortal) die() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.end()
}

func (m *mortal) end() {
	for _, conn := range m.conns {
		conn.Close()
	}
	m.cut, m.conns = true, nil
	if !m.survives {
		m.dead = true
		m.kill()
	}
}
