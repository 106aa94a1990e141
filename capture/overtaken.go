package capture

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
)

// Several captures may write one archive in a store at the same time. Of two that seal the same segment the first one wins; the other drops
// its own, and goes on where that of the first ends.

// overtaken says whether err is that another capture sealed a segment first.
func (r *run) overtaken(err error) bool { return r.archive.Shared() && errors.Is(err, fs.ErrExist) }

// cameSecond counts a segment that another capture sealed first.
func (r *run) cameSecond() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.behindOthers++
}

// behind is the lane that takes the place of l, which was overtaken and is not fed any more. It is nil when the other capture took all that there was to take.
func (r *run) behind(l *lane) (*lane, error) {
	w, err := r.goOn(l.work)
	if err != nil {
		return nil, fmt.Errorf("go on with %s behind another capture: %w", l.tp, err)
	}
	r.cameSecond()
	l.report.Next = max(l.report.Next, w.from)
	next := newLane(r, w)
	next.began = l.began
	next.count()
	if w.done() {
		next.counter.done()
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
	if at.Source.TopicID != w.source.TopicID {
		return w, &RecreatedTopicError{Topic: w.tp.Topic, Archive: at.Source.TopicID, Cluster: w.source.TopicID}
	}
	if at.Source != w.source {
		return w, &MismatchError{"source of " + w.tp.String(), fmt.Sprint(at.Source), fmt.Sprint(w.source), false}
	}
	w.from, w.epoch = at.Next, at.LeaderEpoch
	w.sure, err = vouched(r.archive, w.tp)
	return w, err
}

// mostPlans bounds how often a capture changes what the archive says anew because another one did so meanwhile. One of them comes through each time,
// so it takes as many captures that begin at once.
const mostPlans = 1000

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

// amend changes what the archive says of itself, whoever changes it at the same time: change is called again with what it says then.
func amend(a *format.Archive, change func(*format.Identity) error) error {
	for i := 0; ; i++ {
		id := a.Identity()
		if err := change(&id); err != nil {
			return err
		}
		err := a.SetIdentity(id)
		if !errors.Is(err, format.ErrChanged) || i == mostPlans {
			return err
		}
	}
}
