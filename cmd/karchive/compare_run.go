package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/compare"
	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/units"
)

func runCompare(ctx context.Context, e *env, o *compareOptions) error {
	limitMemory(o.memory)
	if err := o.complete(); err != nil {
		return err
	}
	golden, err := o.openGolden(e) // before programs run for nothing
	if err != nil {
		return err
	}
	if golden != nil {
		defer golden.close()
	}
	temporary, err := aside.CreateTemporary()
	if err != nil {
		return err
	}
	defer temporary.End()
	rules, err := o.pipeline(ctx, e)
	if err != nil {
		return err
	}
	results, err := o.run(ctx, e, rules, temporary.Dir)
	if err != nil {
		return compareHint(err)
	}
	defer compare.Close(results)
	if err := o.printNumbers(e, results); err != nil {
		return err
	}
	if failed := e.tellFailed(results); failed != nil {
		return failed
	}
	return o.judge(ctx, e, rules, golden, results)
}

func (o *compareOptions) openGolden(e *env) (*diffSide, error) {
	if o.expect == "" {
		return nil, nil
	}
	a, err := openArchive(e, o.expect)
	if err != nil {
		return nil, err
	}
	a.IgnoreCatalog()
	s := o.side(o.expect, a)
	whole, err := a.Completeness(s.Selection)
	if err != nil {
		a.Close()
		return nil, fmt.Errorf("%s: %w", o.expect, err)
	}
	missing := newCompleteness(whole)
	e.warnMissing(o.expect, missing)
	s.lacks = missing.lacks(o.expect)
	return s, nil
}

// side is what an archive has of the outputs.
func (o *compareOptions) side(name string, a *format.Archive) *diffSide {
	return &diffSide{Side: diff.Side{Archive: a, Selection: format.Selection{Topics: o.topics()}}, name: name, close: func() { a.Close() }}
}

// run runs the programs.
func (o *compareOptions) run(ctx context.Context, e *env, rules *reshape.Pipeline, scratch string) ([]compare.Result, error) {
	options := compare.Options{Outputs: o.topics(), Partitions: int32(o.partitions), CreatedBy: madeBy(), Settle: o.settle, Timeout: o.timeout}
	var err error
	if options.Serve, err = o.served.complete(e); err != nil {
		return nil, err
	}
	damaged, closeAll, err := o.openSources(ctx, e, rules, &options.Serve)
	defer closeAll()
	if err := errors.Join(err, damaged); err != nil {
		return nil, err
	}
	o.lacks = o.warnMissing(e, options.Serve.Sources)
	options.Serve.TempDir, options.Dir = scratch, o.keep
	if o.keep == "" {
		options.Dir = filepath.Join(scratch, "written")
	}
	if err := os.MkdirAll(options.Dir, 0o755); err != nil {
		return nil, err
	}
	defer e.noteStop(ctx, "ending the programs")()
	progress := newProgress(e, "compare")
	defer progress.done()
	options.Began = func(name, address string, kill func()) func() { return aside.OnLeave(kill) }
	options.OnLook = func(name string, at compare.LagPoint, written int64) {
		progress.set(0, 0, fmt.Sprintf("%s: %s to read, %s written", name, units.Of(at.Offsets, "offset"), units.Count(written)))
	}
	return compare.Run(ctx, o.programs, options)
}

// judge compares what was written.
func (o *compareOptions) judge(ctx context.Context, e *env, rules *reshape.Pipeline, golden *diffSide, results []compare.Result) error {
	a, rest := golden, results
	if a == nil {
		a, rest = o.side(results[0].Name, results[0].Archive), results[1:]
	}
	equal, compared := true, golden != nil
	lacks := func(r *diff.Report) []string {
		compared = compared || r.Equal > 0
		all := slices.Concat(o.lacks, unreadTexts(results), newReshaped(rules).lacks())
		if golden == nil && r.Equal == 0 && r.Equals() {
			all = append(all, noRecord)
		}
		return all
	}
	for i := range rest {
		b := o.side(rest[i].Name, rest[i].Archive)
		if err := o.printSides(e, a.name, b.name); err != nil {
			return err
		}
		report, err := o.comparing.run(ctx, e, a, b, programPages(results), lacks)
		if err != nil {
			return err
		}
		equal = equal && report.Equals()
	}
	withheld := e.noteReshaped(rules)
	switch {
	case !equal:
		return errReported
	case !compared:
		e.warnf(noRecord)
		return errIncomplete
	}
	return withheld
}

const noRecord = "no program wrote a record: nothing was compared"

// compareHint says what to do about what cannot be compared.
func compareHint(err error) error {
	if name, ok := errors.AsType[*compare.NameError](err); ok {
		return usage("%v", name)
	}
	switch {
	case errors.Is(err, compare.ErrNoOutput):
		return &usageError{err.Error(), "give --output TOPIC"}
	case errors.Is(err, compare.ErrNoInput):
		return &usageError{err.Error(), "name in --output the topics that the programs write, not those that they read"}
	}
	return endlessHint(err)
}
