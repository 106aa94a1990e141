package merge

import (
	"cmp"
	"container/heap"
	"context"
	"io"
	"runtime"
	"sync"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/budget"
	"github.com/karchive/karchive/internal/moment"
	"github.com/karchive/karchive/internal/ondisk"
)

// stage decodes the row groups of several partitions in the order in which a sequence will need them, some of them ahead, and holds them
// until then.
//
// A merge by time needs a record of every partition at once, and only whole row groups can be verified. Those of a thousand partitions do
// not fit in memory, so what finds no room there waits in a temporary file, from which it comes back in small blocks. Each row group is
// decoded once.
type stage struct {
	options Options
	room    *budget.Budget // for row groups that stay in memory
	slot    int64          // the most memory of a run of several records
	spill   *spill
	cancel  context.CancelFunc
	at      []*source

	mu       sync.Mutex
	changed  *sync.Cond // something that a decoder or the sequence waits for
	waiting  sources    // a heap: those that no decoder is at, but for those at their end
	live     int        // sources that are not at their end
	ahead    int64      // bytes that are staged and not taken
	round    int64      // of what was taken last
	wanted   *source    // that the sequence waits for
	ctx      context.Context
	decoders sync.WaitGroup
}

// Track is a partition of a sequence.
type Track struct {
	*format.Walk
	Archive *format.Archive // that is walked
	From    int64           // the first offset that is wanted
	// Reshape makes something else of the records of a row group, in their memory; nil: they stay as they are.
	Reshape func([]format.Record) ([]format.Record, error)
}

// source is a track on a stage.
type source struct {
	Track
	index int // in the stage's list

	// Guarded by the stage's mutex.
	place   int   // in waiting; -1: a decoder is at it, and only that decoder uses the track and the fields below, or it is at its end
	peeked  bool  // upcoming is valid
	bound   int64 // a time before which nothing counts that is not staged yet
	round   int64 // of what is not staged yet
	ready   []*staged
	err     error // after what is ready: io.EOF after the last
	dropped bool  // nothing more is wanted

	upcoming format.Place
	reached  int64 // by the records of this round so far
	found    bool  // this round has records
	end      int64 // the first offset that was not read
}

// aheadBytes is how much is staged before it is needed: enough for the row groups of many partitions that begin at
// the same time. What does not fit in memory is on disk.
const aheadBytes = 8 * ondisk.RowGroupBytes

// groupCost is what a row group costs beside its records.
const groupCost = 4 << 10

// slotShare is the part of all memory that is for runs of which a sequence has taken some records and not all: one of each partition.
const slotShare = 8

// newStage begins to decode tracks. Of the memory half is for row groups, and a slot for each partition comes out of slotShare. The stage
// ends with ctx.
func newStage(ctx context.Context, tracks []Track, o Options) *stage {
	s := &stage{
		options: o, room: budget.New(o.MemoryBytes / 2),
		slot: o.MemoryBytes / slotShare / int64(max(len(tracks), 1)), spill: &spill{dir: o.TempDir},
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.changed = sync.NewCond(&s.mu)
	context.AfterFunc(s.ctx, s.wake)
	for i, t := range tracks {
		src := &source{Track: t, index: i, place: i, bound: moment.Untimed, reached: moment.Untimed, end: t.From}
		s.at, s.waiting = append(s.at, src), append(s.waiting, src) // a heap already
	}
	s.live = len(s.at)
	for range max(1, min(runtime.GOMAXPROCS(0)/2, runtime.NumCPU()/2, len(tracks))) { // so that some cores are left to those that send
		s.decoders.Go(s.decode)
	}
	return s
}

func (s *stage) wake() {
	s.mu.Lock()
	s.changed.Broadcast()
	s.mu.Unlock()
}

// close ends the decoders and removes the temporary file.
func (s *stage) close() error {
	s.cancel()
	s.decoders.Wait()
	return s.spill.close()
}

// take returns the next row group of partition i, waiting for it; io.EOF after the last. Any other error is of the partition, or that of
// the context.
func (s *stage) take(i int) (*staged, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src := s.at[i]
	for len(src.ready) == 0 {
		if src.err != nil {
			return nil, src.err
		}
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		s.await(src)
	}
	next := src.ready[0]
	src.ready = src.ready[1:]
	s.ahead -= next.bytes
	s.round = next.round
	s.changed.Broadcast()
	return next, nil
}

// meet waits until the first row group of partition i is known, which takes documents and no decoding, and then is next.
func (s *stage) meet(i int) (round, bound int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for src := s.at[i]; !src.peeked && src.err == nil && s.ctx.Err() == nil; {
		s.await(src)
	}
	return s.at[i].next()
}

// next is the round of the next row group of partition i, and a time before which nothing in it counts.
func (s *stage) next(i int) (round, bound int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at[i].next()
}

func (src *source) next() (round, bound int64) {
	if len(src.ready) > 0 {
		return src.ready[0].round, src.ready[0].bound
	}
	return src.round, src.bound
}

// await waits for a change, and has src decoded first.
func (s *stage) await(src *source) {
	s.wanted = src
	s.changed.Broadcast()
	s.changed.Wait()
	s.wanted = nil
}

// end is the first offset of partition i that was not read.
func (s *stage) end(i int) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at[i].end
}

