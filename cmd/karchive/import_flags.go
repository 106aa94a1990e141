package main

import (
	"strings"

	"github.com/karchive/karchive/internal/extract"
	"github.com/karchive/karchive/internal/imports"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/speedscale"
)

// complete reads what several flags tell together.
func (o *importOptions) complete() (open imports.OpenOptions, err error) {
	if o.object != "" {
		if o.mapping.Value.Name != "" {
			return open, usage("--column and --object are both the value")
		}
		if o.mapping.Object, err = imports.ParseObject(o.object); err != nil {
			return open, usage("--object %v", err)
		}
	}
	o.mapping.TimeUnit = imports.TimeUnit(o.unit)
	o.imports.Partitions, o.imports.Partitioner = int32(o.partitions), imports.Partitioner(o.partitioner)
	if err := o.misplaced(); err != nil {
		return open, err
	}
	if o.partition >= 0 {
		n := int32(o.partition)
		o.imports.Partition = &n
	}
	if o.imports.Topic != "" {
		if err := ondisk.CheckTopic(o.imports.Topic); err != nil {
			return open, usage("--topic %v", err)
		}
	}
	open = imports.OpenOptions{Mapping: o.mapping, CSV: o.csv, Lines: o.lines(), Mapped: o.given() || o.imports.Topic != ""}
	o.fileLimits.into(&open)
	open.Snapshot, err = o.snapshot()
	return open, err
}

// lines is what lines of text are. Nothing in them is null unless it is told.
func (o *importOptions) lines() imports.LinesOptions {
	l := imports.LinesOptions{Fields: o.fields, Delimiter: o.keyDelimiter, Null: o.csv.Null}
	if l.Null == extract.DefaultNull {
		l.Null = ""
	}
	if l.Delimiter != "" && l.Fields == nil {
		l.Fields = []imports.Column{{Name: "key"}}
	}
	return l
}

// misplaced refuses flags that mean nothing for the kind of file.
func (o *importOptions) misplaced() error {
	info, _ := imports.Info(o.kind)
	for _, f := range []struct {
		name         string
		given, means bool
	}{
		{"a column", o.given(), info.Columns},
		{"--topic", o.imports.Topic != "", !info.Named},
		{"--partitions", o.partitions > 0, !info.Named},
		{"--partition", o.partition >= 0, !info.Named},
		{"--delimiter or --no-header", o.csv.Comma != 0 || o.csv.NoHeader, o.kind == imports.CSV},
		{"--null", o.csv.Null != extract.DefaultNull, info.Spelling},
		{"--fields or --key-delimiter", o.fields != nil || o.keyDelimiter != "", o.kind == imports.Lines},
		{"--time-unit", o.mapping.TimeUnit != imports.Milliseconds, info.Columns || o.kind == imports.Lines},
		{"--calls", o.calls != defaultCalls, o.kind == imports.Speedscale},
		{"--rrpairs", o.pairs != "", o.kind == imports.Speedscale},
	} {
		if f.given && !f.means {
			return usage("%s means nothing for %s", f.name, o.kind)
		}
	}
	if o.partition >= 0 && o.partitions > 0 {
		return usage("--partition and --partitions both say where records go")
	}
	return nil
}

const defaultCalls = "fetch"

func (o *importOptions) snapshot() (out imports.SnapshotOptions, err error) {
	for call := range strings.SplitSeq(o.calls, ",") {
		switch strings.ToLower(strings.TrimSpace(call)) {
		case "fetch":
			out.Calls.Fetch = true
		case "produce":
			out.Calls.Produce = true
		default:
			return out, usage("--calls: %v", notAChoice(call, []string{"fetch", "produce"}))
		}
	}
	if o.pairs == "" {
		return out, nil
	}
	f, err := speedscale.ParseFilter(o.pairs)
	if err != nil {
		return out, usage("--rrpairs %v", err)
	}
	out.Filter = &f
	return out, nil
}
