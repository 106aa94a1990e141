package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/karchive/karchive/replay"
)

// session is one run of everything.
type session struct {
	ctx      context.Context
	dir      string
	karchive string
	broker   *broker
	length   time.Duration // of a steady rate
	targets  int
}

// rates are records a second.
var rates = []int{100, 1000, 10_000, 50_000, 100_000}

// The lengths of what is measured once.
const (
	burstCycles = 3
	calmRate    = 800
	calmTime    = time.Minute
)

// measure measures everything, or one thing.
func (s *session) measure(r *result, only string) error {
	known := false
	for _, part := range []struct {
		name string
		do   func(*result) error
	}{{"steady", s.steady}, {"bursts", s.bursts}, {"rate", s.rate}} {
		if only != "" && only != part.name {
			continue
		}
		known = true
		if err := part.do(r); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if !known {
		return fmt.Errorf("-only %s: there is no such measurement", only)
	}
	return nil
}

// steady measures lateness by the report of the replay. Nobody consumes meanwhile.
func (s *session) steady(r *result) error {
	archive := filepath.Join(s.dir, "even")
	if err := record(archive, even(rates[len(rates)-1]*int(s.length/time.Second))); err != nil {
		return err
	}
	for _, precision := range []replay.Precision{replay.NormalPrecision, replay.HighPrecision} {
		for _, rate := range rates {
			timing, _, err := s.replay(archive, nil, rate*int(s.length/time.Second), "--rate", fmt.Sprintf("%d/s", rate), "--precision", string(precision))
			if err != nil {
				return err
			}
			row := newLateness(rate, timing)
			fmt.Fprintf(os.Stderr, "timing: %s\n", row.line())
			r.Steady = append(r.Steady, row)
		}
	}
	return nil
}

// bursts measures the shape of what the target receives.
func (s *session) bursts(r *result) error {
	archive, times := filepath.Join(s.dir, "bursts"), bursts(burstCycles)
	if err := record(archive, times); err != nil {
		return err
	}
	for _, speed := range []float64{1, 2, 0.5} {
		text := strconv.FormatFloat(speed, 'g', -1, 64)
		timing, got, err := s.replay(archive, &watcher{}, len(times), "--speed", text)
		if err != nil {
			return err
		}
		row := newShape(speed, times, got.since(timing.Start))
		fmt.Fprintf(os.Stderr, "timing: %s\n", row.line())
		r.Bursts = append(r.Bursts, row)
	}
	return nil
}

// rate measures how steady a minute of a steady rate is.
func (s *session) rate(r *result) error {
	const n = calmRate * int(calmTime/time.Second)
	archive := filepath.Join(s.dir, "calm")
	if err := record(archive, even(n)); err != nil {
		return err
	}
	timing, got, err := s.replay(archive, &watcher{}, n, "--rate", fmt.Sprintf("%d/s", calmRate))
	if err != nil {
		return err
	}
	row := newCalm(got, timing.Start)
	fmt.Fprintf(os.Stderr, "timing: %s\n", row.line())
	r.Calm = &row
	return nil
}

// replay replays the first n records of a recording into a topic of its own. With a watcher it returns what that received.
func (s *session) replay(archive string, w *watcher, n int, args ...string) (timing replay.Timing, got arrivals, err error) {
	s.targets++
	topic := "target-" + strconv.Itoa(s.targets)
	if err := s.broker.create(s.ctx, topic); err != nil {
		return timing, nil, err
	}
	if w != nil {
		if err := w.start(s.ctx, s.broker.address, topic, n); err != nil {
			return timing, nil, err
		}
		defer w.stop()
	}
	args = append([]string{"--map", source + ":=" + topic, "--until", "offset:" + strconv.Itoa(n/partitions)}, args...)
	if timing, err = s.run(archive, n, args...); err != nil {
		return timing, nil, err
	}
	if w != nil {
		if got, err = w.wait(); err != nil {
			return timing, nil, err
		}
	}
	return timing, got, s.broker.drop(s.ctx, topic)
}

// run runs the command and reads its report.
func (s *session) run(archive string, n int, args ...string) (replay.Timing, error) {
	name := filepath.Join(s.dir, "report.json")
	args = append([]string{"replay", archive, "-b", s.broker.address, "--timestamps", "now", "--quiet", "--report", name}, args...)
	cmd := exec.CommandContext(s.ctx, s.karchive, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return replay.Timing{}, fmt.Errorf("karchive replay: %w\n%s", err, stderr.Bytes())
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return replay.Timing{}, err
	}
	var report struct {
		Acknowledged int
		Timing       *replay.Timing
	}
	if err := json.Unmarshal(data, &report); err != nil {
		return replay.Timing{}, fmt.Errorf("read the report: %w", err)
	}
	if report.Timing == nil || report.Acknowledged != n {
		return replay.Timing{}, errors.New("the report is not of " + strconv.Itoa(n) + " records")
	}
	return *report.Timing, nil
}
