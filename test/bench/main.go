//go:build unix

// Command bench measures karchive against its floors, side by side in one run: a client that only consumes, zstd alone over the same
// bytes, a client that only produces from memory, and Kafka's own programs. Everything is a process of its own, runs alternate, and what
// counts is the ratio within a run: the machines are shared.
//
//	go run ./test/bench            the whole table, against a real Apache Kafka
//	go run ./test/bench -json      the same for a program
//	go run ./test/bench -check     only the ratios that must not rot, in under two minutes; exit code 1 when one is over its limit
//
// BENCH_BROKER=embedded takes the broker in this process instead of a real Kafka.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
)

type flags struct {
	json, check bool
	repeat      int
	share       float64
	keep        string
}

func main() {
	if isWorker(os.Args) {
		runAsWorker()
		return
	}
	var f flags
	flag.BoolVar(&f.json, "json", false, "print the result as JSON")
	flag.BoolVar(&f.check, "check", false, "measure only the guarded ratios, and fail when one is over its limit")
	flag.IntVar(&f.repeat, "n", 3, "how often to measure everything")
	flag.Float64Var(&f.share, "share", 1, "take this share of each dataset's records")
	flag.StringVar(&f.keep, "dir", "", "work in this directory and keep it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := run(ctx, f)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	if err != nil || !ok {
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, f flags) (ok bool, err error) {
	dir := f.keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "karchive-bench-"); err != nil {
			return false, err
		}
		defer os.RemoveAll(dir)
	}
	binary := filepath.Join(dir, "karchive")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/karchive").CombinedOutput(); err != nil {
		return false, fmt.Errorf("build karchive: %w\n%s", err, out)
	}
	embedded := os.Getenv("BENCH_BROKER") == "embedded"
	b, err := startBroker(ctx, dir, embedded)
	if err != nil {
		return false, err
	}
	defer b.stop()
	s := &session{ctx: ctx, dir: dir, karchive: binary, broker: b, flags: f, rows: map[string]*row{}}
	switch {
	case f.check:
		err = s.runCheck()
	case embedded:
		err = s.runEmbedded()
	default:
		err = s.runAll()
	}
	if err != nil {
		return false, err
	}
	return s.print(embedded)
}

func (s *session) print(embedded bool) (ok bool, err error) {
	ratios := s.ratios()
	if s.flags.json {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		err = e.Encode(map[string]any{"machine": machine(embedded), "rows": s.order, "ratios": ratios})
	} else {
		fmt.Println(machine(embedded))
		fmt.Println()
		printRows(os.Stdout, s.order)
		printRatios(os.Stdout, ratios)
	}
	ok = true
	for _, r := range ratios {
		if s.flags.check && r.over() {
			fmt.Fprintf(os.Stderr, "bench: %s is %.2f, the limit is %.2f\n", r.Name, r.Value, r.Limit)
			ok = false
		}
	}
	return ok, err
}

func machine(embedded bool) string {
	broker := "Apache Kafka on the same machine"
	if embedded {
		broker = "the embedded broker"
	}
	return fmt.Sprintf("%d cores %s/%s, %s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), broker)
}
