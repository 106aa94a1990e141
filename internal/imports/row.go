package imports

import (
	"errors"
	"fmt"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/jsonl"
)

// Row is a record in a file, and what the file tells of its place.
type Row struct {
	format.Record
	Topic     string // empty: the file names none
	Partition int32
	Placed    bool  // the file names the partition
	Numbered  bool  // the file names the offset
	Line      int64 // from 1; of a Parquet file the row
	// About, if set, is what the row tells of the archive in place of a record.
	About *jsonl.About
}

// Source reads the rows of a file.
type Source interface {
	// Next returns the next row, which is valid until the call after. The error is io.EOF after the last one, a *BadRow when the source
	// can go on behind it, or final.
	Next() (*Row, error)
}

// BadRow is a row that cannot be taken.
type BadRow struct {
	File string // filled in by Run
	Line int64  // from 1; of a Parquet file the row. 0: not known
	Err  error
}

func (e *BadRow) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s: line %d: %v", e.File, e.Line, e.Err)
}

func (e *BadRow) Unwrap() error { return e.Err }

// FieldsError is a row with more or fewer fields than there are columns.
type FieldsError struct{ Got, Want int }

func (e *FieldsError) Error() string { return fmt.Sprintf("%d fields, and %d columns", e.Got, e.Want) }

// Errors wrapped by a *BadRow.
var (
	ErrNoTopic    = errors.New("it names no topic")
	ErrMixed      = errors.New("some records of its partition have an offset and some have none")
	ErrOtherThere = errors.New("another record has the same offset")
	ErrOffset     = errors.New("not an offset")
)
