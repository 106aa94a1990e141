package copying

import (
	"fmt"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
)

// kind is what is known of offsets.
type kind int

// The kinds, in the order in which archives are believed that know different things of an offset: a record before all, then what the log
// did not have, then what was left out, then what was lost.
const (
	held kind = iota
	control
	absent
	filtered
	retention
	corrupt
)

// rank is smaller for what is believed first. That of two archives which found no record is believed of the first of them.
func (k kind) rank() int {
	if k == absent {
		return int(control)
	}
	return int(k)
}

// reasons are those of the kinds that have no record, all that an archive knows.
var reasons = map[kind]ledger.Reason{
	control: ledger.Control, absent: ledger.Absent, filtered: ledger.Filtered, retention: ledger.Retention, corrupt: ledger.Corrupt,
}

func (k kind) reason() ledger.Reason { return reasons[k] }

// kindOf is the kind of a reason; ok is false for one that is not known here.
func kindOf(r ledger.Reason) (k kind, ok bool) {
	for k, reason := range reasons {
		if reason == r {
			return k, true
		}
	}
	return corrupt, false
}

// span is adjoining offsets of one kind, [from, until).
type span struct {
	from, until int64
	kind        kind
	records     []format.Record // of held: one for each offset
}

// clip is the part of s in [from, until).
func (s span) clip(from, until int64) span {
	from, until = max(s.from, from), min(s.until, until)
	if s.kind == held && from < until {
		s.records = s.records[from-s.from : until-s.from]
	}
	s.from, s.until = from, until
	return s
}

// piece is what a segment says of the offsets up to the end of a row group from the end of the one before; the last one of a segment has
// no row group. For each piece it counts the offsets without a record, and does not say which are which.
type piece struct {
	format.Place
	from, until       int64 // covered
	control, filtered int64
	epoch             int32 // of the last record or marker, of the last piece of a segment that knows it; else NoLeaderEpoch
	last              bool  // of its segment
}

func (p *piece) hasGroup() bool { return p.Index < len(p.Document.Groups) }

// group is the zero value for a piece without one.
func (p *piece) group() (g format.RowGroup) {
	if p.hasGroup() {
		g = *p.Group()
	}
	return g
}

// gaps are those of the piece; a gap lies in one piece alone.
func (p *piece) gaps() []ledger.Gap {
	var in []ledger.Gap
	for _, g := range p.Document.Gaps {
		if g.From >= p.from && g.Until <= p.until {
			in = append(in, g)
		}
	}
	return in
}

// expand makes spans of a piece and its records.
func (p *piece) expand(records []format.Record) ([]span, error) {
	e := expansion{at: p.from}
	for _, g := range p.gaps() {
		k, ok := kindOf(g.Reason)
		if !ok {
			return nil, fmt.Errorf("%s: offsets [%d, %d): a gap of reason %q cannot be copied", p.Segment.Path, g.From, g.Until, g.Reason)
		}
		e.gaps = append(e.gaps, span{from: g.From, until: g.Until, kind: k})
	}
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n].Offset == records[0].Offset+int64(n) {
			n++
		}
		e.missing(records[0].Offset)
		e.spans = append(e.spans, span{e.at, e.at + int64(n), held, records[:n]})
		e.at += int64(n)
		records = records[n:]
	}
	e.missing(p.until)
	return e.divide(p.control, p.filtered)
}

// expansion is spans under way; which of those without a record are absent is not known before divide.
type expansion struct {
	spans []span
	gaps  []span
	at    int64
}

// missing adds offsets without a record, up to until.
func (e *expansion) missing(until int64) {
	for len(e.gaps) > 0 && e.gaps[0].from < until {
		g := e.gaps[0]
		e.gaps = e.gaps[1:]
		e.add(g.from, absent)
		e.add(g.until, g.kind)
	}
	e.add(until, absent)
}

func (e *expansion) add(until int64, k kind) {
	if e.at < until {
		e.spans = append(e.spans, span{from: e.at, until: until, kind: k})
		e.at = until
	}
}

// divide says which of the absent offsets are markers and which were left out. Where there are others too, the document does not say it. A
// marker ends a transaction, so the last offset of each run is one as long as there are any; then runs are filled up in order.
func (e *expansion) divide(controls, filter int64) ([]span, error) {
	shares := make([][2]int64, len(e.spans)) // markers, left out
	for i, s := range e.spans {
		if s.kind == absent && controls > 0 {
			shares[i][0] = 1
			controls--
		}
	}
	for i, s := range e.spans {
		if s.kind != absent {
			continue
		}
		n := min(controls, s.until-s.from-shares[i][0])
		shares[i][0], controls = shares[i][0]+n, controls-n
		shares[i][1] = min(filter, s.until-s.from-shares[i][0])
		filter -= shares[i][1]
	}
	if controls > 0 || filter > 0 {
		return nil, fmt.Errorf("%w: more offsets are counted than there are without a record", format.ErrCorrupt)
	}
	var out expansion
	for i, s := range e.spans {
		if s.kind != absent {
			out.spans = append(out.spans, s)
			continue
		}
		out.at = s.from
		out.add(s.from+shares[i][1], filtered)
		out.add(s.until-shares[i][0], absent)
		out.add(s.until, control)
	}
	return out.spans, nil
}
