package format

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// Place is where a row group stands in an archive, as a Walk comes to it. Nothing of the row group is decoded yet.
type Place struct {
	Segment  Segment
	Document *Document // of the segment; must not be changed
	Index    int       // of the row group, in Document.Groups
	Round    int64     // of the Walk, from 0

	selection *Selection // nil: of no Walk, which is everything
}

// Group describes the row group. It must not be changed.
func (p *Place) Group() *RowGroup { return &p.Document.Groups[p.Index] }

// Whole says whether all records of the row group are selected. If not, some may be.
func (p *Place) Whole() bool { return p.selection == nil || p.selection.holds(p.Group()) }

// Walk goes through the row groups of a partition that may hold records within the bounds of a selection, in offset order. It reads documents and decodes
// nothing: a [GroupReader] does that, at the places that it names. Everything that reads archives goes through one, so that all
// see the same records and refuse the same archives. It sees the segments that there are when it begins, and is for one goroutine at a
// time.
type Walk struct {
	archive   *Archive
	selection Selection
	rounds    int64
	segments  []Segment // of a round
	document  func(Segment) (*Document, error)

	at    segmentWalk
	place Place // the next one, when its Document is not nil
	found bool  // a row group, in this round
}

// Walk begins a walk of one round. Whether the selection takes the partition is not asked.
func (a *Archive) Walk(tp TopicPartition, s Selection) *Walk { return a.walk(tp, s, a.documentFor) }

// Walk is [Archive.Walk] for who reads the row groups as they come: documents are read from segments that the GroupReader then has open.
func (r *GroupReader) Walk(tp TopicPartition, s Selection) *Walk {
	return r.archive.walk(tp, s, r.document)
}

func (a *Archive) walk(tp TopicPartition, s Selection, document func(*Selection, Segment) (*Document, error)) *Walk {
	walk := &Walk{archive: a, selection: s, rounds: 1, segments: segmentsIn(a.list(tp), &s)}
	walk.document = func(of Segment) (*Document, error) { return document(&s, of) }
	walk.begin(0)
	return walk
}

// segmentsIn leaves out the segments of a partition that have no selected offset. A segment covers the offsets up to the next one, so names
// are enough for that.
func segmentsIn(list []Segment, s *Selection) []Segment {
	from, begins := slices.BinarySearchFunc(list, s.FromOffset, compareBase)
	if !begins && from > 0 {
		from--
	}
	until := len(list)
	if s.UntilOffset != 0 {
		until, _ = slices.BinarySearchFunc(list, s.UntilOffset, compareBase)
	}
	return list[from:max(from, until)]
}

func compareBase(s Segment, offset int64) int { return cmp.Compare(s.Base, offset) }

// Repeat makes it a walk of so many rounds and returns it. It comes before the first Next.
func (w *Walk) Repeat(rounds int64) *Walk {
	w.rounds = rounds
	return w
}

// begin begins a round.
func (w *Walk) begin(round int64) {
	w.at = segmentWalk{archive: w.archive, rest: w.segments, document: w.document}
	w.place = Place{Round: round, selection: &w.selection}
	w.found = false
}

// Next returns the next row group; io.EOF after the last. A round without one is the last. Other errors wrap ErrCorrupt, or come from the
// file system; what is behind them is not reached.
func (w *Walk) Next() (Place, error) {
	for {
		p, err := w.nextOfRound()
		if err == nil {
			w.found = true
			return p, nil
		}
		if err != io.EOF || w.place.Round+1 >= w.rounds || !w.found {
			return Place{}, err
		}
		w.begin(w.place.Round + 1)
	}
}

func (w *Walk) nextOfRound() (Place, error) {
	for {
		if err := w.enter(); err != nil {
			return Place{}, err
		}
		for w.place.Index < len(w.place.Document.Groups) {
			p := w.place
			w.place.Index++
			if w.selection.overlapsGroup(p.Group()) {
				return p, nil
			}
		}
		w.place.Document = nil
	}
}

// enter goes on to the next segment, unless it is in one.
func (w *Walk) enter() (err error) {
	if w.place.Document == nil {
		w.place.Index = 0
		w.place.Segment, w.place.Document, err = w.at.next()
	}
	return err
}

// segmentWalk goes through segments of a partition, in offset order, and refuses those that do not make one log.
type segmentWalk struct {
	archive  *Archive
	rest     []Segment
	document func(Segment) (*Document, error)
	before   Segment
	last     *Document // of the segment before; nil: none yet
}

// next returns the next segment; io.EOF after the last. That the one behind it adjoins is checked already here, by its name, so that
// nothing of an archive is used up to a segment that is missing.
func (w *segmentWalk) next() (Segment, *Document, error) {
	if len(w.rest) == 0 {
		return Segment{}, nil, io.EOF
	}
	s := w.rest[0]
	d, err := w.document(s)
	if err != nil {
		return s, nil, err
	}
	if w.last != nil {
		if err := checkSameSource(w.last.Source, d.Source); err != nil {
			return s, nil, w.archive.blame(fmt.Errorf("%s: %w", s.Path, err), w.before, s)
		}
	}
	w.rest, w.before, w.last = w.rest[1:], s, d
	if len(w.rest) > 0 {
		if err := w.archive.checkAdjoins(w.rest[0], d.NextOffset); err != nil {
			return s, nil, w.archive.blame(fmt.Errorf("%s: %w", w.rest[0].Path, err), s)
		}
	}
	return s, d, nil
}
