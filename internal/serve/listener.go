package serve

import (
	"errors"
	"net"
	"sync"
)

// inner is where the embedded broker listens: it is reached from within only, through pipes. Its address is the one that clients are told.
type inner struct {
	address net.Addr
	dialed  chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func newInner(address string) *inner {
	return &inner{address: addressText(address), dialed: make(chan net.Conn), closed: make(chan struct{})}
}

// addressText is host:port, which need not be a number's.
type addressText string

func (addressText) Network() string  { return "tcp" }
func (a addressText) String() string { return string(a) }

func (l *inner) Accept() (net.Conn, error) {
	select {
	case c := <-l.dialed:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *inner) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *inner) Addr() net.Addr { return l.address }

// dial connects to the embedded broker for a client at an address.
func (l *inner) dial(client net.Addr) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.dialed <- from{far, client}:
		return near, nil
	case <-l.closed:
		return nil, errors.New("the broker is closed")
	}
}

// from is a connection that comes from an address.
type from struct {
	net.Conn
	address net.Addr
}

func (c from) RemoteAddr() net.Addr { return c.address }
