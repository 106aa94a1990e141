package main

import (
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/internal/metrics"
	"github.com/karchive/karchive/replay"
)

func metricsFlag(to *string) cli.Flag {
	return &cli.StringFlag{Name: "metrics", Usage: "serve metrics to Prometheus, /healthz and /readyz at `ADDR`, such as 127.0.0.1:9100; a bare port is of loopback", Destination: to}
}

// listen begins to serve metrics; nil: none are wanted.
func (e *env) listen(addr string) (*metrics.Server, error) {
	if addr == "" {
		return nil, nil
	}
	s, err := metrics.Listen(addr)
	if err != nil {
		return nil, withHint(err, "give --metrics HOST:PORT of this machine, or a port, which is of loopback")
	}
	e.notef("metrics at http://%s/metrics", s.Addr())
	return s, nil
}

// replayMetrics serves the metrics of a replay, if they are wanted, and returns how to end that.
func (e *env) replayMetrics(addr string, o *replay.Options) (end func(), err error) {
	s, err := e.listen(addr)
	if err != nil || s == nil {
		return func() {}, err
	}
	o.Hooks = append(o.Hooks, s.ClientHook())
	shown, collected := o.OnProgress, s.Replay()
	o.OnProgress = func(p replay.Progress) {
		collected.Set(p)
		shown(p)
	}
	return func() { s.Close() }, nil
}

// captureMetrics serves the metrics of a capture, if they are wanted, and returns its connection options with what counts, and how to end
// that.
func (e *env) captureMetrics(addr string, connect []kgo.Opt, o *capture.Options) (opts []kgo.Opt, end func(), err error) {
	s, err := e.listen(addr)
	if err != nil || s == nil {
		return connect, func() {}, err
	}
	for _, store := range e.stores { // at most one: the archive's
		s.Store(store.Requests)
	}
	shown, collected := o.OnProgress, s.Capture()
	o.OnProgress = func(p capture.Progress) {
		p.Trouble = e.hidden.text(p.Trouble)
		collected.Set(p)
		shown(p)
	}
	return append(connect, kgo.WithHooks(s.ClientHook())), func() { s.Close() }, nil
}
