package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/term"
)

// env is the world as commands see it. Its printing methods are safe for concurrent use.
type env struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer

	environ  []string // as os.Environ gives it
	now      func() time.Time
	terminal bool // stderr is one: progress may be drawn
	quiet    bool // no progress and no remarks, set by --quiet

	mu sync.Mutex // guards above
	// above is where lines go while progress is drawn, so that they end up above it; nil: to stderr.
	above io.Writer
}

func newEnv(stdin io.Reader, stdout, stderr io.Writer) *env {
	e := &env{stdin: stdin, stdout: stdout, stderr: stderr, environ: os.Environ(), now: time.Now}
	if f, ok := stderr.(*os.File); ok {
		e.terminal = term.IsTerminal(int(f.Fd())) && !slices.Contains(e.environ, "TERM=dumb")
	}
	return e
}

// notef prints a remark, which --quiet suppresses.
func (e *env) notef(format string, args ...any) {
	if !e.quiet {
		e.line(fmt.Sprintf(format, args...))
	}
}

// warnf prints a warning, which nothing suppresses.
func (e *env) warnf(format string, args ...any) {
	e.line("warning: " + fmt.Sprintf(format, args...))
}

func (e *env) line(s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.stderr
	if e.above != nil {
		w = e.above
	}
	fmt.Fprintf(w, "karchive: %s\n", s)
}

func (e *env) setAbove(w io.Writer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.above = w
}

// noteStop says that a first interrupt was heard, and what a second one does. The returned function ends the watch.
func (e *env) noteStop(ctx context.Context, doing string) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		if context.Cause(ctx) == errInterrupted {
			e.freshLine()
			e.notef("%s; interrupt again to stop at once", doing)
		}
	})
}

// freshLine returns to the start of a terminal's line, where it showed "^C" in front of what is printed next.
func (e *env) freshLine() {
	if e.terminal {
		fmt.Fprint(e.stderr, "\r")
	}
}

// readFile reads a file, or stdin for "-".
func (e *env) readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(e.stdin)
	}
	return os.ReadFile(name)
}
