package format

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/karchive/karchive/format/ledger"
)

// reader reads one segment, row group by row group. It holds no more than one row group in memory. It is for one goroutine; several
// readers may read the same file.
type reader struct {
	doc      *Document
	encoding Encoding
	groups   decoder

	full   *Document // of the file, when doc leaves row groups out; else nil
	places []int     // of the row groups of doc in full
}

// newReader reads what a segment of size bytes says of itself and checks it, whatever its encoding. Errors wrap ErrCorrupt when the bytes
// are not what was written, ErrNotArchive when it is another file of that encoding, and are ErrVersion when the segment is too new; all
// others come from r.
func newReader(r io.ReaderAt, size int64) (_ *reader, err error) {
	defer catch(&err)
	doc, e, d, err := openSegmentFile(r, size)
	if err != nil {
		return nil, err
	}
	return &reader{doc: doc, encoding: e.name, groups: d}, nil
}

// catch makes an error of a panic: bytes that are not what was written can bring libraries to that.
func catch(err *error) {
	if p := recover(); p != nil {
		*err = corruptf("decode: %v", p)
	}
}

// readGroup decodes row group i into the memory of b, checks its digest and returns its records in offset order, which share memory with
// each other. An error that wraps ErrCorrupt means that no record of the row group can be trusted; other row groups may
// be read.
func (r *reader) readGroup(i int, b *Buffer) ([]Record, error) {
	if i < 0 || i >= len(r.doc.Groups) {
		return nil, fmt.Errorf("row group %d of %d", i, len(r.doc.Groups))
	}
	group := &r.doc.Groups[i]
	records, err := r.decode(i, b.reset())
	if err != nil {
		return nil, fmt.Errorf("row group %d: %w", i, err)
	}
	err = group.verify(records)
	if err == nil {
		err = checkOutsideGaps(records, r.doc.Gaps)
	}
	if err != nil {
		return nil, fmt.Errorf("row group %d: %w", i, err)
	}
	return records, nil
}

func (r *reader) decode(i int, b *Buffer) (_ []Record, err error) {
	defer catch(&err)
	if r.full != nil {
		return r.groups.read(r.places[i], r.full, b)
	}
	return r.groups.read(i, r.doc, b)
}

// mayHaveKey says whether a record of row group i may have a key that matches.
func (r *reader) mayHaveKey(i int, match func(key []byte) bool) (may bool) {
	from, ok := r.groups.(keyDecoder)
	if !ok || i < 0 || i >= len(r.doc.Groups) {
		return true
	}
	defer func() { may = may || recover() != nil }()
	doc, at := r.doc, i
	if r.full != nil {
		doc, at = r.full, r.places[i]
	}
	found := false
	rows, err := from.keys(at, doc, func(key []byte) { found = found || match(key) })
	return found || err != nil || rows != doc.Groups[at].Records
}

// verify checks records against what the document says of them.
func (g *RowGroup) verify(records []Record) error {
	for i := range records {
		if err := records[i].check(); err != nil {
			return err
		}
	}
	if err := restoreHeaderKeys(records, g.HeaderKeys); err != nil {
		return err
	}
	digest, size := recordsDigest(records)
	if digest != g.Digest {
		return corruptf("records have digest %s, the document says %.40q", digest, g.Digest)
	}
	if size != g.Bytes {
		return corruptf("records of %d bytes, the document says %d", size, g.Bytes)
	}
	return g.verifyRange(records)
}

// check refuses a record, as its columns have it, that no log can hold.
func (r *Record) check() error {
	switch {
	case r.TimestampType < TimestampNone || r.TimestampType > TimestampLogAppend:
		return corruptf("offset %d: timestamp type %d is unknown", r.Offset, r.TimestampType)
	case r.LeaderEpoch < NoLeaderEpoch:
		return corruptf("offset %d: leader epoch %d is impossible", r.Offset, r.LeaderEpoch)
	}
	for i := range r.Headers {
		if !utf8.ValidString(r.Headers[i].Key) {
			return corruptf("offset %d: the column of header keys holds bytes that are not UTF-8", r.Offset)
		}
	}
	return nil
}

// verifyRange checks the offsets and times of records.
func (g *RowGroup) verifyRange(records []Record) error {
	first, last := &records[0], &records[len(records)-1]
	if first.Offset != g.FirstOffset || last.Offset != g.LastOffset {
		return corruptf("offsets %d to %d, the document says %d to %d", first.Offset, last.Offset, g.FirstOffset, g.LastOffset)
	}
	low, high := first.TimestampMs, first.TimestampMs
	for i := 1; i < len(records); i++ {
		if records[i].Offset <= records[i-1].Offset {
			return corruptf("offset %d after %d", records[i].Offset, records[i-1].Offset)
		}
		low, high = min(low, records[i].TimestampMs), max(high, records[i].TimestampMs)
	}
	if low != g.MinTimestampMs || high != g.MaxTimestampMs {
		return corruptf("timestamps %d..%d, the document says %d..%d", low, high, g.MinTimestampMs, g.MaxTimestampMs)
	}
	return nil
}

func restoreHeaderKeys(records []Record, keys []HeaderKey) error {
	for _, k := range keys {
		if k.Row >= int64(len(records)) || k.Header >= len(records[k.Row].Headers) {
			return corruptf("document names header %d of row %d, which is not there", k.Header, k.Row)
		}
		records[k.Row].Headers[k.Header].Key = string(k.Key)
	}
	return nil
}

// checkOutsideGaps refuses a record at an offset that is said to be lost. Both are in offset order.
func checkOutsideGaps(records []Record, gaps []ledger.Gap) error {
	first := records[0].Offset
	i, _ := slices.BinarySearchFunc(gaps, first, func(g ledger.Gap, at int64) int { return cmp.Compare(g.Until, at+1) })
	for gaps = gaps[i:]; len(gaps) > 0 && gaps[0].From <= records[len(records)-1].Offset; gaps = gaps[1:] {
		g := &gaps[0]
		j, _ := slices.BinarySearchFunc(records, g.From, func(r Record, at int64) int { return cmp.Compare(r.Offset, at) })
		if at := records[j].Offset; at < g.Until {
			return corruptf("has a record at offset %d, in the gap %d..%d (%s)", at, g.From, g.Until, g.Reason)
		}
	}
	return nil
}
