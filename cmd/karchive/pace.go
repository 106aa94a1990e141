package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/timeline"
	"github.com/karchive/karchive/selection"
)

// pacing is the flags that say when records are sent.
type pacing struct {
	speed, rate, bandwidth *timeline.Pace // nil: not given

	schedule  timeline.Schedule
	pacing    replay.Pacing
	startAt   string
	catchUp   *time.Duration // nil: not given
	onLate    string
	precision string
}

func (p *pacing) flags() []cli.Flag {
	const category = "Timing"
	flags := []cli.Flag{
		parsed("speed", "a `FACTOR` of the original timing, such as 1, 0.1 or 10, or max", "max", &p.speed, pointer(timeline.ParseSpeed)),
		parsed("rate", "a steady `RATE` of records, such as 800/s, 50k/s or 3000/min", "", &p.rate, pointer(timeline.ParseRate)),
		parsed("bandwidth", "a steady `RATE` of bytes, such as 20MB/s", "", &p.bandwidth, pointer(timeline.ParseBandwidth)),
		durationFlag("ramp", "rise to the pace evenly in `DURATION`", "at once", &p.schedule.Ramp),
		durationFlag("max-gap", "with --speed: shorten silences of the recording to `DURATION` of its time", "none", &p.schedule.MaxGap),
		loopFlag(&p.schedule.Loop),
		durationFlag("loop-delay", "wait `DURATION` between two rounds", "0s", &p.schedule.LoopDelay),
		&cli.StringFlag{Name: "start-at", Usage: "begin at `TIME` on the wall clock (RFC 3339 or @MS), so that several replays begin together", Destination: &p.startAt},
		durationFlag("warmup", "leave `DURATION` from the start out of the report's rates and latenesses", "0s", &p.pacing.Warmup),
		choiceFlag("on-late", "`catch-up` sends late records a bit faster, shift moves the schedule, drop leaves them out", &p.onLate, string(replay.CatchUpLate), string(replay.ShiftLate), string(replay.DropLate)),
		parsed("max-catchup", "lateness that is caught up in any case; what --on-late does begins beyond `DURATION`", "1s, 10ms with shift", &p.catchUp, pointer(units.ParseDuration)),
		choiceFlag("precision", "`normal`, or high: sleeps of a thread of its own that end within some 50 microseconds", &p.precision, string(replay.NormalPrecision), string(replay.HighPrecision)),
	}
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
		n, err := units.ParseCount(s)
		if err == nil && n < 1 {
			err = units.ErrCount
		}
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

// complete checks what only several flags together can tell, and fills in the library's options.
func (p *pacing) complete(now time.Time, to *replay.Options) error {
	var given []string
	for _, f := range []struct {
		name string
		pace *timeline.Pace
	}{{"--speed", p.speed}, {"--rate", p.rate}, {"--bandwidth", p.bandwidth}} {
		if f.pace != nil {
			given = append(given, f.name)
			p.schedule.Pace = *f.pace
		}
	}
	if len(given) > 1 {
		return &usageError{strings.Join(given, " and ") + " exclude each other", "give one pace: a factor of the original timing, or records or bytes in a time"}
	}
	if err := p.dependent(); err != nil {
		return err
	}
	if p.catchUp != nil {
		p.pacing.MaxCatchUp = max(*p.catchUp, time.Nanosecond) // 0 would be the default
	}
	p.pacing.OnLate, p.pacing.Precision = replay.LatePolicy(p.onLate), replay.Precision(p.precision)
	if p.startAt != "" {
		at, err := parseStart(p.startAt, now, to.Checkpoint != nil || to.ExactlyOnce)
		if err != nil {
			return err
		}
		p.pacing.StartAt = at
	}
	to.Schedule, to.Pacing = p.schedule, p.pacing
	return nil
}

// dependent refuses flags that mean nothing without another.
func (p *pacing) dependent() error {
	s := &p.schedule
	timed := s.Pace.Timed()
	switch {
	case s.MaxGap > 0 && (p.speed == nil || !timed):
		return &usageError{"--max-gap is for the original timing", "give --speed 1, or another factor"}
	case s.LoopDelay > 0 && s.Loop == 0:
		return &usageError{"--loop-delay is for --loop", "give --loop, or --loop N"}
	case timed:
		return nil
	}
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"--ramp", s.Ramp > 0}, {"--warmup", p.pacing.Warmup > 0}, {"--on-late", p.onLate != string(replay.CatchUpLate)},
		{"--max-catchup", p.catchUp != nil}, {"--precision", p.precision != string(replay.NormalPrecision)},
	} {
		if f.given {
			return &usageError{f.name + " needs a pace", "give --speed FACTOR, --rate or --bandwidth"}
		}
	}
	return nil
}

// parseStart takes a moment that has passed only where a replay may go on.
func parseStart(s string, now time.Time, mayGoOn bool) (time.Time, error) {
	at, err := selection.ParsePosition(s)
	ms, isTime := at.TimestampMs(now)
	if err != nil || !isTime || at.IsRelative() {
		return time.Time{}, usage("--start-at %s: not a moment: use RFC 3339, such as 2026-03-01T12:00:00Z, or @MILLISECONDS", s)
	}
	start := time.UnixMilli(ms)
	if start.Before(now) && !mayGoOn {
		return time.Time{}, usage("--start-at %s: that has passed, it is %s", s, now.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	return start, nil
}
