package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/karchive/karchive/internal/printable"
)

// env is the world as commands see it. Its printing methods are safe for concurrent use.
type env struct {
	stdin  io.Reader
	stdout io.Writer // for results that programs read: JSON, tables and records
	text   screen    // stdout for people: printable.Fprintf writes to it
	stderr io.Writer // what goes there is said by notef, warnf and report

	hidden hider // for what is printed

	environ   []string // as os.Environ gives it
	now       func() time.Time
	terminal  bool        // stderr is one: progress may be drawn
	onScreen  bool        // stdout is a terminal
	identity  string      // file of the key that decrypts packed archives, set by --identity
	invokedAs commandLine // the command's; without one, none was named
	quiet     bool        // no progress and no remarks, set by --quiet
	logs      string      // how lines on stderr look: jsonLog, or as for people; set by --log-format

	ctx    context.Context // of the command, for what is asked of buckets
	stores []openedStore   // in buckets
	spool  string          // directory for what is to be uploaded, set by --spool

	mu sync.Mutex // guards above
	// above is where lines go while progress is drawn, so that they end up above it; nil: to stderr.
	above io.Writer
}

func newEnv(stdin io.Reader, stdout, stderr io.Writer) *env {
	e := &env{stdin: stdin, stderr: stderr, environ: os.Environ(), now: time.Now, onScreen: isTerminal(stdout)}
	e.stdout = e.hidden.writer(stdout)
	e.text = screen{printable.NewWriter(e.stdout), widthOf(stdout)}
	e.terminal = isTerminal(stderr) && !slices.Contains(e.environ, "TERM=dumb")
	return e
}

// variable is a variable of the environment.
func (e *env) variable(name string) (value string, set bool) {
	for i := len(e.environ) - 1; i >= 0; i-- {
		if text, ok := strings.CutPrefix(e.environ[i], name+"="); ok {
			return text, true
		}
	}
	return "", false
}

// commandName is empty when no command was named.
func (e *env) commandName() string {
	if e.invokedAs.command == nil {
		return ""
	}
	return e.invokedAs.command.Name
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// notef prints a remark, which --quiet suppresses.
func (e *env) notef(format string, args ...any) {
	if !e.quiet {
		e.say(slog.LevelInfo, fmt.Sprintf(format, args...))
	}
}

// warnf prints a warning, which nothing suppresses.
func (e *env) warnf(format string, args ...any) {
	e.say(slog.LevelWarn, fmt.Sprintf(format, args...))
}

// line prints an error, or what must not be missed either.
func (e *env) line(s string) { e.say(slog.LevelError, s) }

// linePrefix begins what a person is told on stderr.
const linePrefix = "karchive: "

// say prints one line. The pairs of names and values are for programs.
func (e *env) say(level slog.Level, text string, pairs ...any) {
	switch {
	case e.logs == jsonLog:
		e.log(level, text, pairs...)
	case level == slog.LevelWarn:
		e.write(linePrefix+"warning: ", text)
	default:
		e.write(linePrefix, text)
	}
}

func (e *env) write(prefix, s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.stderr
	if e.above != nil {
		w = e.above
	}
	printable.Fprintf(w, "%s%s\n", prefix, e.hidden.text(s))
}

// ask prints a question, after which the line goes on.
func (e *env) ask(format string, args ...any) { printable.Fprintf(e.stderr, format, args...) }

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
	if e.terminal && e.logs != jsonLog {
		io.WriteString(e.stderr, "\r")
	}
}

// readFile reads a file, or stdin for "-".
func (e *env) readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(e.stdin)
	}
	return os.ReadFile(name)
}

// remarkWidth tells the width of what remarks are written to.
func (e *env) remarkWidth() func() int { return widthOf(e.stderr) }
