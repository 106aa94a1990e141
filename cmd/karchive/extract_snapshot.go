package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/karchive/karchive/internal/foreign"
	"github.com/karchive/karchive/internal/imports"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/internal/speedscale"
)

// snapshotExtraction makes rows of the RRPairs of a snapshot.
type snapshotExtraction struct {
	*tableMaker
	name     string // of the file
	file     *foreign.Reader
	in       *speedscale.Reader
	filters  []speedscale.Filter // all of them choose
	skipBad  int64
	bad      int64 // left out
	filtered bool  // an RRPair that a filter left out
}

func (o *extractOptions) fromSnapshot(ctx context.Context, e *env) error {
	s := &snapshotExtraction{name: o.source, skipBad: o.skipBad}
	if err := o.checkSnapshot(e, s); err != nil {
		return err
	}
	columns, err := speedscale.Columns(o.paths)
	if err != nil {
		return usage("--path %v", err)
	}
	file, end, err := e.open(ctx, o.source)
	if err != nil {
		return err
	}
	defer end()
	whole, err := foreign.Open(file, o.unpacking())
	if err != nil {
		return inFile(o.source, err)
	}
	defer whole.Close()
	text, err := whole.Text()
	if err != nil {
		return inFile(o.source, err)
	}
	s.in, s.file = speedscale.NewReader(text, o.maxRow), whole
	if s.tableMaker, err = o.begin(e, columns, "RRPair"); err != nil {
		return err
	}
	defer s.abandon()
	defer e.noteStop(ctx, "ending the extraction")()
	if err := s.end(s.run(ctx)); err != nil {
		return err
	}
	if s.bad > 0 {
		return errIncomplete
	}
	return nil
}

// checkSnapshot reads the filters, and refuses flags that are about an archive.
func (o *extractOptions) checkSnapshot(e *env, s *snapshotExtraction) error {
	for _, f := range o.rules.Filter {
		filter, err := speedscale.ParseFilter(f.Text)
		if err != nil {
			return &usageError{"--filter " + err.Error(), "a snapshot's filter is as speedctl's: karchive help filter is about records of archives"}
		}
		s.filters = append(s.filters, filter)
	}
	others := o.rules
	others.Filter = nil
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"--topics", len(o.names()) > 0}, {"--partitions", len(o.partitions) > 0}, {"--from", o.from != ""}, {"--until", o.until != ""},
		{"--skip-corrupt", o.skipCorrupt}, {"--rules", o.file != ""}, {"a sample, mask or map", !reflect.DeepEqual(others, reshape.Rules{})},
		{"--schema or --raw", len(o.files) > 0 || o.raw},
	} {
		if f.given {
			return &usageError{f.name + " is for records of an archive, and " + o.source + " is a snapshot", "karchive import speedscale makes an archive of it"}
		}
	}
	return nil
}

// run takes RRPairs until the end.
func (s *snapshotExtraction) run(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		pair, err := s.in.Next()
		if err == io.EOF && s.looked == 0 && s.bad == 0 && !s.filtered && !s.file.Empty() {
			return inFile(s.name, imports.ErrNoRecord)
		}
		if err == io.EOF {
			return nil
		}
		if err == nil && s.chosen(pair) {
			err = s.record(speedscale.AsRecord(pair))
		}
		if err == scan.ErrEnough {
			return nil
		}
		if err := s.pass(err); err != nil {
			return err
		}
		s.tell()
	}
}

func (s *snapshotExtraction) chosen(p speedscale.RRPair) bool {
	for _, f := range s.filters {
		if !f.Match(p) {
			s.filtered = true
			return false
		}
	}
	return true
}

// pass returns nil for what is no RRPair, as long as more may be left out.
func (s *snapshotExtraction) pass(err error) error {
	if err == nil {
		return nil
	}
	bad, ok := errors.AsType[*speedscale.PairError](err)
	if !ok {
		return inFile(s.name, err)
	}
	if s.bad == s.skipBad {
		return withHint(inFile(s.name, bad), "--skip-bad N leaves out what is no RRPair")
	}
	s.bad++
	s.e.warnf("left out: %v", inFile(s.name, bad))
	return nil
}

// inFile names the file that an error is about.
func inFile(name string, err error) error {
	if name == "-" {
		name = "stdin"
	}
	return fmt.Errorf("%s: %w", name, err)
}
