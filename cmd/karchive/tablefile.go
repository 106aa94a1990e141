package main

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/karchive/karchive/internal/extract"
)

// tableEndings are the formats of tables by how the name of a file ends.
var tableEndings = map[string]string{".csv": extract.CSV, ".tsv": extract.TSV, ".jsonl": extract.JSONL, ".ndjson": extract.JSONL, ".parquet": extract.Parquet}

// tableFormat is the format of a table that goes to a file, where none was asked for: CSV when its name has no ending. Ok is false when the
// ending says something else.
func tableFormat(name string) (format string, ok bool) {
	ending := strings.ToLower(filepath.Ext(name))
	if ending == "" || name == "-" {
		return extract.CSV, true
	}
	format, ok = tableEndings[ending]
	return format, ok
}

// tableOutput is where a table goes: a new file, a device or pipe, or stdout.
type tableOutput struct {
	io.Writer
	commit  func() error
	abandon func() // does nothing after commit
	partial bool   // what was written is worth having in any case
}

func (e *env) tableOutput(name, format string) (*tableOutput, error) {
	if name == "" || name == "-" {
		if e.onScreen && format == extract.Parquet {
			return nil, &usageError{"a Parquet file is nothing for a terminal", "give -o FILE"}
		}
		w := bufio.NewWriterSize(e.stdout, 1<<18)
		return &tableOutput{w, w.Flush, func() {}, format != extract.Parquet}, nil
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		return &tableOutput{f, f.Close, func() { f.Close() }, format != extract.Parquet}, nil
	}
	f, err := createFile(name)
	if err != nil {
		return nil, err
	}
	return &tableOutput{Writer: f, commit: f.Commit, abandon: f.Abandon}, nil
}
