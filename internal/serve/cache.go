package serve

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/karchive/karchive/format"
)

// cache holds the row groups that were asked for last. It is safe for concurrent use.
type cache struct {
	most     int64
	decoders chan *decoder
	trouble  func(error)

	mu     sync.Mutex
	size   int64
	read   int64     // of size: blocks in done
	ahead  int64     // that blocks will have which are decoded ahead
	usual  int64     // what the last block had
	puts   int64     // blocks that were put in so far
	recent list.List // of *block; those used last come first
	done   list.List // of *block that somebody read to the end, the last one first: they go before those that somebody is in the middle of
	places map[*block]*list.Element
}

func newCache(most int64, trouble func(error)) *cache {
	c := &cache{most: most, trouble: trouble, decoders: make(chan *decoder, decoders()), places: map[*block]*list.Element{}}
	for range cap(c.decoders) {
		c.decoders <- &decoder{}
	}
	return c
}

// close gives up what is open, and waits for what is being decoded.
func (c *cache) close() {
	for range cap(c.decoders) {
		d := <-c.decoders
		d.close()
	}
}

// get returns the block that answers for an offset before the partition's end. Its error is that of ctx; what is wrong with a block is in
// the block.
func (c *cache) get(ctx context.Context, p *partition, offset int64) (*block, error) {
	if b := c.find(p, offset); b != nil {
		return b, nil
	}
	p.decode.Lock()
	defer p.decode.Unlock()
	if b := c.find(p, offset); b != nil {
		return b, nil
	}
	at, err := p.locate(offset)
	if err == io.EOF {
		return c.put(&block{partition: p, lo: offset, hi: p.end - 1, group: -1, batches: []batch{marker(offset, p.end-1)}}), nil
	}
	if err != nil {
		return c.failed(&block{partition: p, lo: offset, hi: offset, group: -1}, err), nil
	}
	if b := c.widen(p, at.Group().FirstOffset, offset); b != nil {
		return b, nil
	}
	return c.decode(ctx, p, &at, offset)
}

func (c *cache) decode(ctx context.Context, p *partition, at *place, offset int64) (*block, error) {
	var d *decoder
	select {
	case d = <-c.decoders:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { c.decoders <- d }()
	b := &block{partition: p, lo: min(offset, at.Group().FirstOffset), hi: at.hi, group: at.Group().FirstOffset}
	records, err := p.read(at, d)
	switch {
	case err != nil:
		if c.failed(b, err); !errors.Is(err, format.ErrCorrupt) {
			return b, nil // another time it may be well
		}
	case len(records) == 0:
		b.batches = []batch{marker(offset, b.hi)}
	default:
		b.batches = encode(records, batchBytes, b.hi)
	}
	return c.put(b), nil
}

// failed makes b the answer that it cannot be read.
func (c *cache) failed(b *block, err error) *block {
	b.err = err
	if !errors.Is(err, context.Canceled) && c.isNew(b.partition, err) {
		c.trouble(fmt.Errorf("topic %s, partition %d, offsets from %d: %w", b.partition.topic, b.partition.tp.Partition, b.lo, err))
	}
	return b
}

// isNew says whether nobody was told so of a partition: a client asks again and again.
func (c *cache) isNew(p *partition, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := err.Error()
	if p.told == nil {
		p.told = map[string]struct{}{}
	}
	if _, told := p.told[text]; told || len(p.told) == mostTold {
		return false
	}
	p.told[text] = struct{}{}
	return true
}

// mostTold bounds what is said of a partition.
const mostTold = 10_000

// find is the block that answers for an offset, if it is there.
func (c *cache) find(p *partition, offset int64) *block {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range p.blocks {
		if b.lo <= offset && offset <= b.hi {
			c.move(b, &c.recent)
			return b
		}
	}
	return nil
}

// finish says that a block was read to its end.
func (c *cache) finish(b *block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.places[b] != nil {
		c.move(b, &c.done)
	}
}

// reserve takes room for a block that is decoded ahead, and returns how much; 0: there is none without a loss for those who read.
func (c *cache) reserve() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abandon()
	if c.usual == 0 || c.size-c.read+c.ahead+c.usual > c.most {
		return 0
	}
	c.ahead += c.usual
	return c.usual
}

// abandon has blocks that somebody was in the middle of go as if they had been read to the end, once all there is room for came and went and they were not
// asked for: whoever reads them has gone, or is slow. Else there would be no room ever again.
func (c *cache) abandon() {
	for e := c.recent.Back(); e != nil; e = c.recent.Back() {
		b := e.Value.(*block)
		if c.puts-b.used <= 2*int64(len(c.places)) {
			return
		}
		c.move(b, &c.done)
	}
}

// release gives back what reserve returned.
func (c *cache) release(room int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead -= room
}

// move puts a block in front of one of the lists.
func (c *cache) move(b *block, to *list.List) {
	c.recent.Remove(c.places[b])
	c.done.Remove(c.places[b]) // it does nothing to a block of the other list
	if b.finished {
		c.read -= b.size
	}
	if b.finished = to == &c.done; b.finished {
		c.read += b.size
	}
	b.used = c.puts
	c.places[b] = to.PushFront(b)
}

// oldest is the block that goes next; nil when there is but one.
func (c *cache) oldest() *block {
	last := c.done.Back()
	if last == nil {
		last = c.recent.Back()
	}
	if c.done.Len()+c.recent.Len() < 2 {
		return nil
	}
	return last.Value.(*block)
}

// widen lets the block of a row group answer for an offset in the gap before it.
func (c *cache) widen(p *partition, group, offset int64) *block {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range p.blocks {
		if b.group == group {
			b.lo = min(b.lo, offset)
			return b
		}
	}
	return nil
}

// put keeps a block, and lets go of those that were not used for longest.
func (c *cache) put(b *block) *block {
	const overhead = 1 << 10
	b.size = overhead
	for i := range b.batches {
		b.size += int64(cap(b.batches[i].raw)) + 64
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b.partition.blocks = append(b.partition.blocks, b)
	c.puts++
	b.used = c.puts
	c.places[b] = c.recent.PushFront(b)
	c.size, c.usual = c.size+b.size, b.size
	for b := c.oldest(); b != nil && c.size > c.most; b = c.oldest() {
		c.forget(b)
	}
	return b
}

func (c *cache) forget(b *block) {
	c.recent.Remove(c.places[b])
	c.done.Remove(c.places[b])
	delete(c.places, b)
	c.size -= b.size
	if b.finished {
		c.read -= b.size
	}
	b.partition.blocks = slices.DeleteFunc(b.partition.blocks, func(o *block) bool { return o == b })
}
