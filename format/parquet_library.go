package format

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
)

// foreignReader reads the columns of a row group with the Parquet library, and gives them in the form in which parquetEncoder writes them.
// Payloads are copied out of page buffers, which the library uses again, into arena.
type foreignReader struct {
	group   *file.RowGroupReader
	columns *[columnCount]int
	empty   *[columnCount]int // pages without a value
	scratch *foreignScratch
	arena   arena
}

// foreignStep is how many levels are read at once.
const foreignStep = 4096

// foreignScratch is the memory of one step.
type foreignScratch struct {
	int64s                   [foreignStep]int64
	int32s                   [foreignStep]int32
	bytes                    [foreignStep]parquet.ByteArray
	definitions, repetitions [foreignStep]int16
	definition, repetition   [foreignStep]byte // the same levels, as levels has them
}

// numbers is part of columnSource.
func (f *foreignReader) numbers(column int, use func([]int64) error) error {
	s := f.scratch
	return f.eachStep(column, func(c file.ColumnChunkReader, n int64) (read int64, err error) {
		var values int
		switch c := c.(type) {
		case *file.Int64ColumnChunkReader:
			_, values, err = c.ReadBatchInPage(n, s.int64s[:], nil, nil)
		case *file.Int32ColumnChunkReader:
			_, values, err = c.ReadBatchInPage(n, s.int32s[:], nil, nil)
			for i, v := range s.int32s[:values] {
				s.int64s[i] = int64(v)
			}
		}
		if err != nil {
			return 0, err
		}
		return int64(values), use(s.int64s[:values])
	})
}

// payloads is part of columnSource.
func (f *foreignReader) payloads(column int, use func(levels, payloadValues) error) error {
	s, shape := f.scratch, payloadShapeOf(column)
	return f.eachStep(column, func(c file.ColumnChunkReader, n int64) (int64, error) {
		n, values, err := c.(*file.ByteArrayColumnChunkReader).ReadBatchInPage(n, s.bytes[:], s.definitions[:], s.repetitions[:])
		if err != nil {
			return 0, err
		}
		defined := 0
		for i := range n {
			s.definition[i], s.repetition[i] = byte(s.definitions[i]), byte(s.repetitions[i])
			if s.definition[i] == shape.defined {
				defined++
			}
		}
		if defined != values {
			return 0, fmt.Errorf("%d values, its levels say %d", values, defined)
		}
		return n, use(levels{s.definition[:n], s.repetition[:n]}, f.gather(s.bytes[:values]))
	})
}

// gather copies values.
func (f *foreignReader) gather(values []parquet.ByteArray) (v payloadValues) {
	total := 0
	v.lengths = f.scratch.int64s[:len(values)]
	for i, b := range values {
		v.lengths[i] = int64(len(b))
		total += len(b)
	}
	v.bytes = f.arena.take(total)
	at := 0
	for _, b := range values {
		at += copy(v.bytes[at:], b)
	}
	return v
}

// eachStep opens a column and calls step, which reads up to n levels, until all that the column is said to have were read. Steps stay within
// a page: the library's reading across pages goes round for ever on some damaged pages, which give no value and no error. Errors of the
// library, and of what it reads from, wrap ErrCorrupt.
func (f *foreignReader) eachStep(column int, step func(c file.ColumnChunkReader, n int64) (int64, error)) error {
	c, err := f.group.Column(f.columns[column])
	if err == nil {
		var left int64
		if left, err = f.levels(column); err == nil {
			err = steps(c, left, f.empty[column], step)
		}
		if closed := c.Close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		return fmt.Errorf("%w: column %s: %w", ErrCorrupt, columnPaths[column], err)
	}
	return nil
}

// levels is how many levels a column is said to have.
func (f *foreignReader) levels(column int) (int64, error) {
	c, err := f.group.MetaData().ColumnChunk(f.columns[column])
	if err != nil {
		return 0, err
	}
	return c.NumValues(), nil
}

// steps takes a step without a value for each page that has none: the library takes such a page for the end of the column, and goes on with
// the next one when it is asked again.
func steps(c file.ColumnChunkReader, left int64, empty int, step func(c file.ColumnChunkReader, n int64) (int64, error)) error {
	for left > 0 {
		n, err := step(c, min(left, foreignStep))
		switch {
		case err != nil:
			return err
		case n > 0:
			left -= n
		case empty == 0:
			return errors.New("ends early")
		default:
			empty--
		}
	}
	return nil
}
