package format

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/storage"
)

// segmentReader is a reader with the file beneath it.
type segmentReader struct {
	*reader
	archive *Archive
	segment Segment
	file    storage.ReadFile
	path    string
}

// readGroup is reader.readGroup with the file named in its errors.
func (s *segmentReader) readGroup(i int, b *Buffer) ([]Record, error) {
	records, err := s.reader.readGroup(i, b)
	if err != nil {
		return nil, s.archive.gone(s.segment, fmt.Errorf("%s: %w", s.path, err))
	}
	return records, nil
}

func (s *segmentReader) close() error { return s.file.Close() }

// openSegment opens a segment for reading. Its document is checked against the segment's place: topic, partition, base.
func (a *Archive) openSegment(s Segment) (*segmentReader, error) {
	f, size, err := openSized(a.fsys, s.Path)
	if err != nil {
		return nil, a.gone(s, err)
	}
	r, err := a.newSegmentReader(f, size, s)
	if err != nil {
		f.Close()
		return nil, err
	}
	a.documents.put(s.Path, r.doc)
	return r, nil
}

// newReaderInArchive is newReader for a file that stands where a segment should: one of another kind is damage there.
func newReaderInArchive(f storage.ReadFile, size int64) (*reader, error) {
	r, err := newReader(f, size)
	if errors.Is(err, ErrNotArchive) {
		err = corruptf("%v", err)
	}
	return r, err
}

func (a *Archive) newSegmentReader(f storage.ReadFile, size int64, s Segment) (*segmentReader, error) {
	counted := countedFile{f, &a.bytesRead}
	r, err := newReaderInArchive(counted, size)
	if err == nil {
		err = s.checkPlace(r)
	}
	if err == nil {
		err = a.checkSource(r.doc)
	}
	if err == nil {
		err = a.checkCatalog(s, r.doc)
	}
	if err != nil {
		return nil, a.gone(s, fmt.Errorf("%s: %w", s.Path, err))
	}
	return &segmentReader{r.without(a.damage.groupsOf(s)), a, s, counted, s.Path}, nil
}

// Document is the document of a segment, which must not be changed. Those asked for last are kept. It may be what the archive's catalog says: see
// [Archive.IgnoreCatalog].
func (a *Archive) Document(s Segment) (*Document, error) {
	if d := a.claimed(s); d != nil {
		return d, nil
	}
	return a.footer(s)
}

// footer is Document, as the segment itself says.
func (a *Archive) footer(s Segment) (*Document, error) {
	if d := a.documents.proven(s.Path); d != nil {
		return d, nil
	}
	f, size, err := openSized(a.fsys, s.Path)
	if err != nil {
		return nil, a.gone(s, err)
	}
	defer f.Close()
	r, err := a.newSegmentReader(f, size, s)
	if err != nil {
		return nil, err
	}
	d := r.doc
	a.documents.put(s.Path, d)
	return d, nil
}

func openSized(fsys storage.ReadFS, name string) (storage.ReadFile, int64, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, 0, err
	}
	size, err := f.Size()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, size, nil
}

// countedFile counts what is read of a file.
type countedFile struct {
	storage.ReadFile
	read *atomic.Int64
}

func (f countedFile) ReadAt(b []byte, at int64) (int, error) {
	n, err := f.ReadFile.ReadAt(b, at)
	f.read.Add(int64(n))
	return n, err
}

// keptDocuments bounds the memory of the documents that are kept: it must not grow with the archive. It is room for those of 20,000 small
// segments, so that a plan over as many partitions and what follows it read each once.
const keptDocuments = 32 << 20

// documentCache keeps documents by path. Sealed segments never change, so neither do they.
type documentCache struct {
	mu   sync.Mutex
	docs map[string]keptDocument
	cost int
}

// keptDocument is a document, perhaps one that a catalog claims.
type keptDocument struct {
	*Document
	claimed bool
}

func (c *documentCache) get(path string) *Document {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.docs[path].Document
}

// proven is get without what is claimed.
func (c *documentCache) proven(path string) *Document {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.docs[path]; !d.claimed {
		return d.Document
	}
	return nil
}

func (c *documentCache) put(path string, d *Document) { c.keep(path, keptDocument{d, false}) }

func (c *documentCache) keep(path string, d keptDocument) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.docs == nil {
		c.docs = map[string]keptDocument{}
	}
	c.drop(path)
	cost := d.memory()
	for old := range c.docs { // any will do
		if c.cost+cost <= keptDocuments {
			break
		}
		c.drop(old)
	}
	c.docs[path] = d
	c.cost += cost
}

func (c *documentCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.docs, c.cost = nil, 0
}

func (c *documentCache) drop(path string) {
	if d := c.docs[path].Document; d != nil {
		delete(c.docs, path)
		c.cost -= d.memory()
	}
}

// memory is about what a document takes.
func (d *Document) memory() int {
	n := 1024 + len(d.Gaps)*int(unsafe.Sizeof(ledger.Gap{})) + len(d.Groups)*(int(unsafe.Sizeof(RowGroup{}))+32)
	for i := range d.Groups {
		for _, k := range d.Groups[i].HeaderKeys {
			n += int(unsafe.Sizeof(k)) + len(k.Key)
		}
	}
	return n
}
