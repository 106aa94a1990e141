package replay_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
)

// often makes many small transactions of a few records each.
func often() replay.Options {
	return replay.Options{ExactlyOnce: true, CreateTopics: true, TransactionBytes: 2000, FlushTimeout: time.Second}
}

func TestExactlyOnceDeliversAndRemembers(t *testing.T) {
	r := ordersAndEvents(200)
	a, c := r.archive(t), newTarget(t)
	report := c.run(t, a, often())
	equal(t, "acknowledged", report.Acknowledged, int64(600))
	c.holds(t, r)
	report = c.run(t, a, often())
	equal(t, "sent by the second run", [2]int64{report.Sent, report.Plan.Earlier}, [2]int64{0, 600})
	c.holds(t, r)
}

// holds fails unless a reader with read_committed finds exactly the records of r, in their order.
func (c target) holds(t *testing.T, r recording) {
	t.Helper()
	for tp, records := range r.records {
		equal(t, tp.String(), c.committed(t, tp), valuesOf(records))
	}
}

func TestAReplayThatIsKilledAtAnyRequestGoesOnWithNothingLostOrDoubled(t *testing.T) {
	r := ordersAndEvents(60)
	a := r.archive(t)
	readOnce(t)
	for _, after := range []bool{false, true} {
		at, deaths := 1, 0
		for dead := true; dead; at++ {
			synctest.Test(t, func(t *testing.T) { dead = killAndGoOn(t, r, a, &mortal{at: at, after: after}) })
			if dead {
				deaths++
			}
		}
		if deaths < 30 {
			t.Errorf("a replay has %d requests, the test shows little", deaths)
		}
		t.Logf("%d deaths", deaths)
	}
}

// killAndGoOn replays with a network that dies, and again with one that does not. It returns whether the first one did.
func killAndGoOn(t *testing.T, r recording, a *format.Archive, network *mortal) bool {
	c := newVirtualTarget(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	network.kill = cancel
	first, err := replay.Run(ctx, network.connect(c), a, often())
	if !network.died() {
		must(t, err)
	} else if err == nil && first.Acknowledged != 180 {
		t.Errorf("killed at request %d: no error", network.at)
	}
	second := c.run(t, a, often())
	if got := second.Plan.Earlier + second.Acknowledged; got != 180 {
		t.Errorf("killed at request %d: %d records before and after, want 180", network.at, got)
	}
	c.holds(t, r)
	return network.died()
}
