package extract

import (
	"slices"

	"github.com/karchive/karchive/internal/reshape"
)

// Options say how records become rows. The zero value makes one row of every record.
type Options struct {
	// Explode makes a row for each element of the arrays that paths lead through with #, or to. What several paths find in one array
	// stays together; different arrays are laid side by side by position; everything else is repeated. A record whose arrays are empty
	// or not there has one row.
	Explode bool
	// SkipMissing leaves out rows in which no path leads anywhere, those of columns aside apart.
	SkipMissing bool
}

// Extractor finds the cells of records.
type Extractor struct {
	columns []Column
	options Options
	row     []reshape.Field
	skipped int64

	value, key *tree // of the columns that lead into JSON, when exploding
	flat       []int // the other columns
}

// New returns an extractor. It does not keep the columns' slice.
func New(columns []Column, o Options) *Extractor {
	x := &Extractor{columns: slices.Clone(columns), options: o, row: make([]reshape.Field, len(columns))}
	if o.Explode {
		x.plant()
	}
	return x
}

// Each calls emit for every row of r, in order. The row is the extractor's, and valid during the call.
func (x *Extractor) Each(r *reshape.Record, emit func(row []reshape.Field) error) error {
	if x.options.Explode {
		return x.explode(r, emit)
	}
	for i := range x.columns {
		x.row[i] = x.columns[i].get(r)
	}
	return x.emit(x.row, emit)
}

// Skipped is the number of rows that SkipMissing left out.
func (x *Extractor) Skipped() int64 { return x.skipped }

func (x *Extractor) emit(row []reshape.Field, emit func([]reshape.Field) error) error {
	if x.options.SkipMissing && x.isEmpty(row) {
		x.skipped++
		return nil
	}
	return emit(row)
}

func (x *Extractor) isEmpty(row []reshape.Field) bool {
	looked := false
	for i := range row {
		if x.columns[i].aside {
			continue
		}
		if row[i].Kind != reshape.Missing {
			return false
		}
		looked = true
	}
	return looked
}
