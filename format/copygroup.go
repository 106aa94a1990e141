package format

import (
	"errors"
	"fmt"
	"io"

	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/internal/parquetbytes"
)

// CopyGroup writes the row group at p, of another segment of the same log, as the bytes that it is there, and ends the current one before.
// Position must be where the row group before ends in that segment, or its base: gaps and counts in front of the row group are copied with
// it. Nothing is decoded: instead the whole file of the segment is checked against its SHA-256, once for row groups that come one after the other. Copied is
// false, and nothing was done, for a row group that another program laid out, or one of another encoding: only its records can be written.
func (w *writer) CopyGroup(from *GroupReader, p *Place) (copied bool, err error) {
	g := *p.Group()
	if err := w.check(g.FirstOffset); err != nil {
		return false, err
	}
	s, err := from.segment(p.Segment)
	if err != nil {
		return false, err
	}
	if s.encoding != w.options.Encoding || s.full != nil {
		return false, nil
	}
	if err := from.check(p.Segment); err != nil {
		return false, err
	}
	raw, err := s.groups.raw(p.Index, s.doc)
	if errors.Is(err, parquetbytes.ErrForeign) {
		return false, nil
	}
	if err != nil {
		return false, w.fail(fmt.Errorf("row group %d: %w", p.Index, err))
	}
	return true, w.copyRaw(s.doc, g, &raw)
}

// copyRaw writes a row group with the gaps of its document in front of it.
func (w *writer) copyRaw(doc *Document, g RowGroup, raw *rawGroup) error {
	if err := w.finishGroups(); err != nil {
		return err
	}
	for _, gap := range doc.Gaps {
		if gap.From >= w.position && gap.From < g.LastOffset {
			w.doc.Gaps = ledger.Append(w.doc.Gaps, gap)
		}
	}
	return w.placeRaw(g, raw)
}

// finishGroups ends the current row group and waits until all are in the file.
func (w *writer) finishGroups() error {
	if err := w.Cut(); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return w.begin()
}

func (w *writer) placeRaw(g RowGroup, raw *rawGroup) error {
	if err := w.encoder.place(raw.place, w.written); err != nil {
		return w.fail(fmt.Errorf("place row group: %w", err))
	}
	w.doc.Control, w.doc.Filtered = w.doc.Control+g.Control, w.doc.Filtered+g.Filtered
	g.Control, g.Filtered = g.Control+w.pending.control, g.Filtered+w.pending.filtered
	w.pending = skipped{}
	w.doc.Records, w.doc.Bytes = w.doc.Records+g.Records, w.doc.Bytes+g.Bytes
	for _, k := range g.HeaderKeys {
		w.keysSize += headerKeySize(string(k.Key))
	}
	w.doc.Groups = append(w.doc.Groups, g)
	w.position = g.LastOffset + 1
	n, err := io.Copy(w.out, &raw.SectionReader)
	w.written += n
	if err == nil && n != raw.Size() {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return w.fail(fmt.Errorf("copy row group: %w", err))
	}
	return nil
}
