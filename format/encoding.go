package format

import (
	"fmt"
	"io"

	"github.com/karchive/karchive/internal/arrowbytes"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/parquetbytes"
)

// Encoding is the file format of segments, and the extension of their names. An archive has one.
type Encoding string

// The encodings of segments. Parquet is the default.
const (
	Parquet Encoding = ondisk.Parquet
	Arrow   Encoding = ondisk.Arrow // Arrow IPC files
)

// Encodings lists the encodings that this package writes and reads, the default first.
func Encodings() []Encoding {
	all := make([]Encoding, len(encodings))
	for i := range encodings {
		all[i] = encodings[i].name
	}
	return all
}

// encodings is all that differs between encodings: what else a segment is made of is the same in every one.
var encodings = []encodingParts{
	{name: Parquet, version: parquetVersion, magic: parquetbytes.Magic, newEncoder: newParquetEncoder, open: openParquet},
	{name: Arrow, version: "1.1", magic: arrowbytes.Magic, newEncoder: newArrowEncoder, open: openArrow},
}

// encodingParts is what an encoding brings.
type encodingParts struct {
	name    Encoding
	version string // the first format version that has it, which its segments name: an older reader can read the others
	magic   string // the last bytes of its files

	newEncoder func(zstdLevel int) (encoder, error) // 0: not compressed
	// open reads what says where things are in a file of size bytes, and returns its key-value metadata.
	open func(r io.ReaderAt, size int64) (metadata map[string][]byte, d decoder, err error)
}

// encoder makes one segment file out of row groups that were encoded apart from each other, so that several can be encoded at once.
type encoder interface {
	// begin returns the bytes that a segment starts with.
	begin() []byte
	// encode makes the bytes of a row group of records, which are canonical bytes, wherever it will stand in a file. It is safe for
	// concurrent use. What it returns as place is for place alone.
	encode(records []byte, info *RowGroup) (data []byte, place any, err error)
	// place notes that the row group that encode returned place for stands at offset at of the file.
	place(place any, at int64) error
	// end returns the bytes that a segment ends with, from offset at of the file on.
	end(at int64, document []byte) ([]byte, error)
}

// decoder reads the row groups of one segment file.
type decoder interface {
	// read decodes row group i of d, the document of the file, into memory that was reset. The records may hold anything: their digest is
	// the caller's affair. A panic on bytes that are not what was written is the caller's too, so it must come on the caller's goroutine.
	read(i int, d *Document, memory *Buffer) ([]Record, error)
	// raw says where row group i of d stands in the file, and what encoder.place needs to put its bytes elsewhere. It wraps parquetbytes.ErrForeign
	// for a row group that the encoder would not have laid out so.
	raw(i int, d *Document) (rawGroup, error)
}

// keyDecoder is a decoder that can read keys alone.
type keyDecoder interface {
	// keys calls use for every key that is not null of row group i of d, and returns the number of rows. What was said of read holds here, too.
	// The bytes of a key are valid during the call.
	keys(i int, d *Document, use func(key []byte)) (rows int64, err error)
}

// rawGroup is the bytes of a row group, of a file of the same encoding.
type rawGroup struct {
	io.SectionReader
	place any
}

// encodingNamed is nil for an encoding that this package does not know.
func encodingNamed(e Encoding) *encodingParts {
	for i := range encodings {
		if encodings[i].name == e {
			return &encodings[i]
		}
	}
	return nil
}

func knownEncoding(e Encoding) bool { return encodingNamed(e) != nil }

// encodingOf finds the encoding of a file of size bytes by its last bytes.
func encodingOf(r io.ReaderAt, size int64) (*encodingParts, error) {
	var longest int
	for i := range encodings {
		longest = max(longest, len(encodings[i].magic))
	}
	tail := make([]byte, longest)
	if size < int64(longest) {
		return nil, corruptf("%d bytes are too few for a segment", size)
	}
	if err := ondisk.ReadFull(r, tail, size-int64(longest)); err != nil {
		return nil, err
	}
	for i := range encodings {
		if m := encodings[i].magic; string(tail[longest-len(m):]) == m {
			return &encodings[i], nil
		}
	}
	return nil, corruptf("no magic of a segment at the end")
}

// openSegmentFile reads all of a segment file but its row groups, and checks it.
func openSegmentFile(r io.ReaderAt, size int64) (*Document, *encodingParts, decoder, error) {
	e, err := encodingOf(r, size)
	if err != nil {
		return nil, nil, nil, err
	}
	metadata, d, err := e.open(r, size)
	if err != nil {
		return nil, nil, nil, err
	}
	text, ok := metadata[ondisk.DocumentKey]
	if !ok {
		return nil, nil, nil, fmt.Errorf("%s file without a karchive document: %w", e.name, ErrNotArchive)
	}
	doc, err := checkedDocument(text, metadata[ondisk.DocumentDigestKey])
	return doc, e, d, err
}
