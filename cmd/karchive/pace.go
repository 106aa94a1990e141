package main

import (
	"time"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay"
)

// pacing is the flags that say when records are sent, and what becomes of those that are late.
type pacing struct {
	scheduling
	pacing    replay.Pacing
	catchUp   *time.Duration // nil: not given
	onLate    string
	precision string
}

func (p *pacing) flags() []cli.Flag {
	return append(p.scheduling.flags(), timed(
		parsed("warmup", "leave `DURATION` from the start out of the report's rates and latenesses", "0s", &p.pacing.Warmup, units.ParseDuration),
		choiceFlag("on-late", "`catch-up` sends late records a bit faster, shift moves the schedule, drop leaves them out", &p.onLate, string(replay.CatchUpLate), string(replay.ShiftLate), string(replay.DropLate)),
		parsed("max-catchup", "lateness that is caught up in any case; what --on-late does begins beyond `DURATION`", "1s, 10ms with shift", &p.catchUp, pointer(units.ParseDuration)),
		choiceFlag("precision", "`normal`, or high: sleeps of a thread of its own that end within some 50 microseconds", &p.precision, string(replay.NormalPrecision), string(replay.HighPrecision)),
	)...)
}

// complete checks what only several flags together can tell, and fills in the library's options.
func (p *pacing) complete(now time.Time, to *replay.Options) (err error) {
	if to.Schedule, err = p.scheduling.complete(); err != nil {
		return err
	}
	if p.catchUp != nil {
		p.pacing.MaxCatchUp = max(*p.catchUp, time.Nanosecond) // 0 would be the default
	}
	p.pacing.OnLate, p.pacing.Precision = replay.LatePolicy(p.onLate), replay.Precision(p.precision)
	to.Pacing = p.pacing
	to.Pacing.StartAt, err = p.start(now, to.Checkpoint != nil || to.ExactlyOnce)
	return err
}
