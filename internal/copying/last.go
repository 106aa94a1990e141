package copying

// before counts the records of a partition that are in the window and before the last ones.
func (c *copier) before(p *partition) (int64, error) {
	u, err := c.union(p)
	if err != nil {
		return 0, err
	}
	defer u.close()
	n := -c.options.Last
	for u.at < p.until {
		more, err := u.countStep()
		if err != nil {
			return 0, err
		}
		n += more
	}
	return max(n, 0), nil
}

// countStep counts the records of the next offsets that are in the window. Row groups of which all or none are need not be decoded.
func (u *union) countStep() (int64, error) {
	s, err := u.alone()
	if err != nil {
		return 0, err
	}
	if s != nil && s.piece.hasGroup() {
		g := s.piece.Group()
		if f := u.windowed(g); f != some {
			u.at = min(s.piece.until, u.partition.until)
			if f == none {
				return 0, s.next()
			}
			return g.Records, s.next()
		}
	}
	_, best, until, err := u.heads()
	if err != nil {
		return 0, err
	}
	best = best.clip(u.at, until)
	u.at = best.until
	n := int64(0)
	for i := range best.records {
		if u.options.Window.Contains(&best.records[i]) {
			n++
		}
	}
	return n, nil
}
