package copying

import (
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/ondisk"
)

// fate is what becomes of the records of a row group.
type fate int

const (
	some fate = iota // each is looked at
	all              // all are copied as they are
	none             // none is
)

// windowed finds out, by what the document says, what of a row group is in the window.
func (u *union) windowed(g *format.RowGroup) fate {
	w := u.options.Window
	switch {
	case w.UntilOffset != 0 && g.FirstOffset >= w.UntilOffset || g.LastOffset < w.FromOffset,
		!w.From.IsZero() && g.MaxTimestampMs < w.From.UnixMilli(), !w.Until.IsZero() && g.MinTimestampMs >= w.Until.UnixMilli():
		return none
	case g.FirstOffset < w.FromOffset || w.UntilOffset != 0 && g.LastOffset >= w.UntilOffset,
		!w.From.IsZero() && g.MinTimestampMs < w.From.UnixMilli(), !w.Until.IsZero() && g.MaxTimestampMs >= w.Until.UnixMilli():
		return some
	}
	return all
}

// fate finds out what becomes of the records of a row group.
func (u *union) fate(g *format.RowGroup) fate {
	switch f := u.windowed(g); {
	case f != all:
		return f
	case u.last >= g.Records || u.full():
		return none
	case u.last > 0 || u.apply != nil || u.options.Limit > 0 && u.left < g.Records:
		return some
	}
	return all
}

// piece writes the next piece of s, which nobody else covers.
func (u *union) piece(s *stream) error {
	if done, err := u.segment(s); done || err != nil {
		return err
	}
	p := s.piece
	write := u.decoded
	if p.hasGroup() && u.within(p.from, p.until) {
		switch u.fate(p.Group()) {
		case all:
			write = u.raw
		case none:
			write = u.leaveOut
		}
	}
	if err := write(s); err != nil {
		return err
	}
	u.at = min(p.until, u.partition.until)
	if err := u.noteEpochs(u.at); err != nil {
		return err
	}
	if err := u.cut(p); err != nil {
		return err
	}
	return s.next()
}

// within says whether all of [from, until) is copied or left out by name.
func (u *union) within(from, until int64) bool {
	return from >= u.partition.from && until <= u.partition.until
}

// cut ends row groups and segments where those of the input end.
func (u *union) cut(p *piece) error {
	if u.anew || u.pending == nil {
		return nil
	}
	if p.last {
		return u.seal(u.at)
	}
	if p.hasGroup() {
		return u.pending.Cut()
	}
	return nil
}

// decoded writes a piece record by record.
func (u *union) decoded(s *stream) error {
	spans, err := s.decode()
	if err != nil {
		return err
	}
	for _, one := range spans {
		if one = one.clip(u.partition.from, u.partition.until); one.from >= one.until {
			continue
		}
		if err := u.write(s, one); err != nil {
			return err
		}
	}
	return nil
}

// leaveOut writes a piece of which no record is copied, without decoding it.
func (u *union) leaveOut(s *stream) error {
	g := s.piece.Group()
	if u.windowed(g) == all {
		u.last -= min(u.last, g.Records)
	}
	u.report.Filtered += g.Records
	out, err := u.open()
	if err != nil {
		return err
	}
	markers, left := g.Control, g.Filtered+g.Records
	pass := func(until int64) error {
		// Which of the offsets around a gap were what makes no difference: the row group behind them counts them all.
		room := until - out.Position()
		m := min(markers, room)
		l := min(left, room-m)
		markers, left = markers-m, left-l
		return out.Pass(until, format.NoLeaderEpoch, m, l)
	}
	for _, gap := range s.piece.gaps() {
		if err := pass(gap.From); err != nil {
			return err
		}
		if err := out.Gap(gap); err != nil {
			return err
		}
	}
	return pass(s.piece.until)
}

// raw writes the row group of a piece as the bytes that it is, where that is possible.
func (u *union) raw(s *stream) error {
	g := s.piece.Group()
	if !u.keeps(s) {
		return u.decoded(s)
	}
	out, err := u.open()
	if err != nil {
		return err
	}
	copied, err := out.CopyGroup(s.reader, &s.piece.Place)
	if err != nil {
		return err
	}
	if !copied {
		return u.decoded(s)
	}
	u.left -= g.Records
	u.report.CopiedGroups++
	return u.rotate()
}

// bytewise says whether what the new archive takes of a stream can be the bytes that it is there.
func (u *union) bytewise(s *stream) bool {
	return u.options.Compression == nil && s.encoding == u.encoding
}

// keeps says whether a row group is one in the new archive as it is. Where that is cut anew, this is one that was cut because it was full,
// where one begins and which does not end the segment: the records would be cut there again.
func (u *union) keeps(s *stream) bool {
	if !u.bytewise(s) {
		return false
	}
	if !u.anew {
		return true
	}
	g := s.piece.Group()
	if s.piece.Index == len(s.piece.Document.Groups)-1 || g.Bytes < ondisk.RowGroupBytes/2 {
		return false
	}
	if u.pending == nil {
		return g.Bytes < u.rotateBytes && (u.rotateRecords == 0 || g.Records < u.rotateRecords)
	}
	return u.pending.Buffered() == 0 && u.pending.Bytes()+g.Bytes < u.rotateBytes &&
		(u.rotateRecords == 0 || u.pending.Records()+g.Records < u.rotateRecords)
}

// segment writes the segment that begins at the next piece, if all of it stays as it is.
func (u *union) segment(s *stream) (bool, error) {
	p := s.piece
	d := p.Document
	if u.anew || p.Index > 0 || !u.within(d.BaseOffset, d.NextOffset) || d.Topic != u.tp.Topic || d.Source != u.source || !u.wholly(d) {
		return false, nil
	}
	a := s.input.Archive
	var err error
	if u.bytewise(s) {
		u.report.CopiedFiles++
		if _, err = u.into.CopySegment(a, p.Segment, func(int) error { return u.done(0, 0) }); err == nil {
			err = u.done(d.Records, d.Bytes)
		}
	} else {
		err = format.ConvertSegment(a, u.into, p.Segment, format.ConvertOptions{
			Compression: u.compression(), Encoders: u.options.Encoders,
			OnGroup: func(g *format.RowGroup) error { u.report.DecodedGroups++; return u.done(g.Records, g.Bytes) },
		})
	}
	if err != nil {
		return true, err
	}
	u.left -= d.Records
	u.at, u.base = d.NextOffset, d.NextOffset
	return true, s.enter()
}

// wholly says whether all records of a segment are copied as they are.
func (u *union) wholly(d *format.Document) bool {
	if u.apply != nil || u.last > 0 && d.Records > 0 || u.options.Limit > 0 && u.left < d.Records {
		return false
	}
	for i := range d.Groups {
		if u.windowed(&d.Groups[i]) != all {
			return false
		}
	}
	return true
}