// drop ends partition i: nothing more of it is wanted.
func (s *stage) drop(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src := s.at[i]
	src.dropped = true
	src.clear(s)
	if src.place >= 0 {
		heap.Remove(&s.waiting, src.place)
		s.finish(src, io.EOF)
	}
}

// finish notes that there is nothing more of a partition to decode, and why.
func (s *stage) finish(src *source, err error) {
	src.err = err
	s.live--
}

func (src *source) clear(s *stage) {
	for _, g := range src.ready {
		s.ahead -= g.bytes
		g.drop(s.spill)
	}
	src.ready = nil
}

// decode stages row groups until there is nothing left to do.
func (s *stage) decode() {
	d := decoder{stage: s, readers: map[*format.Archive]*format.GroupReader{}}
	defer d.close()
	for src := s.choose(); src != nil; src = s.choose() {
		g, err := d.step(src)
		s.deliver(src, g, err)
	}
}

// choose waits for a partition to decode and returns the one that is needed first, or nil when there will be none.
func (s *stage) choose() *source {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.ctx.Err() == nil && s.live > 0 {
		if first := s.first(); first != nil {
			heap.Remove(&s.waiting, first.place)
			return first
		}
		s.changed.Wait()
	}
	return nil
}

// first is the partition that is needed first of those that can be decoded now; nil: there is none.
func (s *stage) first() *source {
	if len(s.waiting) > 0 {
		if src := s.waiting[0]; !src.peeked || s.ahead < aheadBytes && src.round <= s.round+1 {
			return src
		}
	}
	if s.wanted != nil && s.wanted.place >= 0 {
		return s.wanted
	}
	return nil
}

// deliver notes what a decoder made of a partition.
func (s *stage) deliver(src *source, g *staged, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed.Broadcast()
	if g != nil {
		src.ready = append(src.ready, g)
		s.ahead += g.bytes
	}
	if src.dropped {
		src.clear(s)
		err = io.EOF
	}
	src.peeked = err == nil
	if err != nil { // at the time that what cannot be read has, however early it was tried
		s.finish(src, err)
		return
	}
	src.round, src.bound = src.upcoming.Round, bound(src.upcoming.Group(), src.reached)
	heap.Push(&s.waiting, src)
}

// sources are a heap: those first of which nothing is known yet, then by what is needed first.
type sources []*source

func (h sources) Len() int { return len(h) }

func (h sources) Less(i, j int) bool {
	a, b := h[i], h[j]
	if a.peeked != b.peeked {
		return b.peeked
	}
	return cmp.Or(cmp.Compare(a.round, b.round), cmp.Compare(a.bound, b.bound), cmp.Compare(a.index, b.index)) < 0
}

func (h sources) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push is part of heap.Interface.
func (h *sources) Push(x any) {
	src := x.(*source)
	src.place = len(*h)
	*h = append(*h, src)
}

// Pop is part of heap.Interface.
func (h *sources) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	last.place = -1
	return last
}
