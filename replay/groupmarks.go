package replay

import (
	"slices"

	"github.com/karchive/karchive/replay/internal/checkpoint"
)

// bounds are the committed offsets of all groups in a partition of the archive, rising, each once. Between two of them all records are alike for
// every group: that is why a first and a last offset in the target are all that has to be kept of them, however many there are. Nil: nobody
// wants to know.
type bounds []int64

// sorted are committed offsets as bounds.
func (b bounds) sorted() bounds {
	slices.Sort(b)
	return slices.Compact(b)
}

// beforeAll is where the records begin that lie before the first bound.
const beforeAll int64 = -1

// from is the bound at or before an offset.
func (b bounds) from(offset int64) int64 {
	i, found := slices.BinarySearch(b, offset)
	switch {
	case found:
		return offset
	case i == 0:
		return beforeAll
	}
	return b[i-1]
}

// mark notes where the target put a record. Marks of one bound and target may be several: they count together.
func (b bounds) mark(s *checkpoint.Partition, e *entry) {
	if b == nil || e.fate != acknowledged {
		return
	}
	from, at := b.from(e.offset), e.record.Offset
	for i := len(s.Marks) - 1; i >= 0 && s.Marks[i].From >= from; i-- {
		if m := &s.Marks[i]; m.From == from && m.Target == e.record.Partition {
			m.First, m.Last = min(m.First, at), max(m.Last, at)
			return
		}
	}
	s.Marks = append(s.Marks, checkpoint.Mark{From: from, Target: e.record.Partition, First: at, Last: at})
}
