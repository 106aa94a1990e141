package capture

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/kafka"
)

// Several captures may write one archive in a store at the same time. Of two that seal the same segment the first one wins; the other drops
// its own, and goes on where that of the first ends.

// overtaken says whether err is that another capture sealed a segment first.
func (r *run) overtaken(err error) bool { return r.archive.Shared() && errors.Is(err, fs.ErrExist) }

// behind is the lane that takes the place of l, which was overtaken. It is nil when the other capture took all that there was to take.
func (r *run) behind(l *lane) (*lane, error) {
	r.source.quit(l.tp, l.inbox)
	w, err := r.goOn(l.work)
	if err != nil {
		return nil, fmt.Errorf("go on with %s behind another capture: %w", l.tp, err)
	}
	r.mu.Lock()
	r.behindOthers++
	r.mu.Unlock()
	l.report.Next = max(l.report.Next, w.from)
	next := newLane(r, w)
	next.began = l.began
	l.counter.hand(l, next)
	next.count()
	if w.done() {
		next.counter.done(next)
		return nil, nil
	}
	return next, nil
}

// goOn is w from where the archive ends now.
func (r *run) goOn(w work) (work, error) {
	if err := r.archive.Refresh(w.tp); err != nil {
		return w, err
	}
	at, ok, err := r.archive.Resume(w.tp)
	if err != nil {
		return w, err
	}
	if !ok || at.Next <= w.from {
		return w, errors.New("what the other one sealed is not there")
	}
	if at.Source != w.source {
		return w, &MismatchError{"source of " + w.tp.String(), fmt.Sprint(at.Source), fmt.Sprint(w.source)}
	}
	w.from, w.epoch = at.Next, at.LeaderEpoch
	w.sure, err = vouched(r.archive, w.tp)
	return w, err
}

// mostPlans bounds how often a capture plans anew because another one changed the archive meanwhile.
const mostPlans = 20

// agreedPlan makes a plan that no other capture changed under its hands.
func agreedPlan(ctx context.Context, c *cluster, a *format.Archive, s *settings) (*plan, *kafka.Metadata, error) {
	for i := 0; ; i++ {
		p, m, err := makePlan(ctx, c, a, s)
		if !errors.Is(err, format.ErrChanged) || i == mostPlans {
			return p, m, err
		}
		if err := a.Refresh(); err != nil {
			return nil, nil, err
		}
	}
}

// plannedStart is where a plan has a partition begin.
func plannedStart(p *origin.Plan, tp format.TopicPartition) (int64, bool) {
	for _, r := range p.Partitions {
		if r.Topic == tp.Topic && r.Partition == tp.Partition {
			return r.Start, true
		}
	}
	return 0, false
}

// joined is w, which another capture planned from start on, from where that one has got to.
func (r *run) joined(w work, start int64) (work, error) {
	w.from = start
	if err := r.archive.Refresh(w.tp); err != nil {
		return w, err
	}
	if len(r.archive.Segments(w.tp)) == 0 {
		return w, nil
	}
	return r.goOn(w)
}
