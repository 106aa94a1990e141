package replay

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// detour is a second client, for the records that do not fit into a batch of the first before compression: see window. It is made for the first
// of them, as most archives have none. The nil detour is there for a replay with one client. It is safe for concurrent use.
type detour struct {
	open func() (*kgo.Client, error)

	mu   sync.Mutex
	made *kgo.Client // nil: not yet
}

// detours says whether a replay may have a second client. A transaction is of one, and what is not acknowledged keeps its order on one
// connection only.
func (o *Options) detours() bool { return !o.ExactlyOnce && o.Acks != AcksNone }

// openClient makes what sends. The second client is made when it is needed.
func (p *player) openClient(j *job) (err error) {
	open := func(oversized bool) (*kgo.Client, error) {
		return newProducer(&p.settings.Options, j.connect, p.plan, j.target, p.refusals, oversized)
	}
	if p.settings.detours() {
		p.detour = &detour{open: func() (*kgo.Client, error) { return open(true) }}
	}
	p.client, err = open(p.detour == nil)
	return err
}

// client is the second one.
func (d *detour) client() (client *kgo.Client, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made == nil {
		d.made, err = d.open()
	}
	return d.made, err
}

// ifMade does something with the second client, if there is one.
func (d *detour) ifMade(do func(*kgo.Client)) {
	if d == nil {
		return
	}
	d.mu.Lock()
	made := d.made
	d.mu.Unlock()
	if made != nil {
		do(made)
	}
}

// clientOf is who sends an entry, whose place in the window is taken.
func (p *player) clientOf(e *entry) (*kgo.Client, error) {
	if e.to.window.detours(e.under) {
		return p.detour.client()
	}
	return p.client, nil
}

// flush waits until everything is answered.
func (p *player) flush(ctx context.Context) error {
	err := p.client.Flush(ctx)
	p.detour.ifMade(func(c *kgo.Client) {
		if failed := c.Flush(ctx); err == nil {
			err = failed
		}
	})
	return err
}

// close gives up what is not answered.
func (p *player) close() {
	p.client.Close()
	p.detour.ifMade((*kgo.Client).Close)
}

// forget is for topics that nothing is sent to any more.
func (p *player) forget(topics ...string) {
	p.client.PurgeTopicsFromProducing(topics...)
	p.detour.ifMade(func(c *kgo.Client) { c.PurgeTopicsFromProducing(topics...) })
}
