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
		&to.ReplayID, parseReplayID).(*cli.GenericFlag)
	id.Category = category
	return []cli.Flag{
		&cli.BoolFlag{Name: "exactly-once", Usage: "send in transactions that carry the progress, committed at least every second", Destination: &to.ExactlyOnce, Category: category},
		id,
		&cli.BoolFlag{Name: "restart", Usage: "begin an exactly-once replay again, whatever it has sent before", Destination: &to.Restart, Category: category},
	}
}

func parseReplayID(s string) (string, error) {
	return s, replay.Options{ExactlyOnce: true, ReplayID: s}.Check()
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
