package replay_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
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
	late     int // when over 0, the target gets that write on its old connection so many writes later; it was made again by then

	held *mortalConn
	kept []byte // the write number at

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

// request is the key of the request that write number at was.
func (m *mortal) request() kmsg.Key {
	m.mu.Lock()
	defer m.mu.Unlock()
	return kmsg.Key(binary.BigEndian.Uint16(m.kept[4:]))
}

type mortalConn struct {
	net.Conn
	of *mortal
}

// Write holds no lock while it writes: who waits for a lock in a bubble holds its clock up, and the write may wait for that.
func (c *mortalConn) Write(b []byte) (int, error) {
	m := c.of
	dead, last, late := m.count(c, b)
	if late != nil {
		late.Conn.Write(m.kept)
		late.Conn.Read(make([]byte, 4))
		late.Conn.Close()
	}
	switch {
	case dead:
		return 0, errDead
	case !last:
		return c.Conn.Write(b)
	case m.after:
		c.Conn.Write(b)
	}
	m.die()
	if m.survives {
		return 0, net.ErrClosed
	}
	return 0, errDead
}

// count says whether the process is dead, whether this is write number at, and on which connection that comes before this one.
func (m *mortal) count(c *mortalConn, b []byte) (dead, last bool, late *mortalConn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return true, false, nil
	}
	m.writes++
	if m.held != nil && m.writes >= m.at+m.late {
		late, m.held = m.held, nil
	}
	if last = m.writes == m.at; last {
		m.dead, m.kept = !m.survives, bytes.Clone(b)
		if m.late > 0 {
			m.held = c
		}
	}
	return false, last, late
}

// Close keeps the connection open on which something is to come late.
func (c *mortalConn) Close() error {
	c.of.mu.Lock()
	held := c.of.held == c
	c.of.mu.Unlock()
	if held {
		return nil
	}
	return c.Conn.Close()
}

// die ends the process, or its connections when it survives.
func (m *mortal) die() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, conn := range m.conns {
		if m.held == nil || conn != m.held.Conn {
			conn.Close()
		}
	}
	m.cut, m.conns = true, nil
	if !m.survives {
		m.dead = true
		m.kill()
	}
}
