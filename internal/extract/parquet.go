package extract

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/karchive/karchive/internal/reshape"
)

// The most that a row group holds: it is in memory until it is complete.
const (
	groupRows  = 64 << 10
	groupBytes = 8 << 20
)

// parquetWriter writes a Parquet file. What JSON has is text, in the spelling of the record; whole keys, values and headers are bytes;
// timestamp, partition and offset are numbers. Null and missing are both null.
type parquetWriter struct {
	file    *file.Writer
	columns []parquetColumn
	rows    int
	bytes   int
	scratch []byte
	notUTF8 int64
}

// parquetColumn holds the cells of a row group. Of the values, the column's type has one slice.
type parquetColumn struct {
	typ    parquet.Type
	text   bool // its bytes must be UTF-8
	levels []int16

	int64s []int64
	int32s []int32
	arena  []byte
	ends   []int // in arena
}

func newParquetWriter(w io.Writer, columns []Column) (*parquetWriter, error) {
	p := &parquetWriter{}
	var nodes schema.FieldList
	names := make(map[string]bool)
	for i := range columns {
		if names[columns[i].Name] {
			return nil, fmt.Errorf("two columns are named %s, which a Parquet file cannot have", columns[i].Name)
		}
		names[columns[i].Name] = true
		typ, logical := parquetType(&columns[i])
		_, text := logical.(schema.StringLogicalType)
		p.columns = append(p.columns, parquetColumn{typ: typ, text: text})
		node, err := schema.NewPrimitiveNodeLogical(columns[i].Name, parquet.Repetitions.Optional, logical, typ, -1, -1)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, nodes, -1)
	if err != nil {
		return nil, err
	}
	properties := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCreatedBy("karchive"), parquet.WithStats(false))
	p.file, err = file.NewParquetWriterWithError(onlyWriter{w}, root, file.WithWriterProps(properties))
	return p, err
}

// onlyWriter keeps the Parquet library from closing what is beneath.
type onlyWriter struct{ io.Writer }

func parquetType(c *Column) (parquet.Type, schema.LogicalType) {
	switch {
	case c.rest != "" || c.root == reshape.TopicRoot:
		return parquet.Types.ByteArray, schema.StringLogicalType{}
	case c.root == reshape.TimestampRoot:
		return parquet.Types.Int64, schema.NewTimestampLogicalType(true, schema.TimeUnitMillis)
	case c.root == reshape.OffsetRoot:
		return parquet.Types.Int64, schema.NoLogicalType{}
	case c.root == reshape.PartitionRoot:
		return parquet.Types.Int32, schema.NoLogicalType{}
	}
	return parquet.Types.ByteArray, schema.NoLogicalType{}
}

// Row implements Writer.
func (p *parquetWriter) Row(cells []reshape.Field) error {
	for i := range cells {
		if err := p.cell(&p.columns[i], cells[i]); err != nil {
			return err
		}
	}
	p.rows++
	if p.rows < groupRows && p.bytes < groupBytes {
		return nil
	}
	return p.flush()
}

func (p *parquetWriter) cell(c *parquetColumn, f reshape.Field) error {
	if f.Kind == reshape.Missing || f.Kind == reshape.Null {
		c.levels = append(c.levels, 0)
		return nil
	}
	c.levels = append(c.levels, 1)
	p.scratch = f.AppendText(p.scratch[:0])
	if c.typ == parquet.Types.ByteArray {
		p.payload(c, p.scratch)
		return nil
	}
	n, err := strconv.ParseInt(string(p.scratch), 10, 64)
	if err != nil {
		return err
	}
	if c.typ == parquet.Types.Int64 {
		c.int64s = append(c.int64s, n)
	} else {
		c.int32s = append(c.int32s, int32(n))
	}
	p.bytes += 8
	return nil
}

func (p *parquetWriter) payload(c *parquetColumn, text []byte) {
	if c.text && !utf8.Valid(text) {
		p.notUTF8++
		text = bytes.ToValidUTF8(text, []byte("\uFFFD"))
	}
	c.arena = append(c.arena, text...)
	c.ends = append(c.ends, len(c.arena))
	p.bytes += len(text) + 16
}

func (p *parquetWriter) flush() error {
	if p.rows == 0 {
		return nil
	}
	group, err := p.file.AppendRowGroupChecked()
	if err != nil {
		return err
	}
	for i := range p.columns {
		w, err := group.NextColumn()
		if err != nil {
			return err
		}
		if err := p.columns[i].write(w); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	p.rows, p.bytes = 0, 0
	return group.Close()
}

// write writes the cells of a row group and forgets them.
func (c *parquetColumn) write(w file.ColumnChunkWriter) (err error) {
	switch w := w.(type) {
	case *file.Int64ColumnChunkWriter:
		_, err = w.WriteBatch(c.int64s, c.levels, nil)
	case *file.Int32ColumnChunkWriter:
		_, err = w.WriteBatch(c.int32s, c.levels, nil)
	case *file.ByteArrayColumnChunkWriter:
		_, err = w.WriteBatch(c.payloads(), c.levels, nil)
	default:
		err = fmt.Errorf("a Parquet column of %T", w)
	}
	c.levels, c.int64s, c.int32s, c.arena, c.ends = c.levels[:0], c.int64s[:0], c.int32s[:0], c.arena[:0], c.ends[:0]
	return err
}

func (c *parquetColumn) payloads() []parquet.ByteArray {
	out := make([]parquet.ByteArray, len(c.ends))
	begin := 0
	for i, end := range c.ends {
		out[i] = c.arena[begin:end]
		begin = end
	}
	return out
}

// Close implements Writer.
func (p *parquetWriter) Close() error {
	if err := p.flush(); err != nil {
		return err
	}
	return p.file.Close()
}

// NotUTF8 implements Writer. U+FFFD stands in place of the bad bytes.
func (p *parquetWriter) NotUTF8() int64 { return p.notUTF8 }
