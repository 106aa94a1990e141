//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// worker is one floor, in a process of its own. It prints what its interesting part took.
func worker(ctx context.Context, args []string, stdout io.Writer) error {
	run, ok := map[string]func(context.Context, []string) (usage, error){
		"consume": consume, "produce": produceAlone, "zstd": compressAlone, "unzstd": decompressAlone, "check": checkAlone,
		"hash": hashAlone, "footers": footersAlone, "window": readWindow, "disturb": disturb,
		"profile": profile,
	}[args[0]]
	if !ok {
		return fmt.Errorf("no worker %s", args[0])
	}
	u, err := run(ctx, args[1:])
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return json.NewEncoder(stdout).Encode(u)
}

// stopwatch measures a part of this process.
type stopwatch struct {
	begin time.Time
	cpu   time.Duration
}

func startWatch() stopwatch { return stopwatch{time.Now(), cpuTime()} }

func (w stopwatch) stop() usage {
	return usage{Wall: time.Since(w.begin).Seconds(), CPU: (cpuTime() - w.cpu).Seconds()}
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func pick(args []string) (dataset, error) {
	d, ok := datasets[args[0]]
	if !ok {
		return d, fmt.Errorf("no dataset %s", args[0])
	}
	share, err := strconv.ParseFloat(args[1], 64)
	return d.scaled(share), err
}

func isWorker(args []string) bool { return len(args) > 2 && args[1] == "worker" }

func runAsWorker() {
	if err := worker(context.Background(), os.Args[2:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench worker:", strings.TrimSpace(err.Error()))
		os.Exit(1)
	}
}
