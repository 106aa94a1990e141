package main

import (
	"errors"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/extract"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/internal/schema"
	"github.com/karchive/karchive/internal/units"
)

// tableMaker makes rows of records.
type tableMaker struct {
	e         *env
	out       *tableOutput
	writer    extract.Writer
	extractor *extract.Extractor
	columns   []extract.Column
	worker    *reshape.Worker // nil: records are taken as they are
	reader    *schema.Reader  // nil: there are no schemas
	progress  *progress
	noun      string // of what is looked at

	limit  int64  // of records that have a row; 0: none
	found  []bool // of each column, whether it was there in any record
	looked int64  // at records
	taken  int64  // records that have a row
	rows   int64
}

// records takes the records of a row group.
func (t *tableMaker) records(tp format.TopicPartition, records []format.Record) error {
	one := reshape.Record{Topic: tp.Topic, Partition: tp.Partition}
	for i := range records {
		one.Record = records[i]
		if t.worker != nil {
			verdict, err := t.worker.Apply(&one)
			if err != nil {
				return err
			}
			if verdict != reshape.Pass {
				t.looked++
				continue
			}
		}
		t.reader.Replace(tp.Topic, &one.Record)
		if err := t.record(&one); err != nil {
			return err
		}
	}
	t.tell()
	return nil
}

func (t *tableMaker) tell() {
	t.progress.set(t.looked, 0, units.Of(t.looked, t.noun)+", "+units.Of(t.rows, "row"))
}

// record makes the rows of a record.
func (t *tableMaker) record(r *reshape.Record) error {
	t.looked++
	before := t.rows
	if err := t.extractor.Each(r, t.row); err != nil {
		return err
	}
	if t.rows == before {
		return nil
	}
	if t.taken++; t.taken == t.limit {
		return scan.ErrEnough
	}
	return nil
}

func (t *tableMaker) row(cells []reshape.Field) error {
	t.rows++
	for i := range cells {
		if cells[i].Kind != reshape.Missing {
			t.found[i] = true
		}
	}
	return t.writer.Row(cells)
}

// end ends the table after all records, or after an error that it returns: a file then disappears, and on stdout the rows stay.
func (t *tableMaker) end(err error) error {
	t.progress.done()
	if err != nil && !t.out.partial {
		return err
	}
	if err := errors.Join(err, t.writer.Close(), t.out.commit()); err != nil {
		return err
	}
	t.warn()
	t.e.notef("extracted %s of %s", units.Of(t.rows, "row"), units.Of(t.looked, t.noun))
	return nil
}

// warn says what looks like a mistake in the paths.
func (t *tableMaker) warn() {
	for i, found := range t.found {
		if !found && t.rows > 0 {
			t.e.warnf("%s leads nowhere in any of these %ss", t.columns[i].Name, t.noun)
		}
	}
	if n := t.writer.NotUTF8(); n > 0 {
		t.e.warnf("%s with bytes that are not UTF-8", units.Of(n, "cell"))
	}
}

func (t *tableMaker) abandon() {
	t.progress.done()
	t.out.abandon()
}
