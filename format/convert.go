package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/karchive/karchive/format/ledger"
)

// ConvertOptions configures ConvertSegment and Recover. The zero value compresses with zstd at its fastest level on the caller's goroutine.
type ConvertOptions struct {
	Compression Compression
	Encoders    chan struct{} // as in WriterOptions
	// OnGroup, if set, is called for each row group that was read, on the caller's goroutine. Its error ends the whole, and is returned.
	OnGroup func(*RowGroup) error
}

// ConvertSegment writes a segment, row group by row group, into another archive, which is open for writing and has an encoding of its own.
// The segment must continue its partition, as in NewSegment. Its document stays as it is: records, coverage, gaps, row groups and their digests.
// So converting the result back makes the bytes that there were, as far as this version wrote them. One of a newer minor version is refused,
// because what this one does not know of it would be lost.
func ConvertSegment(from, into *Archive, s Segment, o ConvertOptions) error {
	doc, err := from.footer(s)
	if err != nil {
		return err
	}
	if newerVersion(doc.Version) {
		return versionError(s.Path, doc.Version)
	}
	made, err := copySegment(from, into, s, s.Base, o)
	if err != nil {
		return err
	}
	if err := sameDocument(made, doc); err != nil {
		return fmt.Errorf("%s: %w", s.Path, err)
	}
	return nil
}

// copySegment writes a segment anew, from base on: what lies between base and the segment is lost.
func copySegment(from, into *Archive, s Segment, base int64, o ConvertOptions) (*Document, error) {
	r, err := from.openSegment(s)
	if err != nil {
		return nil, err
	}
	defer r.close()
	doc := r.doc
	p, err := into.NewSegment(WriterOptions{
		Topic: s.Topic, Partition: s.Partition, Base: base, Source: doc.Source, Compression: o.Compression, Encoders: o.Encoders,
	})
	if err != nil {
		return nil, err
	}
	defer p.Discard() // does nothing after Seal
	if err := copyGroups(p.writer, r, o.OnGroup); err != nil {
		return nil, err
	}
	if base < s.Base {
		p.writer.doc.Gaps = appendBetween([]ledger.Gap{{From: base, Until: s.Base, Reason: ledger.Corrupt}}, doc.Gaps, s.Base, doc.NextOffset)
	}
	_, made, err := p.Seal(doc.NextOffset)
	return made, err
}

// copyGroups writes what r holds, cut as it is there.
func copyGroups(w *writer, r *segmentReader, onGroup func(*RowGroup) error) error {
	doc := r.doc
	var memory Buffer
	for i := range doc.Groups {
		records, err := r.readGroup(i, &memory)
		if err != nil {
			return err
		}
		if err := w.copyGroup(&doc.Groups[i], records); err != nil {
			return err
		}
		if onGroup == nil {
			continue
		}
		if err := onGroup(&doc.Groups[i]); err != nil {
			return err
		}
	}
	w.doc.Gaps = slices.Clone(doc.Gaps)
	w.doc.Control, w.doc.Filtered, w.doc.LastLeaderEpoch = doc.Control, doc.Filtered, doc.LastLeaderEpoch
	return nil
}

// copyGroup writes a row group of another segment as one.
func (w *writer) copyGroup(g *RowGroup, records []Record) error {
	w.pending = skipped{control: g.Control, filtered: g.Filtered}
	for i := range records {
		size := CanonicalSize(&records[i])
		if err := w.accepts(&records[i], size); err != nil {
			return err
		}
		w.add(&records[i], size)
	}
	return w.Cut()
}

// sameDocument refuses a document that is not like the one that it was made from, but for its version.
func sameDocument(made, from *Document) error {
	was := *from
	was.Version = made.Version
	got, err := json.Marshal(made)
	if err != nil {
		return err
	}
	want, err := json.Marshal(&was)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return errors.New("its document says what cannot be written again")
	}
	return nil
}
