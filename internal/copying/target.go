package copying

import (
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
)

// target writes a partition of the new archive: offsets in order, without a hole.
type target struct {
	*partition
	copier   *copier
	encoding format.Encoding
	anew     bool // segments and row groups are cut by the rules of a capture, and not as the input's are

	rotateBytes, rotateRecords int64 // of a segment that is cut anew; 0 records: no limit

	pending *format.Pending // nil: none
	base    int64           // first offset that is not sealed
}

func (c *copier) target(p *partition) *target {
	t := &target{partition: p, copier: c, base: p.from, encoding: c.into.Identity().Encoding}
	t.anew = len(p.shares) > 1 || c.options.RotateBytes > 0
	t.rotateBytes, t.rotateRecords = c.rotation()
	return t
}

// open gives the segment that is being written.
func (t *target) open() (*format.Pending, error) {
	if t.pending != nil {
		return t.pending, nil
	}
	p, err := t.copier.into.NewSegment(format.WriterOptions{
		Topic: t.tp.Topic, Partition: t.tp.Partition, Base: t.base, Source: t.source,
		Compression: t.copier.compression(), Encoders: t.copier.options.Encoders,
	})
	t.pending = p
	return p, err
}

func (t *target) record(r *format.Record) error {
	p, err := t.open()
	if err != nil {
		return err
	}
	if err := p.Write(r); err != nil {
		return err
	}
	return t.rotate()
}

// rotate ends a segment by the rule of a capture. One that is cut as its input was ends with that, or at the limits of the format.
func (t *target) rotate() error {
	p := t.pending
	if p.Full() || t.anew && (p.Bytes() >= t.rotateBytes || t.rotateRecords > 0 && p.Records() >= t.rotateRecords) {
		return t.seal(p.Position())
	}
	return nil
}

// span writes what has no record.
func (t *target) span(s span) error {
	p, err := t.open()
	if err != nil {
		return err
	}
	n := s.until - s.from
	switch s.kind {
	case control:
		return p.Pass(s.until, format.NoLeaderEpoch, n, 0)
	case filtered:
		return p.Pass(s.until, format.NoLeaderEpoch, 0, n)
	case retention, corrupt:
		return p.Gap(ledger.Gap{From: s.from, Until: s.until, Reason: s.kind.reason()})
	}
	return p.Pass(s.until, format.NoLeaderEpoch, 0, 0)
}

// skip writes that a record was left out.
func (t *target) skip(r *format.Record) error {
	t.copier.report.Filtered++
	p, err := t.open()
	if err != nil {
		return err
	}
	return p.Skip(r.Offset, r.LeaderEpoch, ledger.Filtered)
}

// noteEpoch notes the leader epoch of what was last before offset at, if that is where the target is.
func (t *target) noteEpoch(at int64, epoch int32) error {
	if t.pending == nil || t.pending.Position() != at {
		return nil
	}
	return t.pending.Pass(at, epoch, 0, 0)
}

// seal ends the segment before next. One that covers nothing is not made.
func (t *target) seal(next int64) error {
	if t.base >= next {
		return nil
	}
	p, err := t.open()
	if err != nil {
		return err
	}
	t.pending = nil
	t.base = next
	_, _, err = p.Seal(next)
	return err
}

func (t *target) discard() {
	if t.pending != nil {
		t.pending.Discard()
	}
}
