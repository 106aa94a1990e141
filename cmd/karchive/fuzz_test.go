package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"time"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/test/seeds"
)

// FuzzCommandLine puts the words of a line in order, without running anything. What comes of them begins with a command that there is, and
// what follows "--" are arguments.
func FuzzCommandLine(f *testing.F) {
	seeds.Need(f)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		e := newEnv(strings.NewReader(""), new(strings.Builder), new(strings.Builder))
		line, err := arrange(e.commands(), strings.Split(text, " "))
		if wrong := new(usageError); err != nil && !errors.As(err, &wrong) {
			t.Errorf("got %v, want a usageError", err)
		}
		if err == nil && line.command != nil && (line.args[0] != line.command.Name || !slices.Contains(line.args, "--")) {
			t.Errorf("%q became %q", text, line.args)
		}
		if stop, err := parseStopAfter(text); err == nil && (stop.Records < 0 || stop.Bytes < 0 || stop.Duration < 0) {
			t.Errorf("%q stops after %+v", text, stop)
		}
		if c, err := format.ParseCompression(text); err == nil && c == "" {
			t.Errorf("%q is compression %+v", text, c)
		}
		if at, err := (&scheduling{startAt: text}).start(now, false); err == nil && text != "" && at.Before(now) {
			t.Errorf("%q begins at %s", text, at)
		}
		(&selected{topics: *cli.NewStringSlice(text)}).among([]string{"orders"})
		reshape.ParseSelector(text)
	})
}
