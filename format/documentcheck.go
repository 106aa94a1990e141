package format

import (
	"fmt"
	"unicode/utf8"

	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/internal/ondisk"
)

// check refuses a document that contradicts itself. SPEC.md, "What a reader checks", numbers what is checked.
func (d *Document) check() error {
	if err := d.checkFields(); err != nil {
		return corruptf("document: %v", err)
	}
	if err := d.checkGaps(); err != nil {
		return corruptf("document: %v", err)
	}
	if err := d.checkRoom(); err != nil {
		return corruptf("document: %v", err)
	}
	return nil
}

func (d *Document) checkFields() error {
	if err := ondisk.CheckTopic(d.Topic); err != nil {
		return err
	}
	switch {
	case d.Partition < 0 || d.BaseOffset < 0 || d.NextOffset <= d.BaseOffset:
		return fmt.Errorf("partition %d covers %d..%d", d.Partition, d.BaseOffset, d.NextOffset)
	case d.LastLeaderEpoch < NoLeaderEpoch:
		return fmt.Errorf("last leader epoch %d", d.LastLeaderEpoch)
	}
	return d.Source.Isolation.Check()
}

func (d *Document) checkGaps() error {
	at := d.BaseOffset
	for _, g := range d.Gaps {
		if g.From < at || g.Until <= g.From || g.Until > d.NextOffset {
			return fmt.Errorf("gap %d..%d", g.From, g.Until)
		}
		if !g.Reason.Ranged() {
			return fmt.Errorf("gap %d..%d has the reason %.40q", g.From, g.Until, g.Reason)
		}
		at = g.Until
	}
	return nil
}

// checkRoom walks the covered offsets, and refuses more records, gaps and counted offsets than there is room for between any two row groups.
func (d *Document) checkRoom() error {
	at, gaps, sum := d.BaseOffset, d.Gaps, RowGroup{}
	for i := range d.Groups {
		g := &d.Groups[i]
		if err := g.checkFields(at, d.NextOffset); err != nil {
			return fmt.Errorf("row group %d: %w", i, err)
		}
		n := 0
		for n < len(gaps) && gaps[n].From <= g.LastOffset {
			n++
		}
		if err := g.checkRoom(at, gaps[:n]); err != nil {
			return fmt.Errorf("row group %d: %w", i, err)
		}
		at, gaps = g.LastOffset+1, gaps[n:]
		sum.Records, sum.Bytes = sum.Records+g.Records, sum.Bytes+g.Bytes
		sum.Control, sum.Filtered = sum.Control+g.Control, sum.Filtered+g.Filtered
	}
	if sum.Records != d.Records || sum.Bytes != d.Bytes {
		return fmt.Errorf("%d records of %d bytes, its row groups have %d of %d", d.Records, d.Bytes, sum.Records, sum.Bytes)
	}
	control, filtered, room := d.Control-sum.Control, d.Filtered-sum.Filtered, d.NextOffset-at-sizeOf(gaps)
	if d.Control < sum.Control || d.Filtered < sum.Filtered || filtered > room-control {
		return fmt.Errorf("%d control and %d filtered offsets, %d and %d of them before offset %d, and %d offsets are left behind it",
			d.Control, d.Filtered, sum.Control, sum.Filtered, at, room)
	}
	return nil
}

// sizeOf is how many offsets gaps take, which are in order.
func sizeOf(gaps []ledger.Gap) (n int64) {
	for _, g := range gaps {
		n += g.Until - g.From
	}
	return n
}

// checkFields refuses what cannot be a row group of offsets [from, until).
func (g *RowGroup) checkFields(from, until int64) error {
	switch {
	case g.FirstOffset < from || g.LastOffset < g.FirstOffset || g.LastOffset >= until:
		return fmt.Errorf("offsets %d to %d do not fit in %d..%d", g.FirstOffset, g.LastOffset, from, until)
	case g.Records < 1 || g.Records > g.LastOffset-g.FirstOffset+1:
		return fmt.Errorf("%d records in offsets %d to %d", g.Records, g.FirstOffset, g.LastOffset)
	case g.Records > g.Bytes/canonicalFixed:
		return fmt.Errorf("%d records in %d bytes", g.Records, g.Bytes)
	case g.Records > 1 && g.Bytes > maxGroupBytes || g.Bytes > maxRecordBytes:
		return fmt.Errorf("%d bytes are over the limit", g.Bytes)
	case g.MinTimestampMs > g.MaxTimestampMs:
		return fmt.Errorf("timestamps %d..%d", g.MinTimestampMs, g.MaxTimestampMs)
	}
	return g.checkHeaderKeys()
}

// checkRoom refuses a row group with more than fits into the offsets from the end of the one before to its own, of which gaps take some.
func (g *RowGroup) checkRoom(from int64, gaps []ledger.Gap) error {
	inside := g.LastOffset - g.FirstOffset + 1
	for _, gap := range gaps {
		for _, at := range []int64{g.FirstOffset, g.LastOffset} {
			if gap.From <= at && at < gap.Until {
				return fmt.Errorf("has a record at offset %d, in the gap %d..%d (%s)", at, gap.From, gap.Until, gap.Reason)
			}
		}
		if gap.From > g.FirstOffset {
			inside -= gap.Until - gap.From
		}
	}
	room := g.LastOffset - from + 1 - sizeOf(gaps) - g.Records
	if g.Records > inside || g.Control < 0 || g.Filtered < 0 || g.Control > room || g.Filtered > room-g.Control {
		return fmt.Errorf("%d control and %d filtered offsets, %d records and %d offsets in gaps do not fit in %d..%d",
			g.Control, g.Filtered, g.Records, sizeOf(gaps), from, g.LastOffset)
	}
	return nil
}

func (g *RowGroup) checkHeaderKeys() error {
	row, header := int64(0), -1
	for _, k := range g.HeaderKeys {
		if k.Row < row || k.Row >= g.Records || k.Header < 0 || k.Row == row && k.Header <= header {
			return fmt.Errorf("header key of row %d, header %d is out of order", k.Row, k.Header)
		}
		if utf8.Valid(k.Key) {
			return fmt.Errorf("header key of row %d, header %d is UTF-8, and needs no other place than its column", k.Row, k.Header)
		}
		row, header = k.Row, k.Header
	}
	return nil
}
