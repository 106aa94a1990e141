package format

import (
	"fmt"
	"slices"
)

// GroupReader decodes row groups at the places that a Walk names. It keeps the segments that were used last open, so that several
// partitions can be read in turns. It is for one goroutine at a time.
type GroupReader struct {
	archive *Archive
	most    int
	open    []*segmentReader // those used last come last
	checked string           // path of the segment whose file was checked last
}

// NewGroupReader returns a GroupReader that keeps so many segments open, at least one.
func (a *Archive) NewGroupReader(open int) *GroupReader {
	return &GroupReader{archive: a, most: max(open, 1)}
}

// Read decodes the row group at p into the memory of b, checks its digest, and returns its records in the window of the Walk, which may be
// none. With a nil b they are the caller's. An error that wraps ErrCorrupt means that no record of the row group can be trusted; others may be
// read.
func (r *GroupReader) Read(p *Place, b *Buffer) ([]Record, error) {
	s, err := r.segment(p.Segment)
	if err != nil {
		return nil, err
	}
	if err := s.isOf(p); err != nil {
		return nil, err
	}
	records, err := s.readGroup(p.Index, b)
	if err != nil || p.Whole() {
		return records, err
	}
	return slices.DeleteFunc(records, func(r Record) bool { return !p.selection.Contains(&r) }), nil
}

// isOf refuses a file that is not the one that a Walk has seen: another archive was put in the place of this one.
func (s *segmentReader) isOf(p *Place) error {
	if p.Index < len(s.doc.Groups) && s.doc.Groups[p.Index].Digest == p.Group().Digest && s.doc.Groups[p.Index].FirstOffset == p.Group().FirstOffset {
		return nil
	}
	return fmt.Errorf("%s: %w", s.path, corruptf("another file took its place since the archive was opened"))
}

// MayHaveKey says whether a record of the row group at p may have a key that match accepts, which is not asked about null. It decodes nothing but
// keys, and so checks no digest: what it says no of is unproven where the file is damaged. It says yes of what cannot be told, and of what Read
// would find damaged if keys show it.
func (r *GroupReader) MayHaveKey(p *Place, match func(key []byte) bool) bool {
	s, err := r.segment(p.Segment)
	return err != nil || s.mayHaveKey(p.Index, match)
}

// check checks the file of a segment, unless it was the last one to be checked.
func (r *GroupReader) check(s Segment) error {
	if r.checked == s.Path {
		return nil
	}
	if err := r.archive.checkFile(s); err != nil {
		return err
	}
	r.checked = s.Path
	return nil
}

// segment opens a segment, or finds it among those that are open. It is not to be closed, and stays open until others are used.
func (r *GroupReader) segment(s Segment) (*segmentReader, error) {
	if i := slices.IndexFunc(r.open, func(o *segmentReader) bool { return o.path == s.Path }); i >= 0 {
		found := r.open[i]
		r.open = append(slices.Delete(r.open, i, i+1), found)
		return found, nil
	}
	found, err := r.archive.openSegment(s)
	if err != nil {
		return nil, err
	}
	if len(r.open) == r.most {
		r.open[0].close()
		r.open = slices.Delete(r.open, 0, 1)
	}
	r.open = append(r.open, found)
	return found, nil
}

// document is the document of a segment for a walk through a window. One that is not known yet is read from the segment, which stays open: it is what is
// read next, unless the catalog knows that it has nothing of a window in time.
func (r *GroupReader) document(w *Selection, s Segment) (*Document, error) {
	if d := r.archive.documents.proven(s.Path); d != nil {
		return d, nil
	}
	if w.timed() {
		if d := r.archive.claimed(s); d != nil && !w.overlapsAny(d) {
			return d, nil
		}
	}
	open, err := r.segment(s)
	if err != nil {
		return nil, err
	}
	return open.doc, nil
}

// Close closes what is open. The GroupReader can still be used, and then is to be closed again.
func (r *GroupReader) Close() error {
	var first error
	for _, s := range r.open {
		if err := s.close(); first == nil {
			first = err
		}
	}
	r.open = nil
	return first
}
