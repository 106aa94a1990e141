package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The keys of a file's key-value metadata: the document, and the digest of its exact bytes.
const (
	documentKey       = "karchive"
	documentDigestKey = "karchive.xxh3"
)

// readFull fills b. A file that ends early is corrupt; any other error is the file system's.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return corruptf("file ends at %d, expected %d bytes from %d", at+int64(n), len(b), at)
	}
	return fmt.Errorf("read %d bytes at %d: %w", len(b), at, err)
}

func corruptf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// checkedDocument checks the digest of a document and what it says.
func checkedDocument(text, digest []byte) (*Document, error) {
	if len(text) > maxDocumentBytes {
		return nil, corruptf("document of %d bytes", len(text))
	}
	if got := Digest(text); got != string(digest) {
		return nil, corruptf("document has digest %s, its file says %.40q", got, digest)
	}
	return parseDocument(text)
}

func parseDocument(text []byte) (*Document, error) {
	if err := checkObjects(text); err != nil {
		return nil, err
	}
	var head struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, corruptf("document: %v", err)
	}
	if err := CheckVersion("segment", head.Version); err != nil {
		return nil, err
	}
	d := new(Document)
	if err := json.Unmarshal(text, d); err != nil {
		return nil, corruptf("document: %v", err)
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d, nil
}

// checkObjects refuses JSON of more objects than anything that a writer makes has: each becomes a struct, which takes many times the
// bytes of an empty one.
func checkObjects(text []byte) error {
	if n := bytes.Count(text, []byte("{")); n > 16+len(text)/minObjectBytes {
		return corruptf("%d objects in %d bytes", n, len(text))
	}
	return nil
}

// CheckVersion returns a *VersionError when what, whose version is v, has a newer major version than this package reads, and an error
// that wraps ErrCorrupt when v is no version.
func CheckVersion(what, v string) error {
	text, _, _ := strings.Cut(v, ".")
	major, err := strconv.Atoi(text)
	if err != nil || major < 1 {
		return corruptf("%s has no valid format version: %q", what, v)
	}
	if known, _, _ := strings.Cut(Version, "."); text != known {
		return &VersionError{What: what, Version: v}
	}
	return nil
}

// check refuses a document that contradicts itself.
func (d *Document) check() error {
	if err := CheckTopicName(d.Topic); err != nil {
		return corruptf("document: %v", err)
	}
	if d.Partition < 0 || d.BaseOffset < 0 || d.NextOffset <= d.BaseOffset || d.Control < 0 || d.Filtered < 0 {
		return corruptf("document: partition %d covers %d..%d", d.Partition, d.BaseOffset, d.NextOffset)
	}
	at, sum := d.BaseOffset, RowGroup{}
	for i := range d.Groups {
		g := &d.Groups[i]
		if err := g.check(at, d.NextOffset); err != nil {
			return corruptf("document: row group %d: %v", i, err)
		}
		at = g.LastOffset + 1
		sum.Records, sum.Bytes = sum.Records+g.Records, sum.Bytes+g.Bytes
		sum.Control, sum.Filtered = sum.Control+g.Control, sum.Filtered+g.Filtered
	}
	if sum.Records != d.Records || sum.Bytes != d.Bytes {
		return corruptf("document: %d records of %d bytes, its row groups have %d of %d", d.Records, d.Bytes, sum.Records, sum.Bytes)
	}
	if sum.Control > d.Control || sum.Filtered > d.Filtered {
		return corruptf("document: %d control and %d filtered offsets, its row groups have %d and %d", d.Control, d.Filtered, sum.Control, sum.Filtered)
	}
	return d.checkGaps()
}

func (d *Document) checkGaps() error {
	at, lost := d.BaseOffset, int64(0)
	for _, g := range d.Gaps {
		if g.From < at || g.Until <= g.From || g.Until > d.NextOffset {
			return corruptf("document: gap %d..%d", g.From, g.Until)
		}
		at, lost = g.Until, lost+g.Until-g.From
	}
	left := d.NextOffset - d.BaseOffset
	for _, n := range []int64{d.Records, d.Control, d.Filtered, lost} {
		if n > left { // one by one: hostile numbers have no sum
			return corruptf("document: more records and gaps than the %d offsets it covers", d.NextOffset-d.BaseOffset)
		}
		left -= n
	}
	return nil
}

// check refuses what cannot be a row group of offsets [from, until).
func (g *RowGroup) check(from, until int64) error {
	room := g.LastOffset - from + 1 - g.Records // for offsets without a record
	switch {
	case g.FirstOffset < from || g.LastOffset < g.FirstOffset || g.LastOffset >= until:
		return fmt.Errorf("offsets %d..%d do not fit in %d..%d", g.FirstOffset, g.LastOffset, from, until)
	case g.Records < 1 || g.Records > g.LastOffset-g.FirstOffset+1:
		return fmt.Errorf("%d records in offsets %d..%d", g.Records, g.FirstOffset, g.LastOffset)
	case g.Records > g.Bytes/canonicalFixed:
		return fmt.Errorf("%d records in %d bytes", g.Records, g.Bytes)
	case g.Records > 1 && g.Bytes > maxGroupBytes || g.Bytes > maxRecordBytes:
		return fmt.Errorf("%d bytes are over the limit", g.Bytes)
	case g.Control < 0 || g.Filtered < 0 || g.Control > room || g.Filtered > room-g.Control:
		return fmt.Errorf("%d control and %d filtered offsets beside %d records", g.Control, g.Filtered, g.Records)
	}
	return g.checkHeaderKeys()
}

func (g *RowGroup) checkHeaderKeys() error {
	row, header := int64(0), -1
	for _, k := range g.HeaderKeys {
		if k.Row < row || k.Row >= g.Records || k.Header < 0 || k.Row == row && k.Header <= header {
			return fmt.Errorf("header key of row %d, header %d is out of order", k.Row, k.Header)
		}
		row, header = k.Row, k.Header
	}
	return nil
}
