package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/demo"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
)

type demoOptions struct{ dir string }

func demoCommand(e *env) *cli.Command {
	var o demoOptions
	return &cli.Command{
		Name:  "demo",
		Usage: "show all of it on two clusters inside this process",
		Description: `Fills a cluster with an hour's traffic of a shop, captures it, verifies and looks at the archive, replays it into a second cluster,
captures that too and compares every record. Then it serves the archive to a client as a broker, and compares two versions of a program
on it. Nothing outside this process is touched but a temporary directory, or the one of -o, which stays.

Examples:
  karchive demo
  karchive demo -o demo1`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "keep the archives in `DIR`", Destination: &o.dir},
		},
		Action: func(c *cli.Context) error {
			if err := cmp.Or(noArguments(c), checkLocalDirectory(o.dir)); err != nil {
				return err
			}
			return runDemo(c.Context, e, o)
		},
	}
}

func runDemo(ctx context.Context, e *env, o demoOptions) error {
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "karchive-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.dir = dir
	}
	source, err := demo.Start("demo-source")
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := demo.Start("demo-target")
	if err != nil {
		return err
	}
	defer target.Close()
	s := &show{e: e, begun: e.now()}
	s.say("Two clusters run in this process: demo-source at %s and demo-target at %s.", source.Addr(), target.Addr())
	if err := source.Traffic(ctx, 1, e.now()); err != nil {
		return err
	}
	s.say("demo-source has an hour of a shop's traffic in orders (headers), users (compacted, tombstones) and payments (bursts, transactions).")
	return s.play(ctx, source.Addr(), target.Addr(), filepath.Join(o.dir, "run1"), filepath.Join(o.dir, "run2"))
}

// show executes commands as a user would type them and says what they are for.
type show struct {
	e     *env
	begun time.Time
	steps int
	err   error // of the first step that failed; those after it do nothing
}

func (s *show) play(ctx context.Context, source, target, run1, run2 string) error {
	topics := strings.Join(demo.Topics, ",")
	s.step("Copy the topics into files.")
	s.command(ctx, "capture", "-b", source, "-t", topics, "-o", run1)
	s.step("Check every file and every record.")
	s.command(ctx, "verify", run1, "--deep")
	s.step("See what it holds. Aborted transactions and their markers are offsets without a record.")
	s.command(ctx, "info", run1)
	s.step("Read some of it: keys and values as text, or in base64 where they are not text.")
	s.command(ctx, "cat", run1, "-t", "orders", "--limit", "2")
	s.command(ctx, "cat", run1, "-t", "payments", "--limit", "1")
	s.step("Put it into the other cluster.")
	s.command(ctx, "replay", run1, "-b", target, "--create-topics")
	s.step("Copy that cluster too.")
	s.command(ctx, "capture", "-b", target, "-t", topics, "-o", run2)
	s.step("Compare the two archives, record by record. Offsets and leader epochs are a log's own.")
	s.command(ctx, "diff", run1, run2, "--by", "order", "--ignore", "offset,leader_epoch")
	s.serve(ctx, run1, filepath.Join(filepath.Dir(run1), "run3"))
	s.compare(ctx, run1)
	if s.err == nil {
		s.say("\nDone in %s.", units.Duration(s.e.now().Sub(s.begun)))
	}
	return s.err
}

func (s *show) say(format string, args ...any) {
	printable.Fprintf(s.e.text, format+"\n", args...)
}

func (s *show) step(what string) {
	if s.err == nil {
		s.steps++
		s.say("\n%d. %s", s.steps, what)
	}
}

// command prints a command line and runs it.
func (s *show) command(ctx context.Context, args ...string) {
	if s.err != nil {
		return
	}
	s.expect(ctx, exitDone, args...)
}

// expect is command with the exit code that is meant to come.
func (s *show) expect(ctx context.Context, want int, args ...string) {
	if s.err != nil {
		return
	}
	s.say("$ karchive %s", strings.Join(quoted(args), " "))
	if code := s.run(ctx, args, s.e.stdout); code != want {
		s.err = fmt.Errorf("karchive %s ended with exit code %d", args[0], code)
		if ctx.Err() != nil {
			s.err = context.Cause(ctx)
		}
	}
}

func (s *show) run(ctx context.Context, args []string, stdout io.Writer) int {
	return run(ctx, args, s.e.stdin, stdout, s.e.stderr)
}

// quoted spells arguments for a shell.
func quoted(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = a
		if a == "" || strings.ContainsAny(a, " \t\n\"'\\$&|;<>()*?[]{}~#!`") {
			out[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return out
}
