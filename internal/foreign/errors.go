package foreign

import (
	"errors"
	"fmt"
	"io"
)

// UnsupportedError is a file, or a part of one, that nothing here reads.
type UnsupportedError struct{ What string }

func (e *UnsupportedError) Error() string { return e.What }

// Limit is a bound against files that would take all memory, disk or time.
type Limit uint8

// The limits.
const (
	RowLimit    Limit = iota // bytes of a row, line, JSON value or Parquet page, which are in memory as a whole
	UnpackLimit              // how many times its size a compressed file may unpack to
	FixedLimit               // a bound that no option raises
)

// LimitError is more than a bound allows.
type LimitError struct {
	What  string // with the bound
	Limit Limit
}

func (e *LimitError) Error() string { return e.What }

// RowTooLarge is the error of a row, or whatever what names, of more than limit bytes.
func RowTooLarge(what string, limit int64) *LimitError {
	size := fmt.Sprintf("%d bytes", limit)
	if limit >= 1<<20 {
		size = fmt.Sprintf("%d MiB", limit>>20)
	}
	return &LimitError{what + " of more than " + size, RowLimit}
}

// DamagedError is a file that is not what was written, such as one that was cut.
type DamagedError struct {
	What string // the kind of file
	Err  error
}

func (e *DamagedError) Error() string {
	if errors.Is(e.Err, io.ErrUnexpectedEOF) {
		return "the " + e.What + " is damaged: it ends early"
	}
	return fmt.Sprintf("the %s is damaged: %v", e.What, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }
