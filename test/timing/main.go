// Command timing measures how well a timed replay keeps time: how late records are sent at 100 to 100,000 a second, how much of the shape of a
// recorded burst the target receives, and how steady a steady rate is. The target is the embedded broker in a process of its own, so
// the collector of its memory does not stop the replay; it shares the cores of the machine with it, and with this program, which consumes.
//
//	go run ./test/timing          the tables, in about five minutes
//	go run ./test/timing -json    the same for a program
//
// Other work on the machine shows in every figure. The load averages before and after are printed with them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

type flags struct {
	json    bool
	only    string
	seconds int
	keep    string
}

func main() {
	if isBroker(os.Args) {
		if err := serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "timing broker:", err)
			os.Exit(1)
		}
		return
	}
	var f flags
	flag.BoolVar(&f.json, "json", false, "print the result as JSON")
	flag.StringVar(&f.only, "only", "", "measure one thing: steady, bursts or rate")
	flag.IntVar(&f.seconds, "seconds", 12, "how long each of the steady rates is measured")
	flag.StringVar(&f.keep, "dir", "", "work in this directory and keep it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, f); err != nil {
		fmt.Fprintln(os.Stderr, "timing:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, f flags) (err error) {
	dir := f.keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "karchive-timing-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	binary := filepath.Join(dir, "karchive")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/karchive").CombinedOutput(); err != nil {
		return fmt.Errorf("build karchive: %w\n%s", err, out)
	}
	b, err := startBroker(ctx)
	if err != nil {
		return err
	}
	defer b.stop()
	s := &session{ctx: ctx, dir: dir, karchive: binary, broker: b, length: time.Duration(f.seconds) * time.Second}
	r := result{Machine: madeOn(), LoadBefore: loadAverage()}
	if err := s.measure(&r, f.only); err != nil {
		return err
	}
	r.LoadAfter = loadAverage()
	if f.json {
		return r.writeJSON(os.Stdout)
	}
	return r.write(os.Stdout)
}
