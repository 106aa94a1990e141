package main

import (
	"context"
	"errors"
	"net"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/serve"
)

// complete makes the library's options of all but the archives.
func (o *serveOptions) complete(e *env) (serve.Options, error) {
	options := serve.Options{Listen: o.listen, Advertise: o.advertise, OnTrouble: func(err error) { e.warnf("%v", err) },
		CacheBytes: int64(float64(o.memory) * cacheShare), ResponseBytes: int64(float64(o.memory) * cacheShare), ScheduleBytes: int64(float64(o.memory) * scheduleShare)}
	var err error
	if options.Schedule, err = o.scheduling.complete(); err != nil {
		return options, err
	}
	if options.StartAt, err = o.start(e.now(), false); err != nil {
		return options, err
	}
	if options.Users, err = o.accounts(e); err != nil {
		return options, err
	}
	if options.TLS, err = o.tls(); err != nil {
		return options, err
	}
	return options, o.checkAddress(e, options.TLS != nil && len(options.Users) > 0)
}

// cacheShare is the part of --memory for row groups that wait to be read, and the part for what is on its way.
const cacheShare = 0.19

// scheduleShare is the part of --memory for records that wait until they are due.
const scheduleShare = 0.12

// checkAddress warns of an address that others can reach.
func (o *serveOptions) checkAddress(e *env, secured bool) error {
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return usage("--listen %s: not HOST:PORT", o.listen)
	}
	ip := net.ParseIP(host)
	if host == "" || ip != nil && ip.IsUnspecified() {
		if o.advertise == "" {
			return &usageError{"--listen " + o.listen + " is no address that clients can use", "give --advertise HOST:PORT"}
		}
	}
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) && !secured {
		e.warnf("everybody who reaches %s can read what is served: give --tls-cert, --tls-key and --sasl-user", o.listen)
	}
	return nil
}

// openSources opens the archives and says what of them is served.
func (o *serveOptions) openSources(ctx context.Context, e *env, rules *reshape.Pipeline, to *serve.Options) (damaged error, closeAll func(), err error) {
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
		e.warnSelected(name, a, &o.selected)
	}
	if _, err := o.check(open...); err != nil {
		return nil, closeAll, err
	}
	if err := o.load(ctx, e, rules, open...); err != nil {
		return nil, closeAll, err
	}
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
