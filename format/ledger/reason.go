package ledger

import "slices"

// Reason says why covered offsets hold no record.
type Reason string

// The reasons of a gap. Retention and corrupt gaps are stored as ranges, control and filtered offsets as counts; absent is what
// remains: covered, without a record, and for no other reason.
const (
	Retention Reason = "retention" // deleted from the log before it was read
	Corrupt   Reason = "corrupt"   // lost by a recovery
	Control   Reason = "control"   // transaction markers
	Filtered  Reason = "filtered"  // left out on request
	Absent    Reason = "absent"    // compacted or aborted: Kafka does not tell which
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
	{Retention, asRanges, true, func(l *Ledger) *int64 { return &l.Retention }},
	{Corrupt, asRanges, true, func(l *Ledger) *int64 { return &l.Corrupt }},
	{Control, asCount, false, func(l *Ledger) *int64 { return &l.Control }},
	{Filtered, asCount, false, func(l *Ledger) *int64 { return &l.Filtered }},
	{Absent, asRest, false, func(l *Ledger) *int64 { return &l.Absent }},
}

// Ranged says that a document keeps such offsets as ranges: what else is no reason of a Gap.
func (r Reason) Ranged() bool {
	i := r.index()
	return i >= 0 && reasons[i].stored == asRanges
}

func (r Reason) index() int {
	return slices.IndexFunc(reasons, func(p reasonParts) bool { return p.Reason == r })
}
