package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/karchive/karchive/internal/aside"
)

// oneStop is how long signals that ask for an end are the same request: timeout(1) sends SIGTERM twice within a millisecond, and a terminal that
// closes sends SIGHUP once itself and once through the shell.
const oneStop = 500 * time.Millisecond

// interruptible returns a context that the first Ctrl-C, SIGTERM or SIGHUP ends, with errInterrupted. A later one ends the process.
func interruptible(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup(1) ignores it for us
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		awaitStops(signals, func() { cancel(errInterrupted) })
		aside.Leave()
		os.Exit(exitInterrupted)
	}()
	return ctx, func() { cancel(nil) }
}

// awaitStops calls first at the first signal, and returns at one that is another request.
func awaitStops(signals <-chan os.Signal, first func()) {
	<-signals
	begun := time.Now()
	first()
	for range signals {
		if time.Since(begun) >= oneStop {
			return
		}
	}
}
