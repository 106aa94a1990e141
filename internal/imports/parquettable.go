package imports

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"

	"github.com/karchive/karchive/format"
)

// errDamaged is wrapped where a Parquet file is not what was written.
var errDamaged = errors.New("the Parquet file is damaged")

// parquetTable reads the flat columns of a Parquet file, with the column readers of the Parquet library on the caller's goroutine, so that
// a panic on hostile bytes ends here, as an error.
type parquetTable struct {
	file    *file.Reader
	columns []string       // those that are flat
	leaves  map[string]int // their places in the file
	bound   []int          // leaves that are asked for

	group   int   // the next row group
	left    int64 // rows of this one
	row     int64 // number, from 1
	readers []*parquetColumn
}

func newParquetTable(r io.ReaderAt, size int64) (t *parquetTable, err error) {
	defer guard(&err)
	if err := format.CheckParquetFooter(r, size); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	properties := parquet.NewReaderProperties(nil)
	properties.BufferedStreamEnabled = true // or memory is taken for what the footer says of sizes, before anything is read
	f, err := file.NewParquetReader(io.NewSectionReader(r, 0, size), file.WithReadProps(properties))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if f.MetaData().KeyValueMetadata().FindValue("karchive") != nil {
		return nil, errors.New("it is a segment of an archive, which other commands read as it is")
	}
	t = &parquetTable{file: f, leaves: make(map[string]int)}
	for i := range f.MetaData().Schema.NumColumns() {
		leaf := f.MetaData().Schema.Column(i)
		if leaf.MaxRepetitionLevel() == 0 {
			t.columns = append(t.columns, leaf.Path())
			t.leaves[leaf.Path()] = i
		}
	}
	return t, nil
}

// guard turns a panic of the Parquet library into an error.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errDamaged, p)
	}
}

func (t *parquetTable) names() []string { return t.columns }

func (t *parquetTable) bind(names []string) error {
	for _, name := range names {
		t.bound = append(t.bound, t.leaves[name])
	}
	return nil
}

func (t *parquetTable) next() (line int64, err error) {
	defer guard(&err)
	for t.left == 0 {
		if t.group == t.file.NumRowGroups() {
			return t.row, io.EOF
		}
		if err := t.openGroup(); err != nil {
			return t.row, fmt.Errorf("%w: row group %d: %w", errDamaged, t.group-1, err)
		}
	}
	for i, c := range t.readers {
		if err := c.advance(); err != nil {
			return t.row, fmt.Errorf("%w: row group %d column %s: %w", errDamaged, t.group-1, t.columnName(i), err)
		}
	}
	t.left--
	t.row++
	return t.row, nil
}

func (t *parquetTable) columnName(i int) string {
	return t.file.MetaData().Schema.Column(t.bound[i]).Path()
}

func (t *parquetTable) openGroup() error {
	group := t.file.RowGroup(t.group)
	t.group++
	t.left, t.readers = group.NumRows(), t.readers[:0]
	for _, leaf := range t.bound {
		chunk, err := group.Column(leaf)
		if err != nil {
			return err
		}
		c, err := newParquetColumn(chunk)
		if err != nil {
			return err
		}
		t.readers = append(t.readers, c)
	}
	return nil
}

func (t *parquetTable) cell(i int) cell { return t.readers[i].cell }

func (t *parquetTable) whole() []byte { return nil }

// parquetStep is how many rows of a column are read at once.
const parquetStep = 1024

// parquetColumn goes through a column chunk row by row.
type parquetColumn struct {
	chunk  file.ColumnChunkReader
	fill   func(levels []int16) (rows int64, err error) // reads the next rows, of one page
	value  func(i int) cell                             // of those that were read and are not null
	levels []int16
	max    int16 // level of what is not null
	rows   int   // that were read
	at     int   // the next of them
	values int   // used of those that are not null

	cell cell // of the row
}

func (c *parquetColumn) advance() error {
	if c.at == c.rows {
		n, err := c.fill(c.levels)
		if err != nil || n == 0 {
			return errors.Join(err, c.chunk.Err(), errEndsEarly(n))
		}
		c.rows, c.at, c.values = int(n), 0, 0
	}
	c.cell = cell{kind: nullCell}
	if c.max == 0 || c.levels[c.at] == c.max {
		c.cell = c.value(c.values)
		c.values++
	}
	c.at++
	return nil
}

func errEndsEarly(rows int64) error {
	if rows > 0 {
		return nil
	}
	return errors.New("it ends early")
}

func newParquetColumn(chunk file.ColumnChunkReader) (*parquetColumn, error) {
	d := chunk.Descriptor()
	if err := checkScale(d); err != nil {
		return nil, err
	}
	c := &parquetColumn{chunk: chunk, levels: make([]int16, parquetStep), max: d.MaxDefinitionLevel()}
	switch r := chunk.(type) {
	case *file.BooleanColumnChunkReader:
		typed(c, r.ReadBatchInPage, boolText)
	case *file.Int32ColumnChunkReader:
		typed(c, r.ReadBatchInPage, integerText[int32](d))
	case *file.Int64ColumnChunkReader:
		typed(c, r.ReadBatchInPage, integerText[int64](d))
	case *file.Int96ColumnChunkReader:
		typed(c, r.ReadBatchInPage, func(v parquet.Int96) cell { return timeText(v.ToTime()) })
	case *file.Float32ColumnChunkReader:
		typed(c, r.ReadBatchInPage, func(v float32) cell { return floatText(float64(v), 32) })
	case *file.Float64ColumnChunkReader:
		typed(c, r.ReadBatchInPage, func(v float64) cell { return floatText(v, 64) })
	case *file.ByteArrayColumnChunkReader:
		text := bytesText(d)
		typed(c, r.ReadBatchInPage, func(v parquet.ByteArray) cell { return text(v) })
	case *file.FixedLenByteArrayColumnChunkReader:
		text := bytesText(d)
		typed(c, r.ReadBatchInPage, func(v parquet.FixedLenByteArray) cell { return text(v) })
	default:
		return nil, fmt.Errorf("a column of type %s", d.PhysicalType())
	}
	return c, nil
}

// typed gives a column the reader of its type and how its values are spelled.
func typed[T any](c *parquetColumn, read func(int64, []T, []int16, []int16) (int64, int, error), text func(T) cell) {
	values := make([]T, parquetStep)
	c.fill = func(levels []int16) (int64, error) {
		rows, _, err := read(parquetStep, values, levels, nil)
		return rows, err
	}
	c.value = func(i int) cell { return text(values[i]) }
}
