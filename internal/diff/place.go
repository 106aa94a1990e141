package diff

import (
	"golang.org/x/sync/errgroup"

	"github.com/karchive/karchive/format"
)

// byPlace compares partition by partition, by offset or in order.
func (c *comparison) byPlace() error {
	for _, at := range c.order {
		both := c.parts[at]
		p := &partition{comparison: c, topic: at.Topic, number: at.Partition, a: c.stream(0, both[0]), b: c.stream(1, both[1])}
		err := p.run()
		p.a.close()
		p.b.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// partition is a partition of both sides under comparison.
type partition struct {
	*comparison
	topic  string
	number int32
	a, b   *stream
}

func (p *partition) run() error {
	for {
		skipped, err := p.skipEqual()
		if err != nil {
			return err
		}
		if skipped {
			continue
		}
		if err := p.decodeBoth(); err != nil {
			return err
		}
		a, err := p.a.peek()
		if err != nil {
			return err
		}
		b, err := p.b.peek()
		if err != nil {
			return err
		}
		if a == nil && b == nil {
			return nil
		}
		if err := p.step(a, b); err != nil {
			return err
		}
	}
}

// skipEqual passes a row group that both sides have, by its digest. It stands for offsets too, so it says the same for every pairing.
func (p *partition) skipEqual() (bool, error) {
	if p.Reshape != nil {
		return false, nil
	}
	a, err := p.a.group()
	if a == nil || err != nil {
		return false, err
	}
	b, err := p.b.group()
	if b == nil || err != nil {
		return false, err
	}
	x, y := a.Group(), b.Group()
	if x.Digest != y.Digest || x.Records != y.Records || !a.Whole() || !b.Whole() {
		return false, nil
	}
	p.report.equal(p.topic, p.number, x.Records)
	p.a.skip()
	p.b.skip()
	p.passed(2 * x.Records)
	return true, nil
}

// step compares what comes next. A record that is nil is not there any more.
func (p *partition) step(a, b *format.Record) error {
	switch {
	case b == nil || a != nil && p.pair == ByOffset && a.Offset < b.Offset:
		p.passed(1)
		return p.tell(&Difference{Kind: OnlyA, Topic: p.topic, A: p.a.take()})
	case a == nil || p.pair == ByOffset && b.Offset < a.Offset:
		p.passed(1)
		return p.tell(&Difference{Kind: OnlyB, Topic: p.topic, B: p.b.take()})
	}
	p.passed(2)
	changes := p.changes(p.a.tp.Topic, p.b.tp.Topic, a, b)
	if len(changes) == 0 {
		p.a.pass()
		p.b.pass()
		p.report.equal(p.topic, p.number, 1)
		return nil
	}
	return p.tell(&Difference{Kind: Changed, Topic: p.topic, A: p.a.take(), B: p.b.take(), Changes: changes})
}

// decodeBoth decodes the row groups that come next on both sides at once, where both are used up.
func (p *partition) decodeBoth() error {
	if p.a.next == nil || p.b.next == nil {
		return nil
	}
	var both errgroup.Group
	both.Go(p.a.decode)
	both.Go(p.b.decode)
	return both.Wait()
}
