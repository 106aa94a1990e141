package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/internal/schema"
)

// recordOptions are the flags of a command that reads the records of archives: which of them, what rules make of them, and what becomes of a
// damaged archive.
type recordOptions struct {
	selected
	reshapeFlags
	skipCorrupt bool
}

// flags are all of a command that has own ones: what is read comes first in help, and rules last.
func (o *recordOptions) flags(own ...cli.Flag) []cli.Flag {
	return slices.Concat(o.selected.flags(), own, []cli.Flag{skipCorruptFlag(&o.skipCorrupt)}, o.reshapeFlags.flags())
}

// openRecords are the records of an archive that is open, as a command is to read them.
type openRecords struct {
	*scan.Scanner
	rules   *reshape.Pipeline // nil: there are none
	reader  *schema.Reader    // of what has a schema; nil: nothing is read by one
	damaged error             // errIncomplete, when not all of the archive is intact
}

// open opens an archive, and says what it lacks. What is wrong with the command line is found before. It is ended by close.
func (o *recordOptions) open(ctx context.Context, e *env, name string) (*openRecords, error) {
	if err := o.checkWindow(); err != nil {
		return nil, err
	}
	rules, err := o.pipeline(ctx, e)
	if err != nil {
		return nil, err
	}
	a, damaged, err := openWhole(ctx, e, name, o.skipCorrupt)
	if err != nil {
		return nil, err
	}
	r := &openRecords{Scanner: &scan.Scanner{Archive: a}, rules: rules, damaged: damaged}
	if r.Partitions, r.Window, err = o.chosen(e, a); err == nil {
		e.warnSelected(name, a, &o.selected)
		r.reader, err = o.show(ctx, e, a, rules, o.takes)
		if r.Keys = rules.MatchesKey(); r.Keys != nil { // which knows of schemas then
			r.LeftOut = rules.LeaveOut
		}
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	return r, nil
}

// close ends reading, and says what no schema could read.
func (r *openRecords) close(e *env) {
	e.noteUnread(r.reader)
	r.Archive.Close()
}

// outcome is the result of a command that has read all.
func (r *openRecords) outcome(e *env) error { return cmp.Or(r.damaged, e.noteReshaped(r.rules)) }
