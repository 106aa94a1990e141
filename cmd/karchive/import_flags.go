package main

import (
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/imports"
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
	if o.imports.Topic != "" {
		if err := format.CheckTopicName(o.imports.Topic); err != nil {
			return open, usage("--topic %v", err)
		}
	}
	open = imports.OpenOptions{Mapping: o.mapping, CSV: o.csv, Mapped: o.given() || o.imports.Topic != ""}
	open.Snapshot, err = o.snapshot()
	return open, err
}

// misplaced refuses flags that mean nothing for the kind of file.
func (o *importOptions) misplaced() error {
	named := o.kind == imports.Kcat || o.kind == imports.Speedscale // the files name everything
	for _, f := range []struct {
		name         string
		given, means bool
	}{
		{"a column", o.given(), !named},
		{"--topic", o.imports.Topic != "", !named},
		{"--partitions", o.partitions > 0, !named},
		{"--delimiter, --no-header or --null", o.spelled(), o.kind == imports.CSV},
		{"--calls", o.calls != defaultCalls, o.kind == imports.Speedscale},
		{"--rrpairs", o.pairs != "", o.kind == imports.Speedscale},
	} {
		if f.given && !f.means {
			return usage("%s means nothing for %s", f.name, o.kind)
		}
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
