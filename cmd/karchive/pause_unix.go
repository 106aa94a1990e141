//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// onPauseSignal calls do for every SIGUSR1.
func onPauseSignal(do func()) (stop func()) {
	signals := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		for {
			select {
			case <-signals:
				do()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}
