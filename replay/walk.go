package replay

import (
	"fmt"
	"io"

	"github.com/karchive/karchive/format"
)

// walk goes through the row groups of a partition that a window overlaps, in order, round after round. It reads documents only.
type walk struct {
	archive   *format.Archive
	partition format.TopicPartition
	window    format.Window
	rounds    int64
	settings  *settings // whose rules the records go through; nil: none
	trial     bool      // the rules look at records ahead, which come again

	round    int64
	found    bool // a row group, in this round
	segments []format.Segment
	doc      *format.Document // of segments[0]; nil: not read yet
	group    int              // the next one of doc
}

// place is a row group of an archive.
type place struct {
	segment format.Segment
	index   int
	info    *format.RowGroup
	round   int64 // of the walk, from 0
}

// newWalk begins a walk of so many rounds.
func newWalk(archive *format.Archive, tp format.TopicPartition, window format.Window, rounds int64) *walk {
	w := &walk{archive: archive, partition: tp, window: window, rounds: rounds}
	w.restart()
	return w
}

// restart begins a round. Names are enough to leave out segments before and behind the window.
func (w *walk) restart() {
	w.segments, w.doc, w.group, w.found = w.archive.Segments(w.partition), nil, 0, false
	for len(w.segments) > 1 && w.segments[1].Base <= w.window.FromOffset {
		w.segments = w.segments[1:]
	}
	for n := len(w.segments); n > 0 && w.window.UntilOffset != 0 && w.segments[n-1].Base >= w.window.UntilOffset; n-- {
		w.segments = w.segments[:n-1]
	}
}

// next returns the next row group; io.EOF after the last. A round without a row group is the last one.
func (w *walk) next() (place, error) {
	for {
		p, err := w.nextOfRound()
		if err != io.EOF {
			w.found = true
			return p, err
		}
		if w.round++; w.round >= w.rounds || !w.found {
			return place{}, io.EOF
		}
		w.restart()
	}
}

func (w *walk) nextOfRound() (place, error) {
	for len(w.segments) > 0 {
		if err := w.read(); err != nil {
			return place{}, err
		}
		for w.group < len(w.doc.Groups) {
			i := w.group
			w.group++
			if some, _ := overlap(&w.doc.Groups[i], w.window); some {
				return place{w.segments[0], i, &w.doc.Groups[i], w.round}, nil
			}
		}
		w.segments, w.doc = w.segments[1:], nil
	}
	return place{}, io.EOF
}

// read reads the document of the segment, and checks that the next one begins where it ends.
func (w *walk) read() error {
	if w.doc != nil {
		return nil
	}
	doc, err := w.archive.Document(w.segments[0])
	if err != nil {
		return err
	}
	if len(w.segments) > 1 && w.segments[1].Base != doc.NextOffset {
		next := w.segments[1]
		return fmt.Errorf("%s: %w: it does not begin at offset %d, where the segment before it ends", next.Path, format.ErrCorrupt, doc.NextOffset)
	}
	w.doc, w.group = doc, 0
	return nil
}

// bound is a time before which no record of the row group counts, when the partition has reached a time before it.
func (p *place) bound(reached int64) int64 {
	if g := p.info; counts(g.MinTimestampMs) && counts(g.MaxTimestampMs) {
		return max(reached, g.MinTimestampMs)
	}
	return reached
}

// counts says whether a timestamp says when. None does not, and one that no client can send is no time of an event.
func counts(timestampMs int64) bool {
	return timestampMs != format.NoTimestamp && sendable(timestampMs)
}

// reach is the time that a partition has reached with a record: that of its timestamp, or of a record before it when that is later.
func reach(reached, timestampMs int64) int64 {
	if !counts(timestampMs) {
		return reached
	}
	return max(reached, timestampMs)
}
