package replay

import (
	"context"
	"io"
	"runtime"
	"time"

	"github.com/karchive/karchive/internal/merge"
	"github.com/karchive/karchive/internal/moment"
	"github.com/karchive/karchive/internal/saturating"
	"github.com/karchive/karchive/replay/timeline"
)

// conductor sends the records of several partitions in one order, each when it is due.
//
// Two goroutines share the work. One puts records in order, as far ahead as memory allows, so that decoding is never in the way of
// sending. The other sends: it sleeps until the next record is due, and then sends all that are.
type conductor struct {
	*player
	queue    *queue
	clock    Clock
	control  *Control
	start    time.Time     // when the schedule begins
	paused   time.Duration // by which the schedule is later, for pauses
	moved    time.Duration // likewise, for the late policy
	trail    trail
	segment  context.Context
	unpaused context.CancelFunc // ends segment
}

// primedRecords is how many records are in order before the clock starts.
const primedRecords = 2048

// conduct plays everything in time. It returns when all is given to the client, or ctx ends.
func (p *player) conduct(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue, stop := newQueue(ctx)
	defer stop()
	played := make(chan error, 1)
	go func() {
		c := &conductor{player: p, queue: queue, clock: p.settings.Clock, control: p.settings.Control}
		err := c.play(ctx)
		cancel()
		played <- err
	}()
	queue.end(p.order(ctx, queue))
	if err := <-played; err != nil {
		return err
	}
	for _, part := range p.parts {
		part.read.Store(!part.ledger.stopped.Load())
	}
	return nil
}

