package merge

import (
	"cmp"
	"container/heap"
	"context"
	"io"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/moment"
)

// Sequence walks the records of several partitions in the one order in which they are played: by time, then by the place of their
// partition in the list. A record whose timestamp is before an earlier one of its partition counts as of that one's, so that the order
// within a partition always holds. With rounds, all of a round comes before the next. It is for one goroutine.
type Sequence struct {
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
	run   *Run    // that records are taken from
	taken int     // records of run
}

// Pick is the next record of a sequence.
type Pick struct {
	Partition   int // its place in the list of tracks
	Run         *Run
	Index       int   // of the record, in the run
	Round       int64 // from 0
	TimestampMs int64 // as of which the record counts; moment.Untimed: there was none yet
	OutOfOrder  bool  // its own timestamp is before that
}

// Record is the record. It belongs to its run.
func (p *Pick) Record() *format.Record { return &p.Run.Records[p.Index] }

// Options are the bounds of a sequence.
type Options struct {
	MemoryBytes int64  // of all that is decoded and not taken
	TempDir     string // for what finds no room in memory; empty: the system's place for temporary files
	RunRecords  int    // the most records of a run
	RecordCost  int64  // what whoever takes a run spends on each record beside its bytes
}

// New makes a sequence of tracks, and begins to decode them. It ends with ctx, and is to be closed.
func New(ctx context.Context, tracks []Track, o Options) *Sequence {
	return newSequence(newStage(ctx, tracks, o))
}

// Close ends decoding and removes the temporary file. What was taken stays.
func (q *Sequence) Close() error { return q.stage.close() }

// End is the first offset of a partition that was not read.
func (q *Sequence) End(partition int) int64 { return q.stage.end(partition) }

// newSequence makes a sequence of the partitions of a stage.
func newSequence(s *stage) *Sequence {
	q := &Sequence{stage: s}
	for i := range s.at {
		q.strands = append(q.strands, &strand{index: i, at: moment.Untimed, reached: moment.Untimed})
	}
	heap.Init(&q.strands)
	return q
}

// Next returns the next record; io.EOF after the last. With any other error the pick names the partition that cannot go on, and the
// sequence goes on without it; unless it is the context's.
func (q *Sequence) Next() (Pick, error) {
	for len(q.strands) > 0 {
		s := q.strands[0]
		if s.run != nil {
			return q.take(s), nil
		}
		if err := q.load(s); err != nil {
			heap.Pop(&q.strands)
			if err != io.EOF {
				return Pick{Partition: s.index}, err
			}
			continue
		}
		heap.Fix(&q.strands, 0)
	}
	return Pick{}, io.EOF
}

// take returns the next record of the first strand.
func (q *Sequence) take(s *strand) Pick {
	ms := s.run.Records[s.taken].TimestampMs
	s.reached = s.at
	p := Pick{s.index, s.run, s.taken, s.round, s.at, moment.Counts(ms) && ms < s.at}
	s.taken++
	if s.taken == len(s.run.Records) {
		s.run = nil
	}
	q.look(s)
	if len(q.strands) > 1 {
		heap.Fix(&q.strands, 0)
	}
	return p
}

// look finds out as of when the next record of a strand counts, as well as can be without loading it.
func (q *Sequence) look(s *strand) {
	switch {
	case s.run != nil:
		s.at = moment.Reach(s.reached, s.run.Records[s.taken].TimestampMs)
	case s.group != nil && !s.group.loaded():
		s.at = moment.Reach(s.reached, s.group.firstMs())
	default:
		s.group = nil
		round, bound := q.stage.next(s.index)
		s.enter(round)
		s.at = max(s.reached, bound)
	}
}

// load brings the next record of the first strand a step nearer: its row group, or its run. What comes after a wait may turn out to be
// later than another strand's next.
func (q *Sequence) load(s *strand) error {
	if s.group != nil {
		run, err := s.group.next(q.stage)
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
	s.at = moment.Reach(s.reached, group.firstMs())
	return nil
}

// enter begins another round.
func (s *strand) enter(round int64) {
	if round != s.round {
		s.round, s.reached = round, moment.Untimed
	}
}

// Drop goes on without a partition. Records of it that were picked, or are in a run that was, stay with whoever has them.
func (q *Sequence) Drop(partition int) {
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
