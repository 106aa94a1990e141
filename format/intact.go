package format

import (
	"errors"
	"fmt"
	"slices"

	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
)

// OpenIntact opens what is intact of a damaged archive for reading. It first checks everything as a deep Verify does, and passes what it
// finds to report, whose error ends it. Then it gives an Archive without the segments and row groups that cannot be trusted: where they
// were, documents and coverage have gaps of reason ledger.Corrupt, also at the beginning of a partition and where nothing is left of it. What a
// last segment covered that cannot be read is not known: with a plan, the archive ends before it and the plan goes at least to one offset
// behind its base, so that a capture goes on there; without one, that offset is the end of the gap. When karchive.json cannot be read,
// the identity says only what the segments tell.
func OpenIntact(fsys storage.ReadFS, report func(FileCheck) error) (*Archive, error) {
	f := intactFinder{segments: map[TopicPartition][]Segment{}, last: map[TopicPartition]*Document{},
		bad: map[string][]int{}, lost: map[TopicPartition]*lostSegments{}}
	err := Verify(fsys, VerifyOptions{Deep: true}, func(c FileCheck) error {
		f.take(&c)
		return report(c)
	})
	if err != nil {
		return nil, err
	}
	id, err := loadIdentity(fsys)
	if errors.Is(err, ErrCorrupt) {
		id, err = f.identity(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	return &Archive{fsys: fsys, segments: f.segments, damage: &damage{f.bad, f.settle(&id)}, identity: id}, nil
}

// intactFinder collects the segments that can be read, in order and without overlap.
type intactFinder struct {
	segments map[TopicPartition][]Segment
	last     map[TopicPartition]*Document
	bad      map[string][]int
	lost     map[TopicPartition]*lostSegments
}

func (f *intactFinder) take(c *FileCheck) {
	if c.Segment == nil {
		return
	}
	tp, d, last := c.Segment.TopicPartition, c.Document, f.last[c.Segment.TopicPartition]
	switch {
	case last != nil && c.Segment.Base < last.NextOffset:
		return // doubled
	case d == nil || c.elsewhere || last != nil && d.Source != last.Source:
		f.lost[tp] = f.lost[tp].add(c.Segment.Base)
		return
	}
	f.segments[tp] = append(f.segments[tp], *c.Segment)
	f.last[tp] = d
	f.bad[c.Segment.Path] = c.BadGroups
}

// identity is what the segments tell of it.
func (f *intactFinder) identity() Identity {
	id := Identity{Version: parquetVersion, Encoding: Parquet, Topics: []origin.Topic{}}
	for _, tp := range (&listing{segments: f.segments}).order() {
		d := f.last[tp]
		id.ClusterID = d.Source.ClusterID
		id.Encoding = f.segments[tp][0].encoding()
		id.Version = encodingNamed(id.Encoding).version
		if n := len(id.Topics); n == 0 || id.Topics[n-1].Name != tp.Topic {
			id.Topics = append(id.Topics, origin.Topic{Name: tp.Topic, ID: d.Source.TopicID})
		}
		id.Topics[len(id.Topics)-1].Partitions = tp.Partition + 1
	}
	return id
}

// without returns r without some of its row groups. The document of what is left has gaps where they were.
func (r *reader) without(bad []int) *reader {
	if len(bad) == 0 {
		return r
	}
	doc := *r.doc
	doc.Groups, doc.Gaps = []RowGroup{}, nil
	out := &reader{doc: &doc, full: r.doc, encoding: r.encoding, groups: r.groups}
	at := doc.BaseOffset
	for i, g := range r.doc.Groups {
		if slices.Contains(bad, i) {
			doc.Records, doc.Bytes = doc.Records-g.Records, doc.Bytes-g.Bytes
			doc.Control, doc.Filtered = doc.Control-g.Control, doc.Filtered-g.Filtered
			doc.Gaps = appendLost(doc.Gaps, r.doc.Gaps, at, g.LastOffset+1)
		} else {
			doc.Groups = append(doc.Groups, g)
			out.places = append(out.places, i)
			doc.Gaps = appendBetween(doc.Gaps, r.doc.Gaps, at, g.LastOffset+1)
		}
		at = g.LastOffset + 1
	}
	doc.Gaps = appendBetween(doc.Gaps, r.doc.Gaps, at, doc.NextOffset)
	return out
}

// appendBetween appends those of known that begin in [from, until).
func appendBetween(gaps, known []ledger.Gap, from, until int64) []ledger.Gap {
	for _, g := range known {
		if from <= g.From && g.From < until {
			gaps = ledger.Append(gaps, g)
		}
	}
	return gaps
}

// appendLost appends what of [from, until) is lost by damage: all of it but the gaps that are known.
func appendLost(gaps, known []ledger.Gap, from, until int64) []ledger.Gap {
	for _, g := range appendBetween(nil, known, from, until) {
		if from < g.From {
			gaps = ledger.Append(gaps, ledger.Gap{From: from, Until: g.From, Reason: ledger.Corrupt})
		}
		gaps = ledger.Append(gaps, g)
		from = g.Until
	}
	if from < until {
		gaps = ledger.Append(gaps, ledger.Gap{From: from, Until: until, Reason: ledger.Corrupt})
	}
	return gaps
}

// hole is the gap between the end of a segment and s, which only an archive from OpenIntact has.
func (a *Archive) hole(s Segment, next int64) (ledger.Gap, bool) {
	return ledger.Gap{From: next, Until: s.Base, Reason: ledger.Corrupt}, a.damage != nil && s.Base > next
}

// checkAdjoins is s.checkAdjoins, but for the holes of an archive from OpenIntact.
func (a *Archive) checkAdjoins(s Segment, next int64) error {
	if _, ok := a.hole(s, next); ok {
		return nil
	}
	return s.checkAdjoins(next)
}