// order fills the queue with all records in playing order. The error is not that of a partition, which is in its ledger.
func (p *player) order(ctx context.Context, to *queue) error {
	parts, tracks := p.tracks()
	sequence := merge.New(ctx, tracks, p.settings.merging())
	defer sequence.Close()
	o := &orderer{player: p, queue: to, parts: parts, chunks: make([]*chunk, len(parts)), sequence: sequence, line: timeline.New(p.settings.Schedule)}
	if origin := p.plan.originMs; origin != nil {
		o.line.Begin(*origin)
	}
	for {
		err := o.next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// tracks are the partitions with something to play.
func (p *player) tracks() ([]*part, []merge.Track) {
	var parts []*part
	var tracks []merge.Track
	for _, part := range p.parts {
		if part.Total.Records > 0 {
			parts = append(parts, part)
			tracks = append(tracks, p.settings.rules.track(p.archive, part.ledger.source, part.window, p.settings.Schedule.Rounds(), &part.ledger.filtered))
		}
	}
	return parts, tracks
}

// play sends what comes out of the queue.
func (c *conductor) play(ctx context.Context) error {
	if c.settings.precise {
		runtime.LockOSThread() // never unlocked, so that the thread ends with the goroutine
		c.clock = newPreciseClock()
	}
	if err := c.begin(ctx); err != nil {
		return err
	}
	defer func() { c.unpaused() }()
	var items []item
	for {
		var waited wait
		var err error
		items, waited, err = c.queue.take(items)
		if err != nil || len(items) == 0 {
			return err
		}
		came := c.now()
		for i := range items {
			c.noteWait(&items[i], waited, came)
			if err := c.playItem(ctx, &items[i]); err != nil {
				return err
			}
		}
	}
}

// begin waits until records are in order and the client is connected, and starts the clock.
func (c *conductor) begin(ctx context.Context) error {
	c.segment, c.unpaused = c.control.untilPaused(ctx)
	c.connect(ctx)
	firstMs, err := c.queue.prime(primedRecords)
	if err != nil {
		return err
	}
	now := c.settings.Clock.Now()
	if c.start = now; !c.settings.Pacing.StartAt.IsZero() {
		c.start = now.Add(c.settings.Pacing.StartAt.Sub(now)) // steps of the wall clock from now on change nothing
	}
	if origin := c.plan.originMs; origin != nil {
		firstMs = *origin
	}
	c.player.begin(c.start, firstMs)
	return nil
}

// now is the time since the start.
func (c *conductor) now() time.Duration { return c.clock.Now().Sub(c.start) }

// noteWait counts a record that was due before it came. What was due while the target held back what comes next is late for that, also
// when reading was in the way for a moment afterwards.
func (c *conductor) noteWait(it *item, waited wait, came time.Duration) {
	due := saturating.Add(c.planned(it), c.moved)
	if !waited.empty || due >= came {
		return
	}
	c.recorder.count(func(t *Timing) {
		if c.start.Add(due).After(waited.heldUntil) {
			t.Starved++
		} else {
			t.HeldBack++
		}
	})
}

// planned is when a record is to be sent, after the start, without what the late policy moved.
func (c *conductor) planned(it *item) time.Duration { return saturating.Add(it.due, c.paused) }

// playItem sends a record when its time has come. The error is the context's.
func (c *conductor) playItem(ctx context.Context, it *item) error {
	if it.entry == nil {
		it.from.ledger.fail(it.fault.offset, it.fault.err)
		return nil
	}
	now, err := c.await(ctx, it, c.trail.step(it.due))
	if err != nil {
		return err
	}
	planned := c.planned(it)
	due := saturating.Add(planned, c.moved)
	late := now - due
	todo := c.settings.Pacing.decide(late)
	if todo.drop {
		it.from.ledger.leaveOut(it.entry, errLate)
		c.recorder.count(func(t *Timing) { t.Dropped++ })
		return nil
	}
	if todo.move > 0 {
		c.moved = saturating.Add(c.moved, todo.move)
		c.recorder.count(func(t *Timing) { t.Moved = c.moved })
	}
	c.trail.note(late-todo.move, todo.move > 0)
	it.entry.due = due
	noTime := !moment.Counts(it.entry.timestampMs)
	c.stamp(it.entry, it.shiftMs)
	c.inFlight.Add(1)
	if !c.send(ctx, it.from, it.entry) {
		c.inFlight.Done()
		it.from.ledger.giveUp(it.entry)
		return ctx.Err()
	}
	c.recorder.dispatched(it, noTime, planned, now, late)
	return nil
}

// await sleeps until a record is due, and as long after that as it is said to, and the replay is not paused.
func (c *conductor) await(ctx context.Context, it *item, behind time.Duration) (now time.Duration, err error) {
	for {
		if c.segment.Err() != nil {
			if err := c.pause(ctx); err != nil {
				return 0, err
			}
		}
		due := saturating.Add(c.planned(it), c.moved)
		c.recorder.upcoming.Store(int64(due))
		at := saturating.Add(due, behind)
		if now = c.now(); now >= at {
			return now, nil
		}
		c.clock.SleepUntil(c.segment, c.start.Add(at)) // an error is a pause or the end
	}
}

// pause waits for the end of a pause, and moves the schedule by it.
func (c *conductor) pause(ctx context.Context) error {
	began := c.now()
	if err := c.control.run(ctx); err != nil {
		return err
	}
	c.paused = saturating.Add(c.paused, c.now()-began)
	c.recorder.count(func(t *Timing) { t.Paused = c.paused })
	c.unpaused()
	c.segment, c.unpaused = c.control.untilPaused(ctx)
	return nil
}

// orderer puts the records of parts in order.
type orderer struct {
	player   *player
	queue    *queue
	parts    []*part
	chunks   []*chunk // of each part, that records are taken from
	sequence *merge.Sequence
	line     *timeline.Timeline
	shiftMs  int64 // of timestamps, in this round
}

// next puts the next record into the queue.
func (o *orderer) next(ctx context.Context) error {
	pick, err := o.sequence.Next()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == io.EOF {
		return err
	}
	part := o.parts[pick.Partition]
	if err != nil {
		o.queue.push(item{from: part, fault: &fault{o.sequence.End(pick.Partition), err}})
		return nil
	}
	if pick.Index == 0 {
		if err := o.open(ctx, part, pick); err != nil {
			return err
		}
	}
	c := o.chunks[pick.Partition]
	if part.ledger.stopped.Load() {
		part.ledger.abandon(c, pick.Index)
		o.sequence.Drop(pick.Partition)
		return nil
	}
	o.enqueue(part, &c.entries[pick.Index], pick)
	return nil
}

// open makes a chunk of a run when there is memory for it.
func (o *orderer) open(ctx context.Context, part *part, pick merge.Pick) error {
	release, err := o.memory(ctx, pick.Run.Cost)
	if err != nil {
		return err
	}
	run := pick.Run
	c := new(chunk).fill(part.ledger, run.Records, o.player.settings.Timestamps)
	c.release = func() {
		release()
		run.Done(len(run.Records))
	}
	part.ledger.enter(c)
	o.chunks[pick.Partition] = c
	return nil
}

// memory takes memory for a run. Those of which some records are not in the queue yet have at most half of it together, so that waiting
// for the other half always ends.
func (o *orderer) memory(ctx context.Context, cost int64) (release func(), err error) {
	b := o.player.sending
	cost = min(cost, b.Size()/2)
	if release = b.TryTake(cost); release != nil {
		return release, nil
	}
	o.queue.hold()
	defer func() { o.queue.letGo(o.player.settings.Clock.Now()) }()
	return b.Take(ctx, cost)
}

func (o *orderer) enqueue(part *part, e *entry, pick merge.Pick) {
	if e.fate != undecided { // acknowledged in an earlier run
		return
	}
	for o.line.Round() < pick.Round {
		o.shiftMs = saturating.Add(o.shiftMs, o.line.NextRound())
	}
	due := o.line.Next(pick.TimestampMs, int64(e.bytes))
	o.queue.push(item{
		from: part, entry: e, due: due, timestampMs: pick.TimestampMs, shiftMs: o.shiftMs, round: pick.Round,
		outOfOrder: pick.OutOfOrder, squeezed: o.line.Squeezed(),
	})
}
