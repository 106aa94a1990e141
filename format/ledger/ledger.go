// Package ledger accounts for the offsets that an archive covers and of which it has no record: each has a reason.
package ledger

import "iter"

// Gap is a range of covered offsets without records, from From up to and without Until.
type Gap struct {
	From   int64  `json:"from"`
	Until  int64  `json:"until"`
	Reason Reason `json:"reason"`
}

// Append adds a gap behind others in the order of offsets, and makes one of two that adjoin and have the same reason.
func Append(gaps []Gap, g Gap) []Gap {
	if n := len(gaps); n > 0 && gaps[n-1].Until == g.From && gaps[n-1].Reason == g.Reason {
		gaps[n-1].Until = g.Until
		return gaps
	}
	return append(gaps, g)
}

// Ledger counts covered offsets without a record, by reason. Records and the five counts add up to Next - From.
type Ledger struct {
	Retention int64 `json:"retention"`
	Corrupt   int64 `json:"corrupt"`
	Control   int64 `json:"control"`
	Filtered  int64 `json:"filtered"`
	Absent    int64 `json:"absent"`
	Ranges    []Gap `json:"ranges,omitempty"` // the retention and corrupt gaps in offset order, adjoining ones of one reason merged
}

// Lost is the number of offsets whose records are lost: retention and corrupt.
func (l *Ledger) Lost() (n int64) {
	for i := range reasons {
		if reasons[i].lost {
			n += *reasons[i].count(l)
		}
	}
	return n
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

// AddGap counts a gap, whose reason must be Ranged, behind those that are there.
func (l *Ledger) AddGap(g Gap) {
	*reasons[g.Reason.index()].count(l) += g.Until - g.From
	l.Ranges = Append(l.Ranges, g)
}

// Add counts what the ledger of the offsets behind has.
func (l *Ledger) Add(next *Ledger) {
	l.AddCounts(next)
	for _, g := range next.Ranges {
		l.Ranges = Append(l.Ranges, g)
	}
}

// AddCounts counts what another ledger has. Ranges mean nothing without their partition and are left.
func (l *Ledger) AddCounts(other *Ledger) {
	for i := range reasons {
		*reasons[i].count(l) += *reasons[i].count(other)
	}
}
