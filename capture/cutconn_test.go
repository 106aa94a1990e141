package capture

import (
	"context"
	"net"
	"os"
	"sync"
	"time"
)

// cutConn neither sends nor receives while its process is cut off, or paused. What waits for one that is not paused can be given up, as with any connection.
type cutConn struct {
	net.Conn
	p              *process
	closing        sync.Once
	closed         chan struct{}
	reading, write deadline
}

func newCutConn(c net.Conn, p *process) *cutConn {
	return &cutConn{Conn: c, p: p, closed: make(chan struct{})}
}

func (c *cutConn) wait(d *deadline) error {
	c.p.mu.Lock()
	cut, paused := c.p.cut, c.p.paused
	c.p.mu.Unlock()
	if cut == nil {
		return nil
	}
	if paused {
		<-cut
		return nil
	}
	select {
	case <-cut:
		return nil
	case <-c.closed:
		return net.ErrClosed
	case <-d.channel():
		return os.ErrDeadlineExceeded
	}
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if late := c.wait(&c.reading); late != nil {
		return 0, late
	}
	return n, err
}

func (c *cutConn) Write(b []byte) (int, error) {
	if err := c.wait(&c.write); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

func (c *cutConn) SetReadDeadline(t time.Time) error {
	c.reading.set(t)
	return c.Conn.SetReadDeadline(t)
}

func (c *cutConn) SetWriteDeadline(t time.Time) error {
	c.write.set(t)
	return c.Conn.SetWriteDeadline(t)
}

func (c *cutConn) Close() error {
	c.closing.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// deadline passes at a time that can be changed while somebody waits for it. The zero value never passes.
type deadline struct {
	mu     sync.Mutex
	timer  *time.Timer
	passed context.Context
	pass   context.CancelFunc
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
	d.fill()
	if !t.IsZero() {
		d.timer = time.AfterFunc(time.Until(t), d.pass)
	}
}

// fill has something to wait for. The caller holds mu.
func (d *deadline) fill() {
	if d.passed == nil || d.passed.Err() != nil {
		d.passed, d.pass = context.WithCancel(context.Background())
	}
}

func (d *deadline) channel() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.passed == nil {
		d.fill()
	}
	return d.passed.Done()
}
