package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"syscall"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/compare"
	"github.com/karchive/karchive/internal/connect"
	"github.com/karchive/karchive/internal/options"
	"github.com/karchive/karchive/selection"
)

// The exit codes. exitCodes is how help spells them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitIncomplete  = 3
	exitProgram     = 4
	exitInterrupted = 130

	exitCodes = "0 done, 1 failed, 2 wrong usage, 3 finished but something was lost or left out, 4 a program that compare ran failed, 130 interrupted"
)

var (
	// errIncomplete is returned by a command that finished and printed what is missing.
	errIncomplete = errors.New("finished, but something was lost or left out")
	// errReported is returned by a command that failed and has printed why.
	errReported = errors.New("failed")
	// errInterrupted is the cause of a context that a signal ended.
	errInterrupted = errors.New("interrupted")
)

// usageError is a command line that cannot be run.
type usageError struct{ msg, hint string }

func (e *usageError) Error() string { return e.msg }

// Hint says what to do about it.
func (e *usageError) Hint() string { return e.hint }

// markedError is a usageError whose hint is a line of what was given, with a mark below it.
type markedError struct {
	*usageError
	mark string
}

// Unwrap returns the usageError.
func (e *markedError) Unwrap() error { return e.usageError }

func usage(format string, args ...any) *usageError {
	return &usageError{msg: fmt.Sprintf(format, args...)}
}

// hinted adds to an error what to do about it.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }

// Hint says what to do about it.
func (e *hinted) Hint() string { return e.hint }

func withHint(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return &hinted{err, hint}
}

// optionFlags are the flags that stand for options of the library.
var optionFlags = map[string]string{
	"Checkpoint": "--progress", "ExactlyOnce": "--exactly-once", "ReplayID": "--replay-id", "Restart": "--restart", "Acks": "--acks",
	"Loop": "--loop", "LoopDelay": "--loop-delay", "MaxGap": "--max-gap", "Ramp": "--ramp", "Warmup": "--warmup", "OnLate": "--on-late",
	"MaxCatchUp": "--max-catchup", "Precision": "--precision", "Pace": "--speed FACTOR, --rate or --bandwidth", "Speed": "--speed 1, or another factor",
	"Groups": "--groups", "Member": "--group", "Shard": "--shard", "StartAt": "--start-at", "Topics": "-t orders,payments-*", "From": "--from", "Until": "--until", "StopAfter": "--stop-after", "Follow": "--follow",
}

// optionUsage makes a wrong command line of options that cannot be.
func optionUsage(err error) error {
	wrong, ok := errors.AsType[*options.Error](err)
	if !ok {
		return err
	}
	problem, hint := wrong.Named(func(option string) string { return cmp.Or(optionFlags[option], option) })
	return &usageError{problem, hint}
}

// exitCode turns what a command returned into the program's exit code.
func exitCode(err error) int {
	var (
		wrong   *usageError
		setting *connect.SettingError
		program *compare.ProgramError
	)
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE):
		return exitDone
	case isURLError(err), errors.As(err, &wrong), errors.As(err, &setting), errors.Is(err, selection.ErrPosition), errors.Is(err, path.ErrBadPattern):
		return exitUsage
	case errors.Is(err, errIncomplete):
		return exitIncomplete
	case errors.As(err, &program):
		return exitProgram
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailed
}

// report prints an error, and its hint if there is one.
func (e *env) report(err error) {
	switch {
	case err == nil, errors.Is(err, errIncomplete), errors.Is(err, errReported), errors.Is(err, syscall.EPIPE):
		return
	case errors.Is(err, errInterrupted), err == context.Canceled: // nothing says more than that
		e.freshLine()
		e.notef("interrupted")
		return
	}
	all, hint := separate(err), cmp.Or(diskHint(e.commandName(), err), hintFor(err))
	for _, one := range all[:len(all)-1] {
		e.line(one.Error())
	}
	last := all[len(all)-1].Error()
	if e.logs == jsonLog && hint != "" {
		e.say(slog.LevelError, last, "hint", hint)
		return
	}
	e.line(last)
	if hint != "" {
		e.write("hint: ", hint)
	}
	if marked, ok := errors.AsType[*markedError](err); ok {
		e.write("      ", marked.mark) // as far as "hint: " goes
	}
}

// separate takes apart what errors.Join put together, also when only a hint was added to it: each error has a line of its own, once.
func separate(err error) (out []error) {
	if h, ok := err.(*hinted); ok {
		return separate(h.error)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || err.Error() != errors.Join(joined.Unwrap()...).Error() {
		return []error{err}
	}
	said := map[string]bool{}
	for _, one := range joined.Unwrap() {
		for _, e := range separate(one) {
			if !said[e.Error()] {
				out = append(out, e)
			}
			said[e.Error()] = true
		}
	}
	return out
}

// hinter is an error that knows what to do about it.
type hinter interface {
	error
	Hint() string
}

// hintFor says what to do about an error, as far as that is known.
func hintFor(err error) string {
	if h, ok := errors.AsType[hinter](err); ok {
		return h.Hint()
	}
	if occupied, ok := errors.AsType[*aside.OccupiedError](err); ok {
		return occupiedHint(occupied)
	}
	if missing, ok := errors.AsType[*selection.MissingTopicError](err); ok {
		return topicHint(missing)
	}
	if hint := replayErrorHint(err); hint != "" {
		return hint
	}
	if hint := fileHint(err); hint != "" {
		return hint
	}
	switch {
	case errors.Is(err, format.ErrNotArchive):
		return "give what karchive capture wrote with -o"
	case errors.Is(err, storage.ErrLocked):
		return "wait for the other karchive to end, or stop it; where it shares the archive with --group, give the same --group"
	case errors.Is(err, format.ErrMissingSegment), errors.Is(err, format.ErrCorrupt):
		return "karchive verify --deep names every bad file, --skip-corrupt reads the rest, karchive recover writes it to a new archive"
	case errors.Is(err, format.ErrPruned):
		return "the same command again goes on with what is left"
	case errors.Is(err, storage.ErrGone):
		return "nothing of the cluster is lost: the same command takes what it still holds into a new archive"
	case errors.Is(err, fs.ErrPermission):
		return permissionHint(err)
	}
	return (*connect.Config)(nil).Explain(err)
}
