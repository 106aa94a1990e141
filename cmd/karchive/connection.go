package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/connect"
)

// connection is how to reach a cluster.
type connection struct {
	brokers cli.StringSlice
	set     cli.StringSlice
	file    string
	timeout time.Duration
}

// defaultConnectTimeout is how long the first contact with a cluster may take.
const defaultConnectTimeout = 10 * time.Second

const connectionCategory = "Connection"

func (c *connection) flags() []cli.Flag {
	const category = connectionCategory
	c.timeout = defaultConnectTimeout
	timeout := durationFlag("connect-timeout", "how long the first contact may take, as `DURATION`", "10s", &c.timeout)
	timeout.(*cli.GenericFlag).Category = category
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "brokers", Aliases: []string{"b"}, Category: category, Usage: "`HOST:PORT` of brokers, in a comma list or repeated", Destination: &c.brokers},
		&cli.StringFlag{Name: "config", Category: category, Usage: "a client.properties `FILE`; - is stdin", Destination: &c.file},
		&cli.StringSliceFlag{Name: "X", Category: category, Usage: "a setting as `KEY=VALUE`, repeatable; see karchive help connection", Destination: &c.set},
		timeout,
	}
}

// open reads the settings, prints what there is to say about them, and makes sure that a broker answers.
func (c *connection) open(ctx context.Context, e *env) (*connect.Config, []kgo.Opt, error) {
	cfg, err := connect.Load(connect.Input{
		File:     c.file,
		Environ:  e.environ,
		Set:      c.set.Value(),
		Brokers:  c.brokers.Value(),
		Words:    connect.Words{File: "--config", Set: "-X", Brokers: "-b"},
		ReadFile: e.readFile,
	})
	if err != nil {
		return nil, nil, err
	}
	e.hidden.learn(cfg.Secrets())
	for _, warning := range cfg.Warnings() {
		e.warnf("%s", warning)
	}
	for _, note := range cfg.Notes() {
		e.notef("%s", note)
	}
	opts, err := cfg.Opts()
	if err == nil {
		err = cfg.Check(ctx, c.timeout)
	}
	return cfg, opts, withHint(err, cfg.Explain(err))
}
