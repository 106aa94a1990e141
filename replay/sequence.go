package replay

import (
	"cmp"
	"container/heap"
	"io"
)

// sequence walks the records of several partitions in the one order in which they are played: by time, then by the place of their
// partition in the list. A record whose timestamp is before an earlier one of its partition counts as of that one's, so that the order
// within a partition always holds. With rounds, all of a round comes before the next. It is for one goroutine.
type sequence struct {
	stage   *stage
	strands strands // a heap: the next one first
}

// strand is a partition in a sequence.
type strand struct {
	index   int // in the list
	round   int64
	at      int64 // the time as of which the next record counts, or one before it while that is not known
	reached int64 // by the records of the round so far

	met   bool    // its first row group is known
	group *staged // that runs are taken from
	run   *run    // that records are taken from
	taken int     // records of run
}

// pick is the next record of a sequence.
type pick struct {
	partition   int // its place in the list
	run         *run
	index       int   // of the record, in the run
	round       int64 // from 0
	timestampMs int64 // as of which the record counts; untimed: there was none yet
	outOfOrder  bool  // its own timestamp is before that
}

// newSequence makes a sequence of the partitions of a stage.
func newSequence(s *stage) *sequence {
	q := &sequence{stage: s}
	for i := range s.at {
		q.strands = append(q.strands, &strand{index: i, at: untimed, reached: untimed})
	}
	heap.Init(&q.strands)
	return q
}

// next returns the next record; io.EOF after the last. With any other error the pick names the partition that cannot go on, and the
// sequence goes on without it; unless it is the context's.
func (q *sequence) next() (pick, error) {
	for len(q.strands) > 0 {
		s := q.strands[0]
		if s.run != nil {
			return q.take(s), nil
		}
		if err := q.load(s); err != nil {
			heap.Pop(&q.strands)
			if err != io.EOF {
				return pick{partition: s.index}, err
			}
			continue
		}
		heap.Fix(&q.strands, 0)
	}
	return pick{}, io.EOF
}

// take returns the next record of the first strand.
func (q *sequence) take(s *strand) pick {
	ms := s.run.records[s.taken].TimestampMs
	s.reached = s.at
	p := pick{s.index, s.run, s.taken, s.round, s.at, counts(ms) && ms < s.at}
	s.taken++
	if s.taken == len(s.run.records) {
		s.run = nil
	}
	q.look(s)
	if len(q.strands) > 1 {
		heap.Fix(&q.strands, 0)
	}
	return p
}

// look finds out as of when the next record of a strand counts, as well as can be without loading it.
func (q *sequence) look(s *strand) {
	switch {
	case s.run != nil:
		s.at = reach(s.reached, s.run.records[s.taken].TimestampMs)
	case s.group != nil && !s.group.loaded():
		s.at = reach(s.reached, s.group.firstMs())
	default:
		s.group = nil
		round, bound := q.stage.next(s.index)
		s.enter(round)
		s.at = max(s.reached, bound)
	}
}

// load brings the next record of the first strand a step nearer: its row group, or its run. What comes after a wait may turn out to be
// later than another strand's next.
func (q *sequence) load(s *strand) error {
	if s.group != nil {
		run, err := s.group.next(q.stage.spill, q.stage.slot)
		if err != nil {
			return err
		}
		s.run, s.taken = run, 0
		return nil
	}
	if !s.met { // what it begins with says whether its records are needed soon
		s.met = true
		round, bound := q.stage.meet(s.index)
		s.enter(round)
		s.at = max(s.reached, bound)
		return nil
	}
	group, err := q.stage.take(s.index)
	if err != nil {
		return err
	}
	s.group = group
	s.enter(group.round)
	s.at = reach(s.reached, group.firstMs())
	return nil
}

// enter begins another round.
func (s *strand) enter(round int64) {
	if round != s.round {
		s.round, s.reached = round, untimed
	}
}

// drop goes on without a partition. Records of it that were picked, or are in a run that was, stay with whoever has them.
func (q *sequence) drop(partition int) {
	for i, s := range q.strands {
		if s.index != partition {
			continue
		}
		heap.Remove(&q.strands, i)
		if s.group != nil {
			s.group.drop(q.stage.spill)
		}
		q.stage.drop(partition)
		return
	}
}

// strands are a heap by time.
type strands []*strand

func (h strands) Len() int { return len(h) }

func (h strands) Less(i, j int) bool {
	a, b := h[i], h[j]
	return cmp.Or(cmp.Compare(a.round, b.round), cmp.Compare(a.at, b.at), cmp.Compare(a.index, b.index)) < 0
}

func (h strands) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push is part of heap.Interface.
func (h *strands) Push(x any) { *h = append(*h, x.(*strand)) }

// Pop is part of heap.Interface.
func (h *strands) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}
