package imports

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"

	"github.com/karchive/karchive/internal/foreign"
)

// checkChunk refuses a codec or an encoding that is not read.
func checkChunk(codec compress.Compression, encodings []parquet.Encoding) error {
	if _, err := compress.GetCodec(codec); err != nil {
		return &foreign.UnsupportedError{What: fmt.Sprintf("it is compressed with %s, which is not read", codec)}
	}
	for _, e := range encodings {
		switch e {
		case parquet.Encodings.Plain, parquet.Encodings.PlainDict, parquet.Encodings.RLE, parquet.Encodings.BitPacked, parquet.Encodings.RLEDict,
			parquet.Encodings.DeltaBinaryPacked, parquet.Encodings.DeltaLengthByteArray, parquet.Encodings.DeltaByteArray, parquet.Encodings.ByteStreamSplit:
		default:
			return &foreign.UnsupportedError{What: fmt.Sprintf("its encoding %s is not read", e)}
		}
	}
	return nil
}

// parquetStep is how many values of a column are read at once.
const parquetStep = 1024

// parquetColumn goes through a column chunk row by row.
type parquetColumn struct {
	chunk file.ColumnChunkReader
	fill  func(levels, repeats []int16) (n int64, err error) // reads the next values, of one page
	value func(i int) cell                                   // of those that were read and are not null

	levels, repeats   []int16
	maxLevel, maxRows int16
	have              int // levels that were read
	at                int // the next of them
	values            int // used of those that are not null

	cell    cell         // of the row, of a column that is not repeated
	entries []entryOfRow // of the row, of one that is
	text    []byte       // of entries
	used    int          // of entries
}

// entryOfRow is a value of a row with its levels.
type entryOfRow struct {
	level, repeat int16
	cell
}

// entryCost is what an entry takes in memory beside its text.
const entryCost = 48

// more reads on where nothing is left; false: the chunk ends.
func (c *parquetColumn) more() (bool, error) {
	if c.at < c.have {
		return true, nil
	}
	n, err := c.fill(c.levels, c.repeats)
	if err = errors.Join(err, c.chunk.Err()); err != nil || n == 0 {
		return false, err
	}
	c.have, c.at, c.values = int(n), 0, 0
	return true, nil
}

var errEndsEarly = errors.New("it ends early")

// advance goes to the next row, which has at most max bytes.
func (c *parquetColumn) advance(max int64) error {
	more, err := c.more()
	if err == nil && !more {
		err = errEndsEarly
	}
	if err != nil {
		return err
	}
	if c.maxRows == 0 {
		c.cell = c.take()
		c.entries = append(c.entries[:0], entryOfRow{level: c.lastLevel(), cell: c.cell})
		return nil
	}
	return c.repeated(max)
}

// repeated takes the values of a row.
func (c *parquetColumn) repeated(max int64) error {
	c.entries, c.text = c.entries[:0], c.text[:0]
	for {
		e := entryOfRow{repeat: c.repeats[c.at]}
		if (e.repeat == 0) != (len(c.entries) == 0) {
			return errors.New("a row that begins within another")
		}
		e.cell = c.take()
		e.level = c.lastLevel()
		from := len(c.text)
		c.text = append(c.text, e.text...) // the page is gone when the row goes on in the next one
		e.text = c.text[from:len(c.text):len(c.text)]
		c.entries = append(c.entries, e)
		if int64(len(c.text)+len(c.entries)*entryCost) > max {
			return foreign.RowTooLarge("a row", max)
		}
		more, err := c.more()
		if err != nil || !more || c.repeats[c.at] == 0 {
			return err
		}
	}
}

// take is the next value.
func (c *parquetColumn) take() cell {
	out := cell{kind: nullCell}
	if c.maxLevel == 0 || c.levels[c.at] == c.maxLevel {
		out = c.value(c.values)
		c.values++
	}
	c.at++
	return out
}

// lastLevel is that of the value that was taken last.
func (c *parquetColumn) lastLevel() int16 {
	if c.maxLevel == 0 {
		return 0
	}
	return c.levels[c.at-1]
}

func newParquetColumn(chunk file.ColumnChunkReader) (*parquetColumn, error) {
	d := chunk.Descriptor()
	c := &parquetColumn{chunk: chunk, levels: make([]int16, parquetStep), repeats: make([]int16, parquetStep),
		maxLevel: d.MaxDefinitionLevel(), maxRows: d.MaxRepetitionLevel()}
	switch r := chunk.(type) {
	case *file.BooleanColumnChunkReader:
		typed(c, r.ReadBatchInPage, boolText)
	case *file.Int32ColumnChunkReader:
		typed(c, r.ReadBatchInPage, integerText[int32](d))
	case *file.Int64ColumnChunkReader:
		typed(c, r.ReadBatchInPage, integerText[int64](d))
	case *file.Int96ColumnChunkReader:
		typed(c, r.ReadBatchInPage, func(v parquet.Int96) cell { return timeText(v.ToTime(), true) })
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
	c.fill = func(levels, repeats []int16) (int64, error) {
		n, _, err := read(parquetStep, values, levels, repeats)
		return n, err
	}
	c.value = func(i int) cell { return text(values[i]) }
}
