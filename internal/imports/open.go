package imports

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/karchive/karchive/internal/foreign"
	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/lines"
)

// ErrNoRecord is the error of a file in which there is something, and no record.
var ErrNoRecord = errors.New("no record is in it")

// DefaultMaxRow is the default of OpenOptions.MaxRow.
const DefaultMaxRow = lines.DefaultMaxBytes

// Input is a file. One that is an io.ReaderAt of known size spares Parquet a copy.
type Input struct {
	Name string // for messages
	io.Reader
	Size int64 // of an io.ReaderAt
}

// OpenOptions say how files are read.
type OpenOptions struct {
	Mapping  Mapping // of kinds with columns
	CSV      CSVOptions
	Lines    LinesOptions
	Snapshot SnapshotOptions
	Mapped   bool // JSON lines are any JSON and not those of karchive cat
	// MaxRow is the most bytes of a row, line, JSON value or page of a Parquet file, which are in memory as a whole; 0: DefaultMaxRow.
	MaxRow  int64
	Foreign foreign.Options
	// OnCat, if set, is called when JSON that is taken for values begins with a record as karchive cat prints it.
	OnCat   func()
	TempDir string // for a Parquet file that is compressed or comes from a pipe; empty: the system's
}

// OpenSource is a Source that is to be closed.
type OpenSource struct {
	Source
	file *openFile
	rows bool // there was one, good or bad
}

// openFile is a file of which the compression is known.
type openFile struct {
	*foreign.Reader
	input  Input
	kind   KindInfo
	closes []func()
}

// Open returns the source of a file, whatever its compression. Errors name the file; those of the file itself are a
// *foreign.UnsupportedError, *foreign.LimitError or *foreign.DamagedError.
func Open(kind Kind, in Input, o OpenOptions) (*OpenSource, error) {
	s, err := open(kind, in, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.Name, err)
	}
	return s, nil
}

func open(kind Kind, in Input, o OpenOptions) (*OpenSource, error) {
	info, ok := Info(kind)
	if !ok {
		return nil, fmt.Errorf("unknown kind of file %q", kind)
	}
	r, err := foreign.Open(in.Reader, o.Foreign)
	if err != nil {
		return nil, err
	}
	o.MaxRow = cmp.Or(o.MaxRow, DefaultMaxRow)
	f := &openFile{Reader: r, input: in, kind: info, closes: []func(){r.Close}}
	s := &OpenSource{file: f}
	if s.Source, err = info.open(f, o); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Next implements Source. At the end of a file in which there was something and no row, the error is ErrNoRecord.
func (s *OpenSource) Next() (*Row, error) {
	row, err := s.Source.Next()
	if err == io.EOF && !s.rows && !s.file.Empty() && !s.nothingWanted() {
		return nil, ErrNoRecord
	}
	if _, bad := errors.AsType[*BadRow](err); err == nil || bad {
		s.rows = true
	}
	return row, err
}

// nothingWanted says whether records were there and left out, as was asked for.
func (s *OpenSource) nothingWanted() bool {
	chooser, ok := s.Source.(interface{ leftOut() bool })
	return ok && chooser.leftOut()
}

// Close frees what the source holds. It does not close the input.
func (s *OpenSource) Close() {
	for _, end := range s.file.closes {
		end()
	}
}

func openCSV(f *openFile, o OpenOptions) (Source, error) {
	in, err := f.Text()
	if err != nil {
		return nil, err
	}
	t, err := newCSVTable(in, o.CSV, o.MaxRow)
	if err != nil {
		return nil, err
	}
	return newTableSource(t, o.Mapping)
}

func openJSON(f *openFile, o OpenOptions) (Source, error) {
	if o.Mapped {
		return openMapped(f, o)
	}
	return openValues(f, o, parseCat)
}

func openMapped(f *openFile, o OpenOptions) (Source, error) {
	in, err := f.Text()
	if err != nil {
		return nil, err
	}
	m := o.Mapping.or(f.kind.preset)
	if o.OnCat != nil && m.Value.Name == "" && len(m.Object) == 0 {
		in = tellCat(in, o.OnCat)
	}
	return newTableSource(&objectTable{in: lines.NewValues(in, o.MaxRow)}, m)
}

// tellCat looks at the first line.
func tellCat(r io.Reader, tell func()) io.Reader {
	in := bufio.NewReaderSize(r, 64<<10)
	begin := foreign.Begin(in, in.Size(), func(b []byte) bool { return bytes.IndexByte(b, '\n') >= 0 })
	line, _, _ := bytes.Cut(begin, []byte("\n"))
	if _, _, err := jsonl.Parse(line); err == nil {
		tell()
	}
	return in
}

func openKcat(f *openFile, o OpenOptions) (Source, error) { return openValues(f, o, parseKcat) }

func openValues(f *openFile, o OpenOptions, parse func([]byte, *Row) error) (Source, error) {
	in, err := f.Text()
	if err != nil {
		return nil, err
	}
	values := lines.NewValues(in, o.MaxRow)
	values.OnlyElements = true
	return &valueSource{in: values, parse: parse}, nil
}

func openLines(f *openFile, o OpenOptions) (Source, error) {
	in, err := f.Text()
	if err != nil {
		return nil, err
	}
	t, m := newLinesTable(in, o.Lines, o.MaxRow)
	return newTableSource(t, m)
}

func openSnapshot(f *openFile, o OpenOptions) (Source, error) {
	in, err := f.Text()
	if err != nil {
		return nil, err
	}
	return newSnapshotSource(in, o.Snapshot, o.MaxRow), nil
}

func openParquet(f *openFile, o OpenOptions) (Source, error) {
	if f.Begins("PARE") {
		return nil, &foreign.UnsupportedError{What: "it is an encrypted Parquet file"}
	}
	if !f.Begins("PAR1") {
		return nil, &foreign.UnsupportedError{What: "it is no Parquet file"}
	}
	at, size, err := f.readerAt(o.TempDir)
	if err != nil {
		return nil, err
	}
	t, err := newParquetTable(at, size, o.MaxRow)
	if err != nil {
		return nil, err
	}
	return newTableSource(t, o.Mapping)
}

// readerAt is the file to be read in any order: itself, or a temporary copy.
func (f *openFile) readerAt(dir string) (io.ReaderAt, int64, error) {
	if at, ok := f.input.Reader.(io.ReaderAt); ok && !f.Packed() {
		return at, f.input.Size, nil
	}
	temp, err := os.CreateTemp(dir, "karchive-import-*")
	if err != nil {
		return nil, 0, err
	}
	os.Remove(temp.Name()) // where open files can be removed, nothing is left of it whatever happens
	f.closes = append(f.closes, func() {
		temp.Close()
		os.Remove(temp.Name())
	})
	n, err := io.Copy(temp, f.Reader)
	return temp, n, err
}
