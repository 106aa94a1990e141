package imports

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/foreign"
	"github.com/karchive/karchive/internal/parquetbytes"
)

// parquetTable reads a Parquet file, with the column readers of the Parquet library on the caller's goroutine, so that a panic on hostile
// bytes ends here, as an error. Its columns are those at the top, and behind them, by their path, the parts of structs.
type parquetTable struct {
	file    *file.Reader
	shapes  []*shape // by name
	columns []string
	own     int // columns at the top
	max     int64

	bound   []*shape         // that are asked for
	group   int              // the next row group
	left    int64            // rows of this one
	row     int64            // number, from 1
	readers []*parquetColumn // by leaf; nil: not asked for
	leaves  []int            // those that are read
	scratch [][]byte         // the JSON of each bound column
}

// errSegment is the error of a Parquet file that is a segment of an archive.
var errSegment = errors.New("it is a segment of an archive, which other commands read as it is")

func newParquetTable(r io.ReaderAt, size, max int64) (t *parquetTable, err error) {
	defer guard(&err)
	if err := parquetbytes.CheckFooter(r, size); err != nil {
		return nil, damagedParquet(err)
	}
	properties := parquet.NewReaderProperties(nil)
	properties.BufferedStreamEnabled = true // or memory is taken for what the footer says of sizes, before anything is read
	properties.MaxCompressedPageSize, properties.MaxUncompressedPageSize = max, max
	f, err := file.NewParquetReader(io.NewSectionReader(r, 0, size), file.WithReadProps(properties))
	if err != nil {
		return nil, damagedParquet(err)
	}
	if f.MetaData().KeyValueMetadata().FindValue("karchive") != nil {
		return nil, errSegment
	}
	t = &parquetTable{file: f, max: max}
	return t, t.list()
}

// list lists the columns.
func (t *parquetTable) list() error {
	sc := t.file.MetaData().Schema
	var parts []*shape
	for i := range sc.Root().NumFields() {
		s, err := newShape(sc, sc.Root().Field(i), level{})
		if err != nil {
			return err
		}
		if s.name == "" {
			s.name = strconv.Itoa(i + 1)
		}
		t.add(s, s.name)
		parts = append(parts, s)
	}
	t.own = len(t.columns)
	for _, s := range parts {
		t.addParts(s, s.name)
	}
	return nil
}

func (t *parquetTable) add(s *shape, name string) {
	t.shapes, t.columns = append(t.shapes, s), append(t.columns, name)
}

func (t *parquetTable) addParts(s *shape, path string) {
	if s.kind != structShape || s.repeated {
		return
	}
	for _, child := range s.children {
		t.add(child, path+"."+child.name)
		t.addParts(child, path+"."+child.name)
	}
}

// damagedParquet says what is wrong with a file. What format says of its own files must not be taken for a damaged archive.
func damagedParquet(err error) error {
	return &foreign.DamagedError{What: "Parquet file", Err: errors.New(strings.TrimPrefix(err.Error(), format.ErrCorrupt.Error()+": "))}
}

// guard turns a panic of the Parquet library into an error.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = damagedParquet(fmt.Errorf("%v", p))
	}
}

func (t *parquetTable) names() ([]string, int) { return t.columns, t.own }

func (t *parquetTable) bind(columns []asked) error {
	for _, c := range columns {
		s := t.shapes[c.index]
		if err := s.check(); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
		t.bound = append(t.bound, s)
		t.leaves = append(t.leaves, s.leaves...)
	}
	slices.Sort(t.leaves)
	t.leaves = slices.Compact(t.leaves)
	t.scratch = make([][]byte, len(t.bound))
	return t.checkCodecs()
}

func (t *parquetTable) next() (line int64, err error) {
	defer guard(&err)
	for t.left == 0 {
		if t.group == t.file.NumRowGroups() {
			return t.row, io.EOF
		}
		if err := t.openGroup(); err != nil {
			return t.row, t.failed(err)
		}
	}
	for _, leaf := range t.leaves {
		if err := t.readers[leaf].advance(t.max); err != nil {
			return t.row, t.failed(fmt.Errorf("column %s: %w", t.file.MetaData().Schema.Column(leaf).Path(), err))
		}
	}
	t.left--
	t.row++
	return t.row, t.assemble()
}

// failed is the error of reading the row group.
func (t *parquetTable) failed(err error) error {
	if limit, ok := errors.AsType[*foreign.LimitError](err); ok {
		return limit
	}
	if strings.Contains(err.Error(), "exceeds configured limit") { // the library has no better way to tell
		return foreign.RowTooLarge("a page of the Parquet file", t.max)
	}
	return damagedParquet(fmt.Errorf("row group %d %w", t.group-1, err))
}

func (t *parquetTable) openGroup() error {
	group := t.file.RowGroup(t.group)
	t.group++
	t.left, t.readers = group.NumRows(), make([]*parquetColumn, t.file.MetaData().Schema.NumColumns())
	for _, leaf := range t.leaves {
		chunk, err := group.Column(leaf)
		if err != nil {
			return err
		}
		if t.readers[leaf], err = newParquetColumn(chunk); err != nil {
			return err
		}
	}
	return nil
}

// assemble makes the JSON of the columns that are nested.
func (t *parquetTable) assemble() (err error) {
	for i, s := range t.bound {
		if s.flat() {
			continue
		}
		for _, leaf := range s.leaves {
			t.readers[leaf].used = 0
		}
		a := assembler{t.readers}
		if t.scratch[i], err = a.append(t.scratch[i][:0], s); err != nil {
			return &BadRow{Line: t.row, Err: fmt.Errorf("column %s: %w", s.name, err)}
		}
	}
	return nil
}

func (t *parquetTable) cell(i int) cell {
	s := t.bound[i]
	switch {
	case s.flat():
		return t.readers[s.leaves[0]].cell
	case string(t.scratch[i]) == "null":
		return cell{kind: nullCell}
	}
	return cell{jsonCell, t.scratch[i]}
}

func (t *parquetTable) whole() []byte { return nil }

// checkCodecs refuses what is encoded or compressed in a way that the library does not read, before anything is read.
func (t *parquetTable) checkCodecs() error {
	for g := range t.file.NumRowGroups() {
		for _, leaf := range t.leaves {
			chunk, err := t.file.MetaData().RowGroup(g).ColumnChunk(leaf)
			if err != nil {
				return damagedParquet(err)
			}
			if err := checkChunk(chunk.Compression(), chunk.Encodings()); err != nil {
				return fmt.Errorf("column %s: %w", t.file.MetaData().Schema.Column(leaf).Path(), err)
			}
		}
	}
	return nil
}

// columnDescriptor is what the library knows of a leaf.
type columnDescriptor = *schema.Column
