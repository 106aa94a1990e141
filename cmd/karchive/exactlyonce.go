package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay"
)

// exactlyOnceFlags are those of a replay that keeps its progress in the target.
func exactlyOnceFlags(to *replay.Options) []cli.Flag {
	const category = "Exactly once"
	id := parsed("replay-id", "name an exactly-once replay `ID`; of two at a time the older is ended", "by archive and options",
		&to.ReplayID, replay.ParseReplayID).(*cli.GenericFlag)
	id.Category = category
	return []cli.Flag{
		&cli.BoolFlag{Name: "exactly-once", Usage: "send in transactions that carry the progress, committed at least every second", Destination: &to.ExactlyOnce, Category: category},
		id,
		&cli.BoolFlag{Name: "restart", Usage: "begin an exactly-once replay again, whatever it has sent before", Destination: &to.Restart, Category: category},
	}
}

// checkExactlyOnce refuses flags that transactions cannot keep, and those that mean nothing without them.
func (o *replayOptions) checkExactlyOnce() error {
	r := &o.replay
	switch {
	case !r.ExactlyOnce && r.ReplayID != "":
		return &usageError{"--replay-id is for --exactly-once", "give --exactly-once, too"}
	case !r.ExactlyOnce && r.Restart:
		return &usageError{"--restart is for --exactly-once", "give --exactly-once, or another file to --progress"}
	case !r.ExactlyOnce:
		return nil
	case o.progress != "":
		return &usageError{"--exactly-once and --progress exclude each other",
			"an exactly-once replay keeps its progress in the target, in topic " + replay.CheckpointTopic}
	case o.pacing.schedule.Loop != 0:
		return &usageError{"--exactly-once and --loop exclude each other", "a replay that goes on cannot tell rounds apart"}
	case r.Acks != replay.AcksAll:
		return &usageError{"--exactly-once needs --acks all", "with fewer the target may lose what it acknowledged"}
	}
	return nil
}

// noteExactlyOnce says where the replay begins, and where its progress is.
func (e *env) noteExactlyOnce(p *replay.Plan, restart bool) {
	if p.ReplayID == "" {
		return
	}
	begins := "begins"
	switch {
	case restart:
		begins = "begins, whatever it has sent before"
	case p.Earlier > 0:
		begins = fmt.Sprintf("goes on after %s", units.Of(p.Earlier, "record"))
	}
	e.notef("exactly once: replay %s %s; its progress is in topic %s of the target", p.ReplayID, begins, replay.CheckpointTopic)
}
