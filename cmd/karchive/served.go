package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/serve"
	"github.com/karchive/karchive/replay/routing"
)

// served is the archives that are served, and the flags that say what of them, and when.
type served struct {
	archives []string
	recordOptions
	scheduling
	mapping routing.Mapping
	memory  int64
}

func (o *served) flags(e *env) []cli.Flag {
	return o.recordOptions.flags(append([]cli.Flag{
		mapFlag("serve topics under another name, as `OLD:=NEW`, * standing for anything", (*[]routing.Rule)(&o.mapping), routing.ParseRule),
		sizeFlag("memory", "the most memory to take, as `SIZE`", "256MiB", &o.memory),
		identityFlag(e), quietFlag(e),
	}, o.scheduling.flags()...)...)
}

// complete makes the library's options of all but the archives.
func (o *served) complete(e *env) (options serve.Options, err error) {
	options = serve.Options{OnTrouble: func(err error) { e.warnf("%v", err) },
		CacheBytes: int64(float64(o.memory) * cacheShare), ResponseBytes: int64(float64(o.memory) * cacheShare), ScheduleBytes: int64(float64(o.memory) * scheduleShare)}
	if options.Schedule, err = o.scheduling.complete(); err != nil {
		return options, err
	}
	options.StartAt, err = o.start(e.now(), false)
	return options, err
}

// cacheShare is the part of --memory for row groups that wait to be read, and the part for what is on its way.
const cacheShare = 0.19

// scheduleShare is the part of --memory for records that wait until they are due.
const scheduleShare = 0.12

// openSources opens the archives and says what of them is served.
func (o *served) openSources(ctx context.Context, e *env, rules *reshape.Pipeline, to *serve.Options) (damaged error, closeAll func(), err error) {
	var open []*format.Archive
	closeAll = func() {
		for _, a := range open {
			a.Close()
		}
	}
	if err := o.checkWindow(); err != nil {
		return nil, closeAll, err
	}
	for _, name := range o.archives {
		a, wrong, err := openWhole(ctx, e, name, o.skipCorrupt)
		if err != nil {
			return nil, closeAll, err
		}
		open, damaged = append(open, a), errors.Join(damaged, wrong)
	}
	if _, err := o.check(open...); err != nil {
		return nil, closeAll, err
	}
	if err := o.load(ctx, e, rules, o.takes, open...); err != nil {
		return nil, closeAll, err
	}
	e.warnUnused(o.mapping, open...)
	window, err := o.window(e, open...)
	for _, a := range open {
		source := serve.Source{Archive: a, Window: window, Rename: o.mapping.Topic, Takes: o.takes}
		if rules != nil {
			source.Rules = ruled{rules}
		}
		to.Sources = append(to.Sources, source)
	}
	return damaged, closeAll, err
}

// warnMissing says what the archives lack. It reads all documents.
func (o *served) warnMissing(e *env, sources []serve.Source) (lacks []string) {
	for i := range sources {
		lacks = append(lacks, e.warnSelected(o.archives[i], sources[i].Archive, &o.selected)...)
	}
	return lacks
}
