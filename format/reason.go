package format

import (
	"iter"
	"slices"
)

// Reason says why covered offsets hold no record.
type Reason string

// The reasons of a gap. Retention and corrupt gaps are stored as ranges, control and filtered offsets as counts; absent is what
// remains: covered, without a record, and for no other reason.
const (
	GapRetention Reason = "retention" // deleted from the log before it was read
	GapCorrupt   Reason = "corrupt"   // lost by a recovery
	GapControl   Reason = "control"   // transaction markers
	GapFiltered  Reason = "filtered"  // left out on request
	GapAbsent    Reason = "absent"    // compacted or aborted: Kafka does not tell which
)

// storage is how a segment's document keeps the offsets without a record.
type storage int

const (
	asRanges storage = iota
	asCount
	asRest // what is left of the covered offsets
)

// reasonParts is what there is to know of a reason.
type reasonParts struct {
	Reason
	stored storage
	lost   bool                   // records are missing that the log had
	count  func(l *Ledger) *int64 // its place in a ledger
}

// reasons is all that differs between reasons, in the order in which they are shown. A reader refuses any other.
var reasons = []reasonParts{
	{GapRetention, asRanges, true, func(l *Ledger) *int64 { return &l.Retention }},
	{GapCorrupt, asRanges, true, func(l *Ledger) *int64 { return &l.Corrupt }},
	{GapControl, asCount, false, func(l *Ledger) *int64 { return &l.Control }},
	{GapFiltered, asCount, false, func(l *Ledger) *int64 { return &l.Filtered }},
	{GapAbsent, asRest, false, func(l *Ledger) *int64 { return &l.Absent }},
}

// All goes through all reasons and their counts, in the order in which to show them: what is lost first.
func (l *Ledger) All() iter.Seq2[Reason, int64] {
	return func(yield func(Reason, int64) bool) {
		for i := range reasons {
			if !yield(reasons[i].Reason, *reasons[i].count(l)) {
				return
			}
		}
	}
}

// ranged says that a document keeps such offsets as ranges.
func (r Reason) ranged() bool {
	i := r.index()
	return i >= 0 && reasons[i].stored == asRanges
}

func (r Reason) index() int {
	return slices.IndexFunc(reasons, func(p reasonParts) bool { return p.Reason == r })
}

// addGap counts a gap of a document, whose reason was checked.
func (l *Ledger) addGap(g Gap) {
	*reasons[g.Reason.index()].count(l) += g.Until - g.From
	l.Ranges = appendGap(l.Ranges, g)
}
