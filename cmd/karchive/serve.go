package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/serve"
	"github.com/karchive/karchive/internal/units"
)

type serveOptions struct {
	served
	listen      string
	advertise   string
	certificate string // file
	key         string // file
	users       cli.StringSlice
	readyFile   readyFile
	exitAtEnd   bool
	exitIdle    time.Duration
}

func serveCommand(e *env) *cli.Command {
	o := serveOptions{served: served{memory: defaultMemory}}
	return &cli.Command{
		Name:      "serve",
		Usage:     "serve archives to clients, as a Kafka broker",
		ArgsUsage: "ARCHIVE... [flags]",
		Description: `Kafka clients read the archived topics as in the cluster that was captured: at the same offsets, with the same timestamps, leader epochs, headers
and gaps, partitions, configs and ids. Nothing is loaded: row groups are decoded when somebody reads them. Archived topics are read-only;
other topics, groups and transactions are kept until the command ends, so that a stream processor can run against it.

Everything is there at once, unless a flag of timing is given: then the end of each partition moves on as its records are due, over all partitions
in the order of their timestamps. With --loop each round has new offsets and later timestamps.

The address is printed on stdout, and written to the file of --ready-file, when clients can connect. A damaged row group is an error of its
partition, and is named on stderr.

Examples:
  karchive serve run1
  karchive serve run1 -t orders --map orders:=old.orders --listen 127.0.0.1:0 --ready-file address
  karchive serve run1 run2 --mask value.user.email=redact --exit-at-end
  karchive serve run1 --speed 1                  # consumers see the original rhythm
  karchive serve run1 --rate 800/s --loop
  karchive serve run1 --listen 0.0.0.0:9092 --advertise archive:9092 --tls-cert cert.pem --tls-key key.pem --sasl-user ann=env:PASSWORD`,
		Flags: append(o.served.flags(e), o.flags(e)...),
		Action: func(c *cli.Context) error {
			if o.archives = c.Args().Slice(); len(o.archives) == 0 {
				return &usageError{"karchive serve needs an ARCHIVE", "karchive help serve shows examples"}
			}
			return runServe(c.Context, e, &o)
		},
	}
}

func (o *serveOptions) flags(e *env) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "listen", Usage: "take connections at `HOST:PORT`; port 0 is a free one", Value: "127.0.0.1:9092", Destination: &o.listen},
		&cli.StringFlag{Name: "advertise", Usage: "tell clients to use `HOST[:PORT]`", DefaultText: "the address of --listen", Destination: &o.advertise},
		&cli.StringFlag{Name: "tls-cert", Usage: "encrypt connections with the certificate of `FILE`, in PEM", Destination: &o.certificate},
		&cli.StringFlag{Name: "tls-key", Usage: "the certificate's key, in `FILE`, in PEM", Destination: &o.key},
		&cli.StringSliceFlag{Name: "sasl-user", Usage: "let in only `NAME=PASSWORD`, the password as @FILE or env:VARIABLE; repeatable", Destination: &o.users},
		&cli.StringFlag{Name: "ready-file", Usage: "write the address to `FILE` when clients can connect, and remove it before and after", Destination: &o.readyFile.name},
		&cli.BoolFlag{Name: "exit-at-end", Usage: "end when clients have read everything and have gone, at the latest 5 seconds after", Destination: &o.exitAtEnd},
		durationFlag("exit-when-idle", "end when no client has read or written for `DURATION`, since the first came", "never", &o.exitIdle),
		logFlag(e),
	}
}

// endGrace is how long clients have to commit and leave after they have read everything.
const endGrace = 5 * time.Second

func runServe(ctx context.Context, e *env, o *serveOptions) error {
	limitHeap(o.memory, servedShare)
	rules, err := o.pipeline(ctx, e)
	if err != nil {
		return err
	}
	options, err := o.complete(e)
	if err != nil {
		return err
	}
	if err := o.readyFile.begin(); err != nil {
		return err
	}
	defer o.readyFile.end()
	damaged, closeAll, err := o.openSources(ctx, e, rules, &options)
	defer closeAll()
	if err != nil {
		return err
	}
	if err := o.serve(ctx, e, options); err != nil {
		return err
	}
	return errors.Join(damaged, e.noteReshaped(rules))
}

// serve is there for clients until it is to end.
func (o *serveOptions) serve(ctx context.Context, e *env, options serve.Options) error {
	aside.RemoveLeftovers()
	temporary, err := aside.CreateTemporary()
	if err != nil {
		return err
	}
	defer temporary.End()
	options.TempDir = temporary.Dir
	server, err := serve.Start(options)
	if err != nil {
		return endlessHint(err)
	}
	defer server.Close()
	if err := o.ready(e, server); err != nil {
		return err
	}
	warned := make(chan struct{})
	go func() { // clients need not wait for it
		defer close(warned)
		o.warnMissing(e, options.Sources)
	}()
	if err := o.wait(ctx, server); err != nil {
		return err
	}
	<-warned
	return nil
}

// ready says where clients can connect.
func (o *serveOptions) ready(e *env, s *serve.Server) error {
	e.notef("serving %s of %s at %s", units.Of(int64(s.Topics()), "topic"), strings.Join(o.archives, ", "), s.Addr())
	if _, err := printable.Fprintf(e.text, "%s\n", s.Addr()); err != nil {
		return err
	}
	return o.readyFile.ready(s.Addr())
}

// wait returns when the server is to end.
func (o *serveOptions) wait(ctx context.Context, s *serve.Server) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	if o.exitAtEnd {
		go func() { ended <- s.AtEnd(ctx, endGrace) }()
	}
	if o.exitIdle > 0 {
		go func() { ended <- s.Idle(ctx, o.exitIdle) }()
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
