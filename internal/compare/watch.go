package compare

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/karchive/karchive/internal/outcome"
)

const (
	// shortestLook is the time between two looks at a program, and lookShare the part of all time that looking may take.
	shortestLook = 50 * time.Millisecond
	lookShare    = 10
)

// watch returns when the program is done, or with why it failed.
func (t *trial) watch(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, t.options.Timeout, ErrTimeout)
	defer cancel()
	next := time.NewTimer(shortestLook)
	defer next.Stop()
	for {
		select {
		case <-t.process.ended:
			return t.endedByItself(ctx)
		case <-ctx.Done():
			return t.gaveUp(ctx)
		case <-next.C:
		}
		before := time.Now()
		t.process.family.look()
		if t.look(ctx) {
			return nil
		}
		next.Reset(max(shortestLook, lookShare*time.Since(before)))
	}
}

func (t *trial) endedByItself(ctx context.Context) error {
	t.result.ByItself = true
	t.look(ctx)
	if t.drained == 0 && len(t.result.Lag) > 0 { // a group has read
		t.result.Left = t.state
	}
	return t.process.err
}

func (t *trial) gaveUp(ctx context.Context) error {
	if t.state == "" {
		return fmt.Errorf("%w: it still writes", context.Cause(ctx))
	}
	return fmt.Errorf("%w: %s", context.Cause(ctx), t.state)
}

// look finds out how far the program is, and whether it is done. What cannot be found out now is looked at again.
func (t *trial) look(ctx context.Context) (done bool) {
	at, err := t.lag(ctx)
	written := t.written
	if err == nil {
		written, err = outcome.Offsets(ctx, t.cluster, t.options.Outputs...)
	}
	if err != nil {
		if ctx.Err() == nil {
			t.state = err.Error()
		}
		return false
	}
	at.After = time.Since(t.began)
	if at.Known {
		t.result.note(at)
	}
	if t.options.OnLook != nil {
		t.options.OnLook(t.program.Name, at, written)
	}
	return t.settling.look(at.After, t.state != "", written)
}

// lag is what all groups together have not read. It sets the state.
func (t *trial) lag(ctx context.Context) (at LagPoint, err error) {
	groups, err := kadm.NewClient(t.cluster.Client()).ListGroups(ctx)
	if err != nil {
		return at, err
	}
	t.state = ""
	if !t.server.Released() {
		t.state = "the schedule has not come to its end"
	}
	if len(groups) == 0 {
		t.state = "there is no consumer group"
	}
	for _, name := range groups.Groups() {
		lag, err := t.groups.Lag(ctx, t.cluster, name)
		if err != nil {
			return at, err
		}
		at.Offsets += lag.Offsets
		at.Known = true
		if lag.Left != "" {
			t.state = fmt.Sprintf("group %s: %s", name, lag.Left)
		}
	}
	return at, nil
}
