package format

import (
	"io"
	"weak"

	"github.com/karchive/karchive/internal/ondisk"
)

// What tests outside the package need of the inside: a segment without an archive around it, and how much is read.

type (
	Writer = writer
	Reader = reader
)

func NewWriter(w io.Writer, o WriterOptions) (*Writer, error) { return newWriter(w, o) }

func (w *Writer) Finish(next int64) (*Document, error) { return w.finish(next) }

func (w *Writer) Abort() { w.abort() }

func NewReader(r io.ReaderAt, size int64) (*Reader, error) { return newReader(r, size) }

func (r *Reader) Encoding() Encoding { return r.encoding }

func (r *Reader) Document() *Document { return r.doc }

func (r *Reader) ReadGroup(i int) ([]Record, error) { return r.readGroup(i, nil) }

func (r *Reader) ReadGroupInto(i int, b *Buffer) ([]Record, error) { return r.readGroup(i, b) }

// The errors that nobody is known to branch on.
var (
	ErrReadOnly    = errReadOnly
	ErrForeignFile = ondisk.ErrForeignFile
	ErrTopicCase   = errTopicCase
	ErrUnlisted    = errUnlisted
)

func (c Completeness) In(s *Selection) Completeness { return c.in(s) }

// Writer tells whether anything still points to what p writes with.
func (p *Pending) Writer() weak.Pointer[writer] { return weak.Make(p.writer) }

func (a *Archive) BytesRead() int64 { return a.bytesRead.Load() }

// CatalogFrom is of how many segments on archives have a catalog.
const CatalogFrom = catalogFrom

// FootersFirst is how many footers are read before the catalog is.
const FootersFirst = footersFirst

// ForgedCatalog is a catalog of an archive in which change has changed what segments say.
func ForgedCatalog(a *Archive, change func(*Segment, *Document)) ([]byte, error) {
	a.IgnoreCatalog()
	var b catalogBuilder
	for _, tp := range a.Partitions() {
		for _, s := range a.Segments(tp) {
			d, err := a.Document(s)
			if err != nil {
				return nil, err
			}
			forged := *d
			forged.Groups = append([]RowGroup{}, d.Groups...)
			change(&s, &forged)
			e, _ := newEntry(s, &forged)
			b.add(e)
		}
	}
	return b.content(a.Identity().ArchiveID)
}
