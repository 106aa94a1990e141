package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/serve"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay/timeline"
	"github.com/karchive/karchive/selection"
)

// scheduling is the flags that say when records are due.
type scheduling struct {
	speed, rate, bandwidth *timeline.Pace // nil: not given
	schedule               timeline.Schedule
	startAt                string
}

func (s *scheduling) flags() []cli.Flag {
	return timed(
		parsed("speed", "a `FACTOR` of the original timing, such as 1, 0.1 or 10, or max", "max", &s.speed, pointer(timeline.ParseSpeed)),
		parsed("rate", "a steady `RATE` of records, such as 800/s, 50k/s or 3000/min", "", &s.rate, pointer(timeline.ParseRate)),
		parsed("bandwidth", "a steady `RATE` of bytes, such as 20MB/s", "", &s.bandwidth, pointer(timeline.ParseBandwidth)),
		parsed("ramp", "rise to the pace evenly in `DURATION`", "at once", &s.schedule.Ramp, units.ParseDuration),
		durationFlag("max-gap", "with --speed: shorten silences of the recording to `DURATION` of its time", "none", &s.schedule.MaxGap),
		loopFlag(&s.schedule.Loop),
		parsed("loop-delay", "wait `DURATION` between two rounds", "0s", &s.schedule.LoopDelay, units.ParseDuration),
		&cli.StringFlag{Name: "start-at", Usage: "begin at `TIME` on the wall clock (RFC 3339 or @MS), so that several begin together", Destination: &s.startAt},
	)
}

// timed puts flags under the heading of those about time.
func timed(flags ...cli.Flag) []cli.Flag {
	const category = "Timing"
	for _, f := range flags {
		switch f := f.(type) {
		case *cli.GenericFlag:
			f.Category = category
		case *cli.StringFlag:
			f.Category = category
		}
	}
	return flags
}

// pointer makes a parser say that a flag was given.
func pointer[T any](parse func(string) (T, error)) func(string) (*T, error) {
	return func(s string) (*T, error) {
		v, err := parse(s)
		return &v, err
	}
}

// loopFlag takes a number of rounds, or none for as many as there is time for.
func loopFlag(to *int64) cli.Flag {
	set := func(s string) error {
		if s == "" {
			*to = timeline.Forever
			return nil
		}
		n, err := positive(units.ParseCount, "once")(s)
		*to = n
		return err
	}
	return &cli.GenericFlag{Name: "loop", Usage: "play everything `[N]` times, without a number until it is stopped; timestamps move on", DefaultText: "once",
		Value: optionalValue{&value{set: set, shown: "once"}, isNumber}}
}

func isNumber(s string) bool {
	_, err := strconv.ParseUint(s, 10, 63)
	return err == nil
}

// complete checks what only several flags together can tell.
func (s *scheduling) complete() (timeline.Schedule, error) {
	var given []string
	for _, f := range []struct {
		name string
		pace *timeline.Pace
	}{{"--speed", s.speed}, {"--rate", s.rate}, {"--bandwidth", s.bandwidth}} {
		if f.pace != nil {
			given = append(given, f.name)
			s.schedule.Pace = *f.pace
		}
	}
	if len(given) > 1 {
		return s.schedule, &usageError{strings.Join(given, " and ") + " exclude each other", "give one pace: a factor of the original timing, or records or bytes in a time"}
	}
	return s.schedule, optionUsage(s.schedule.Check())
}

// start is the moment of --start-at; zero: there is none. One that has passed is taken only where what began may go on.
func (s *scheduling) start(now time.Time, mayGoOn bool) (time.Time, error) {
	if s.startAt == "" {
		return time.Time{}, nil
	}
	at, err := selection.ParsePosition(s.startAt)
	ms, isTime := at.TimestampMs(now)
	if err != nil || !isTime || at.IsRelative() {
		return time.Time{}, usage("--start-at %s: not a moment: use RFC 3339, such as 2026-03-01T12:00:00Z, or @MILLISECONDS", s.startAt)
	}
	start := time.UnixMilli(ms)
	if start.Before(now) && !mayGoOn {
		return time.Time{}, usage("--start-at %s: that has passed, it is %s", s.startAt, now.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	return start, nil
}

// endlessHint says how what never ends can be served.
func endlessHint(err error) error {
	if errors.Is(err, serve.ErrEndless) {
		return &usageError{err.Error(), "give --speed FACTOR, --rate or --bandwidth, or a number of rounds"}
	}
	return err
}
