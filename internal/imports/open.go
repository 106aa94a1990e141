package imports

import (
	"errors"
	"fmt"
	"io"
)

// Kind is a kind of file.
type Kind string

// The kinds of files.
const (
	CSV        Kind = "csv"
	JSONL      Kind = "jsonl" // lines of karchive cat, or any JSON with OpenOptions.Mapped
	Speedscale Kind = "speedscale"
	Kcat       Kind = "kcat" // kcat -J
	Parquet    Kind = "parquet"
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{CSV, JSONL, Speedscale, Kcat, Parquet} }

// Input is a file. Parquet needs it whole: one that is no io.ReaderAt, or of no known size, cannot be read.
type Input struct {
	Name string // for messages
	io.Reader
	Size int64 // of an io.ReaderAt
}

// OpenOptions say how files are read.
type OpenOptions struct {
	Mapping  Mapping // of CSV, Parquet and mapped JSON lines
	CSV      CSVOptions
	Snapshot SnapshotOptions
	Mapped   bool // JSON lines are any JSON and not those of karchive cat
}

// Open returns the source of a file. Errors name it.
func Open(kind Kind, in Input, o OpenOptions) (Source, error) {
	s, err := open(kind, in, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.Name, err)
	}
	return s, nil
}

func open(kind Kind, in Input, o OpenOptions) (Source, error) {
	switch kind {
	case CSV:
		t, err := newCSVTable(in, o.CSV)
		if err != nil {
			return nil, err
		}
		return newTableSource(t, o.Mapping)
	case JSONL:
		if o.Mapped {
			return newTableSource(newObjectTable(in), o.Mapping)
		}
		return catSource(in), nil
	case Speedscale:
		return newSnapshotSource(in, o.Snapshot), nil
	case Kcat:
		return kcatSource(in), nil
	case Parquet:
		at, ok := in.Reader.(io.ReaderAt)
		if !ok {
			return nil, errors.New("it can only be read from a file")
		}
		t, err := newParquetTable(at, in.Size)
		if err != nil {
			return nil, err
		}
		return newTableSource(t, o.Mapping)
	}
	return nil, fmt.Errorf("unknown kind of file %q", kind)
}
