//go:build unix

// Command bench measures karchive against its floors, side by side in one run: a client that only consumes, zstd alone over the same
// bytes, a client that only produces from memory, and Kafka's own programs. Everything is a process of its own, runs alternate, and what
// counts is the ratio within a run: the machines are shared.
//
//	go run ./test/bench            the whole table, against a real Apache Kafka
//	go run ./test/bench -json      the same for a program
//	go run ./test/bench -check     only the ratios that must not rot, in under two minutes; exit code 1 when one is over its limit
//	go run ./test/bench -profile FILE   what release builds are optimised by
//	go run ./test/bench -growth    archives that grow in partitions, topics and segments
//	go run ./test/bench -buckets   captures into a bucket, in versitygw, and into a directory
//	go run ./test/bench -options   what options of the compressor, and sizes of pages, cost and give; needs no broker
//	go run ./test/bench -peers PROGRAM  other programs that do what karchive does; PROGRAM is test/peers, built
//	go run ./test/bench -proof     that the guard fails for mistakes that are planted, and does not while other work has every core
//
// BENCH_BROKER=embedded takes the broker in this process instead of a real Kafka.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/karchive/karchive/test/machine"
)

type flags struct {
	json, check, proof, growth, size, options, buckets bool
	repeat                                             int
	share                                              float64
	keep, profile, peers                               string
}

func main() {
	if isWorker(os.Args) {
		runAsWorker()
		return
	}
	var f flags
	flag.BoolVar(&f.json, "json", false, "print the result as JSON")
	flag.BoolVar(&f.check, "check", false, "measure only the guarded ratios, and fail when one is over its limit")
	flag.BoolVar(&f.proof, "proof", false, "show that the guard fails for real mistakes and not for a busy machine")
	flag.BoolVar(&f.growth, "growth", false, "measure archives that grow in partitions, topics and segments, with the embedded broker")
	flag.BoolVar(&f.size, "size", false, "measure 1, 5 and 20 million records of 1 KB")
	flag.IntVar(&f.repeat, "n", 3, "how often to measure everything")
	flag.Float64Var(&f.share, "share", 1, "take this share of each dataset's records")
	flag.StringVar(&f.profile, "profile", "", "only write the profile for release builds into this file")
	flag.BoolVar(&f.options, "options", false, "measure options of the compressor, and sizes of pages")
	flag.BoolVar(&f.buckets, "buckets", false, "measure captures into a bucket and a directory")
	flag.StringVar(&f.peers, "peers", "", "compare with kafka-backup, which is this program, and with kcat if there is one")
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
	if f.options {
		return true, (&session{ctx: ctx, dir: dir, flags: f}).runOptions()
	}
	binary := filepath.Join(dir, "karchive")
	if err := build(ctx, binary); err != nil {
		return false, err
	}
	embedded := f.growth || os.Getenv("BENCH_BROKER") == "embedded"
	b, err := startBroker(ctx, dir, embedded)
	if err != nil {
		return false, err
	}
	defer b.stop()
	s := &session{ctx: ctx, dir: dir, karchive: binary, broker: b, flags: f, procs: runtime.GOMAXPROCS(0)}
	switch {
	case f.proof:
		return s.runProof()
	case f.profile != "":
		return true, s.runProfile()
	case f.check:
		err = s.runCheck()
	case f.growth:
		err = s.runGrowth()
	case f.size:
		err = s.runSizes()
	case f.buckets:
		err = s.runBuckets()
	case f.peers != "":
		err = s.runPeers()
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
	ratios := s.table.ratios()
	if s.flags.json {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		err = e.Encode(result{madeOn(embedded), s.flags.share, s.table, ratios})
	} else {
		fmt.Printf("%s; %g of the records of each dataset\n\n", madeOn(embedded), s.flags.share)
		if s.flags.peers != "" {
			fmt.Printf("Measured besides: %s\n\n", strings.Join(peerVersions(s.ctx), ", "))
		}
		printRows(os.Stdout, s.table)
		printRatios(os.Stdout, ratios)
	}
	if !s.flags.check {
		return true, err
	}
	over := s.table.over()
	for _, r := range over {
		fmt.Fprintf(os.Stderr, "bench: over its limit: %v\n", r)
	}
	return len(over) == 0, err
}

// madeOn is what every table says of itself.
func madeOn(embedded bool) string {
	if embedded {
		return machine.String() + ", the embedded broker"
	}
	return machine.String() + ", Apache Kafka on the same machine"
}

// result is what -json prints.
type result struct {
	Machine string  `json:"machine"`
	Share   float64 `json:"share"`
	Rows    table   `json:"rows"`
	Ratios  []ratio `json:"ratios"`
}
