package replay_test

import (
	"errors"
	"testing"

	"github.com/karchive/karchive/replay"
)

func TestGroupsAreRestoredByTime(t *testing.T) {
	a, c := gapped().with(wide).archive(t), newTarget(t, withTopics())
	c.run(t, a, replay.Options{})
	dry, err := replay.RestoreGroups(t.Context(), c.connect, a, replay.RestoreOptions{DryRun: true})
	must(t, err)
	set, err := replay.RestoreGroups(t.Context(), c.connect, a, replay.RestoreOptions{})
	must(t, err)
	equal(t, "positions", positions(replay.Report{Groups: set}), map[string]int64{
		"begin orders-0": 0, "begin orders-1": 0, "begin events-0": 0, "end orders-0": 30, "end orders-1": 40, "gap orders-0": 10, "gap orders-1": 7,
		"beyond orders-0": 30, "some events-0": 39,
	})
	equal(t, "positions of the dry run", positions(replay.Report{Groups: dry}), positions(replay.Report{Groups: set}))
	for i := range set {
		if !set[i].Set || set[i].Exact || dry[i].Set || dry[i].Before != nil {
			t.Errorf("got %+v after %+v, want it set, and not said to be exact", set[i], dry[i])
		}
	}
	missed, _ := c.unread(t, "gap", wide)
	equal(t, "missed", missed, nil)
}

func TestWhatCannotBeRestoredIsRefused(t *testing.T) {
	a, c := gapped().with(wide).archive(t), newTarget(t)
	if _, err := replay.RestoreGroups(t.Context(), c.connect, a, replay.RestoreOptions{}); !errors.As(err, new(*replay.MissingTopicsError)) {
		t.Errorf("without topics: got %v, want a MissingTopicsError", err)
	}
	if _, err := replay.RestoreGroups(t.Context(), c.connect, a, replay.RestoreOptions{Select: []string{"other"}}); !errors.Is(err, replay.ErrNoGroup) {
		t.Errorf("another group: got %v, want ErrNoGroup", err)
	}
}
