package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/foreign"
	"github.com/karchive/karchive/internal/imports"
)

// fileLimits bound what a file of another program may take.
type fileLimits struct{ maxRow, maxExpansion int64 }

func (l *fileLimits) flags() []cli.Flag {
	return []cli.Flag{
		sizeFlag("max-row", "the most that a row, line, JSON value or Parquet page of a file may have, as `SIZE`", "256MiB", &l.maxRow),
		countFlag("max-expansion", "how many times its size a compressed file may unpack to, as `N`, beyond the first GiB", "1000", &l.maxExpansion),
	}
}

// into puts the limits into the options of opening a file.
func (l *fileLimits) into(o *imports.OpenOptions) {
	o.MaxRow, o.Foreign = l.maxRow, l.unpacking()
}

// unpacking bounds what comes out of a compressed file.
func (l *fileLimits) unpacking() foreign.Options { return foreign.Options{MaxRatio: l.maxExpansion} }

// fileHint says what to do about a file that cannot be read; empty: nothing is known.
func fileHint(err error) string {
	limit, ok := errors.AsType[*foreign.LimitError](err)
	switch {
	case ok && limit.Limit == foreign.RowLimit:
		return "--max-row SIZE raises the limit"
	case ok && limit.Limit == foreign.UnpackLimit:
		return "--max-expansion N raises the limit"
	case errors.Is(err, imports.ErrNoTopic):
		return "give one with --topic, or the column with --topic-column"
	}
	return ""
}
