package main

import (
	"io"

	"github.com/karchive/karchive/replay"
)

// pauses lets whoever runs a replay pause it and let it go on: with a signal, where the system has one for that, and on a terminal with
// the space bar. The returned function ends that and gives the terminal back.
func (e *env) pauses(c *replay.Control) (end func()) {
	toggle := func() {
		if c.Paused() {
			c.Continue()
			e.notef("going on")
		} else {
			c.Pause()
			e.notef("paused")
		}
	}
	unsignal := onPauseSignal(toggle)
	unkey := func() {}
	if keys, restore, ok := e.keys(); ok {
		unkey = restore
		if !e.quiet {
			e.notef("the space bar pauses and goes on")
		}
		go onSpace(keys, toggle)
	}
	return func() {
		unsignal()
		unkey()
	}
}

// onSpace calls do for every space until there is nothing more to read.
func onSpace(keys io.Reader, do func()) {
	key := make([]byte, 1)
	for {
		n, err := keys.Read(key)
		if err != nil {
			return
		}
		if n == 1 && key[0] == ' ' {
			do()
		}
	}
}
