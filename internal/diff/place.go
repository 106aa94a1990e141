package diff

import "github.com/karchive/karchive/format"

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
		if p.a.next != nil && p.b.next != nil { // and not equal: both are decoded at once
			p.a.start()
			p.b.start()
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
		if err := p.lookAhead(); err != nil {
			return err
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
	if !same(a, b) {
		return false, nil
	}
	n := a.Group().Records
	p.report.equal(p.topic, p.number, n)
	p.a.skip()
	p.b.skip()
	p.passed(2 * n)
	return true, nil
}

// same says whether two row groups have the same records, all of which are selected.
func same(a, b *format.Place) bool {
	x, y := a.Group(), b.Group()
	return x.Digest == y.Digest && x.Records == y.Records && a.Whole() && b.Whole()
}

// lookAhead decodes what comes next while the row groups at hand are compared, unless it can be passed.
func (p *partition) lookAhead() error {
	if !p.a.fresh && !p.b.fresh {
		return nil
	}
	p.a.fresh, p.b.fresh = false, false
	a, err := p.a.following()
	if err != nil {
		return err
	}
	b, err := p.b.following()
	if err != nil {
		return err
	}
	if a == nil || b == nil || p.Reshape != nil || !same(a, b) {
		p.a.start()
		p.b.start()
	}
	return nil
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
