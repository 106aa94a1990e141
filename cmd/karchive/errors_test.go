package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/connect"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/replay/timeline"
	"github.com/karchive/karchive/selection"
)

func TestEveryKindOfErrorHasItsExitCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, exitDone},
		{syscall.EPIPE, exitDone},
		{errors.New("x"), exitFailed},
		{errReported, exitFailed},
		{format.ErrCorrupt, exitFailed},
		{replay.ErrIncomplete, exitFailed},
		{context.DeadlineExceeded, exitFailed},
		{usage("x"), exitUsage},
		{&connect.SettingError{Key: "k"}, exitUsage},
		{selection.ErrPosition, exitUsage},
		{errIncomplete, exitIncomplete},
		{errInterrupted, exitInterrupted},
		{context.Canceled, exitInterrupted},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
		if c.err == nil {
			continue
		}
		if got := exitCode(withHint(fmt.Errorf("step: %w", c.err), "hint")); got != c.want {
			t.Errorf("%v, wrapped: exit code %d, want %d", c.err, got, c.want)
		}
	}
}

func TestErrorsAreOneLineWithAHintWhereOneIsKnown(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errIncomplete, ""},
		{errReported, ""},
		{syscall.EPIPE, ""},
		{errors.New("x"), "karchive: x\n"},
		{errInterrupted, "karchive: interrupted\n"},
		{context.Canceled, "karchive: interrupted\n"},
		{withHint(errors.New("x"), "y"), "karchive: x\nhint: y\n"},
		{&usageError{"x", "y"}, "karchive: x\nhint: y\n"},
		{fmt.Errorf("run1: %w", format.ErrNotArchive), "karchive: run1: not a karchive archive\nhint: give what karchive capture wrote with -o\n"},
		{fmt.Errorf("write segment: %w", syscall.ENOSPC), "karchive: write segment: no space left on device\nhint: make room and run the same command again: it begins anew, and what this one made is gone\n"},
		{fs.ErrPermission, "karchive: permission denied\nhint: check who owns it and what they may do with it\n"},
		{&connect.SettingError{Key: "k", From: "-X", Err: errors.New("x"), Hint: "y"}, "karchive: k (-X): x\nhint: y\n"},
		{fmt.Errorf("replay: %w", &replay.MissingTopicsError{Cluster: "c", Topics: []string{"t"}}), "karchive: replay: cluster c has no topic t\nhint: --create-topics makes them as the archive describes them\n"},
		{errors.Join(errors.New("a"), errors.Join(errors.New("b"), errors.New("a")), errors.New("b")), "karchive: a\nkarchive: b\n"},
		{withHint(errors.Join(errors.New("a"), errors.New("b")), "y"), "karchive: a\nkarchive: b\nhint: y\n"},
		{errInterrupted, "karchive: interrupted\n"},
	} {
		var stderr strings.Builder
		newEnv(nil, nil, &stderr).report(c.err)
		if got := stderr.String(); got != c.want {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}

func TestQuietLeavesWarningsAndErrors(t *testing.T) {
	var stderr strings.Builder
	e := newEnv(nil, nil, &stderr)
	e.quiet = true
	e.notef("a remark")
	e.warnf("a warning")
	e.report(errors.New("an error"))
	if got, want := stderr.String(), "karchive: warning: a warning\nkarchive: an error\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHintsAboutDisksFitTheCommandAndThePlace(t *testing.T) {
	at := func(path string, err error) error {
		return fmt.Errorf("write: %w", &fs.PathError{Op: "write", Path: path, Err: err})
	}
	temporary := filepath.Join(os.TempDir(), ".karchive-sort-1")
	for _, c := range []struct {
		command string
		err     error
		want    string
	}{
		{"capture", at("run/x", syscall.ENOSPC), "make room and run the same command again: it goes on from what is sealed"},
		{"capture", at("run/x", syscall.EDQUOT), "make room and run the same command again: it goes on from what is sealed"},
		{"capture", syscall.EFBIG, "raise the limit (ulimit -f) or give a smaller --rotate-size, and run the same command again: it goes on from what is sealed"},
		{"import", syscall.EFBIG, "raise the limit (ulimit -f) and run the same command again: it begins anew, and what this one made is gone"},
		{"copy", syscall.EROFS, "make the file system writable and run the same command again: it begins anew, and what this one made is gone"},
		{"cat", at(temporary, syscall.ENOSPC), "make room in " + os.TempDir() + ", or set TMPDIR to another place, and run the same command again: it begins anew, and what this one made is gone"},
		{"cat", at(os.Stdout.Name(), syscall.ENOSPC), "make room where the output goes and run the same command again"},
		{"replay", at("p.progress", syscall.ENOSPC), "make room and run the same command again: with --progress or --exactly-once it goes on from what was acknowledged"},
		{"verify", syscall.EIO, "the disk fails: karchive verify --deep says what is safe; on a sound disk run the same command again: it begins anew, and what this one made is gone"},
		{"copy", errors.New("other"), ""},
	} {
		if got := diskHint(c.command, c.err); got != c.want {
			t.Errorf("%s, %v: got %q, want %q", c.command, c.err, got, c.want)
		}
	}
}

func TestOptionsThatDoNotGoTogetherAreCalledByTheirFlags(t *testing.T) {
	progress, tenth := replay.NewProgressFile("p"), timeline.Schedule{Pace: timeline.Speed(0.1)}
	steady := timeline.Schedule{Pace: timeline.Rate(5, time.Second)}
	delayed, gapped, looping, squeezed, half := tenth, steady, tenth, tenth, routing.Shard{Index: 1, Count: 2}
	delayed.LoopDelay, gapped.MaxGap, looping.Loop, squeezed.MaxGap = time.Second, time.Second, 2, time.Second
	for want, options := range map[string]interface{ Check() error }{
		"--exactly-once and --progress exclude each other": replay.Options{ExactlyOnce: true, Checkpoint: progress},
		"--exactly-once and --loop exclude each other":     replay.Options{ExactlyOnce: true, Schedule: timeline.Schedule{Loop: 1}},
		"--progress and --loop exclude each other":         replay.Options{Checkpoint: progress, Schedule: looping},
		"--exactly-once needs --acks all":                  replay.Options{ExactlyOnce: true, Acks: replay.AcksLeader},
		"--replay-id is for --exactly-once":                replay.Options{ReplayID: "a"},
		"--restart is for --exactly-once":                  replay.Options{Restart: true},
		"--ramp needs a pace":                              replay.Options{Schedule: timeline.Schedule{Ramp: 1}},
		"--warmup needs a pace":                            replay.Options{Pacing: replay.Pacing{Warmup: 1}},
		"--on-late needs a pace":                           replay.Options{Pacing: replay.Pacing{OnLate: replay.DropLate}},
		"--max-catchup needs a pace":                       replay.Options{Pacing: replay.Pacing{MaxCatchUp: 1}},
		"--precision needs a pace":                         replay.Options{Pacing: replay.Pacing{Precision: replay.HighPrecision}},
		"--max-gap is for the original timing":             replay.Options{Schedule: gapped},
		"--loop-delay is for --loop":                       replay.Options{Schedule: delayed},
		"--shard and --loop exclude each other":            replay.Options{Shard: half, Schedule: looping},
		"--shard and --max-gap exclude each other":         replay.Options{Shard: half, Schedule: squeezed},
		"--shard with shifted timestamps needs --start-at": replay.Options{Shard: half, Timestamps: replay.ShiftTimestamps},
		"shard 2 of 2 is none: the first is 0, the last 1": replay.Options{Shard: routing.Shard{Index: 2, Count: 2}},
		"no topics given":                                  capture.Options{},
		"--until is for a snapshot":                        capture.Options{Topics: []string{"a"}, Follow: true, Until: selection.End},
		"--stop-after is for --follow":                     capture.Options{Topics: []string{"a"}, StopAfter: capture.StopAfter{Records: 1}},
	} {
		err := options.Check()
		wrong, ok := errors.AsType[*usageError](optionUsage(err))
		if !ok || wrong.msg != want || strings.ContainsAny(wrong.msg+wrong.hint, "{}") {
			t.Errorf("got %+v for %v, want %s", wrong, err, want)
		}
	}
}
