//go:build unix

package main

import (
	"fmt"
	"os"
	"strconv"
)

// runAll is the whole table.
func (s *session) runAll() error {
	for _, step := range []func() error{s.runOrders, s.runLadder, s.runShapes, s.runReading} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// runOrders measures J1K on four partitions and one.
func (s *session) runOrders() error {
	four, one, eight := s.topic("J1K", 4, "none"), s.topic("J1K", 1, "none"), s.topic("J1K", 8, "none")
	if err := s.fill(four, one, eight); err != nil {
		return err
	}
	measures := append(s.captureIntoBucket(four), s.zstd(four, "1"), s.unzstd(four), s.consume(four), s.capture(four), s.capture(one), s.capture(eight),
		s.captureArrow(four), s.produce(four), s.replay(four), s.served(four, 1), s.served(four, 3))
	err := s.alternate(s.flags.repeat, measures...)
	if err != nil {
		return err
	}
	once := append([]measure{s.zstd(four, "3"), s.kafkaConsumer(four), s.kafkaProducer(four)}, s.kcat(four)...)
	if err := s.alternate(1, once...); err != nil {
		return err
	}
	return s.forget(one, eight)
}

// runLadder measures J100 on one to eight partitions.
func (s *session) runLadder() error {
	four := s.topic("J100", 4, "none")
	all := []topic{s.topic("J100", 1, "none"), s.topic("J100", 2, "none"), four, s.topic("J100", 8, "none")}
	if err := s.fill(all...); err != nil {
		return err
	}
	measures := []measure{s.zstd(four, "1"), s.unzstd(four)}
	for _, t := range all {
		measures = append(measures, s.consume(t), s.capture(t))
	}
	measures = append(measures, s.captureArrow(four), s.produce(four), s.replay(four))
	if err := s.alternate(s.flags.repeat, measures...); err != nil {
		return err
	}
	if err := s.alternate(1, s.zstd(four, "3")); err != nil {
		return err
	}
	return s.forget(all...)
}

// runShapes measures what could cost memory or time in another way: compressed batches, large records, many partitions.
func (s *session) runShapes() error {
	for _, t := range []topic{s.topic("J1K", 4, "zstd"), s.topic("J1K", 4, "lz4"), s.topic("J100K", 4, "none"), s.topic("J1K", 1000, "none")} {
		if err := s.fill(t); err != nil {
			return err
		}
		measures := []measure{s.consume(t), s.capture(t), s.replay(t)}
		if t.codec != "none" {
			measures = append(measures, s.zstd(t, "1"), s.unzstd(t), s.produce(t))
		}
		if err := s.alternate(min(2, s.flags.repeat), measures...); err != nil {
			return err
		}
		if err := s.forget(t); err != nil {
			return err
		}
	}
	return nil
}

// runReading measures the commands that read the archive that runOrders left.
func (s *session) runReading() error {
	t := s.topic("J1K", 4, "none")
	many, err := s.manySegments(10_000)
	if err != nil {
		return err
	}
	info := measure{"info, 10,000 segments", func() (usage, error) { return s.onArchive(many, "info") }}
	footers := measure{"footers, 10,000 segments", func() (usage, error) { return runWorker(s.ctx, "footers", many, s.encoding()) }}
	first := s.servedFirst("serve, first record of 10,000 segments", many, "many")
	err = s.alternate(s.flags.repeat, first, s.hash(t), s.command("verify", t, "verify"), s.check(t), s.command("verify --deep", t, "verify", "--deep"),
		s.command("cat", t, "cat"), s.window(t), footers, info, s.arrowCommand("verify --deep", t, "verify", "--deep"), s.arrowCommand("cat", t, "cat"))
	if err != nil {
		return err
	}
	return s.runArchives(t)
}

// runArchives measures what makes archives of archives, and compares them.
func (s *session) runArchives(t topic) error {
	moved := s.archive(t) + "-moved"
	if _, err := s.run("copy", s.archive(t), "-o", moved, "--mask", "timestamp=shift=1h", "--quiet"); err != nil {
		return err
	}
	defer os.RemoveAll(moved)
	return s.alternate(s.flags.repeat, s.duplicate(t), s.copy("copy as files", t), s.copy("copy as bytes", t, "--from", "offset:1000"),
		s.copy("copy, decoded", t, "--compression", "zstd:1"), s.deep(t, moved),
		s.command("diff of equals", t, "diff", s.archive(t)), s.command("diff, decoded", t, "diff", moved, "--ignore", "timestamp"),
		s.command("pack", t, "pack", "-o", s.packed(t)), s.command("pack with a sheet", t, "pack", "-o", s.packed(t), "--sheet", s.packed(t)+".html"))
}

// runEmbedded is the part of the table that the memory of an embedded broker allows.
func (s *session) runEmbedded() error {
	orders, events := s.topic("J1K", 4, "none"), s.topic("J100", 4, "none")
	for _, t := range []topic{orders, events} {
		if err := s.fill(t); err != nil {
			return err
		}
		err := s.alternate(s.flags.repeat, s.zstd(t, "1"), s.unzstd(t), s.consume(t), s.capture(t), s.captureArrow(t), s.produce(t), s.replay(t))
		if err != nil {
			return err
		}
		if err := s.broker.drop(s.ctx, t.name()); err != nil {
			return err
		}
	}
	return s.runReading()
}

const (
	checkShare = 0.25 // keeps the guard under two minutes
	checkProcs = 4    // at most: a capture holds a row group for each, and the limit of memory is the same on all machines
)

// runCheck measures what the guarded ratios need. A ratio over its limit gets a second chance, because the machine may have had other
// work: everything is measured as often again, and the least of all runs counts. What is really slow stays slow.
func (s *session) runCheck() error {
	s.flags.share *= checkShare
	s.procs = min(s.procs, checkProcs)
	if err := os.Setenv("GOMAXPROCS", strconv.Itoa(s.procs)); err != nil { // of all that is started from here
		return err
	}
	orders, events := s.topic("J1K", 4, "none"), s.topic("J100", 4, "none")
	if err := s.fill(orders, events); err != nil {
		return err
	}
	measures := []measure{s.zstd(orders, "1"), s.consume(orders), s.capture(orders), s.unzstd(orders), s.produce(orders), s.replay(orders),
		s.check(orders), s.command("verify --deep", orders, "verify", "--deep"),
		s.served(orders, 1), s.served(orders, 3),
		s.zstd(events, "1"), s.consume(events), s.capture(events), s.unzstd(events), s.produce(events), s.replay(events)}
	if err := s.alternate(s.flags.repeat, measures...); err != nil || len(s.table.over()) == 0 {
		return err
	}
	fmt.Fprintf(os.Stderr, "bench: over its limit: %v: once more\n", s.table.over())
	return s.alternate(s.flags.repeat, measures...)
}

func (s *session) fill(topics ...topic) error {
	for _, t := range topics {
		if err := s.broker.fill(s.ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// forget gives the space of topics and their archives back.
func (s *session) forget(topics ...topic) error {
	for _, t := range topics {
		if err := s.broker.drop(s.ctx, t.name()); err != nil {
			return err
		}
		for _, dir := range []string{s.archive(t), s.arrow(t)} {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
	}
	return nil
}
