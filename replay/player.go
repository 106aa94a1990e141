package replay

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/budget"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/internal/moment"
	"github.com/karchive/karchive/internal/saturating"
	"github.com/karchive/karchive/replay/internal/checkpoint"
	"github.com/karchive/karchive/replay/routing"
)

// player sends what a plan says.
type player struct {
	settings     *settings
	plan         *Plan
	moves        *groupMoves // nil: no groups
	archive      *format.Archive
	client       *kgo.Client
	detour       *detour // nil: all records go through client
	dials        *kafka.Dials
	refusals     *refusalLogger
	state        *checkpoint.State // of the checkpoint, without its partitions
	decoded      *budget.Budget    // for row groups
	sending      *budget.Budget    // for entries
	memory       *memory
	destinations []*destination // all of them
	parts        []*part
	started      time.Time
	begun        atomic.Pointer[time.Time] // when the schedule of a timed replay began; nil: not yet
	shift        atomic.Pointer[int64]     // milliseconds that ShiftTimestamps adds; nil: not known yet
	recorder     *recorder                 // nil: at top speed
	speed        *speedometer              // nil: in a timed replay

	roundMs int64 // by which timestamps of the present round are later, at top speed

	inFlight     sync.WaitGroup           // entries that the client has
	promise      func(*kgo.Record, error) // answered, made once and not for each record
	transactions *transactions            // nil: the replay is not exactly once
	retirement   *retirement              // nil: topics are kept to the end
}

// newPlayer makes everything that a plan needs.
func newPlayer(j *job, plan *Plan) (*player, error) {
	s, target := j.settings, j.target
	p := &player{
		settings: s, plan: plan, moves: j.moves, archive: j.archive, dials: target.Dials(), state: j.identity.state(plan, s.window, target),
		started: s.Clock.Now(),
		decoded: budget.New(s.MemoryBytes / 4 * 3), sending: budget.New(s.MemoryBytes / 4), memory: newMemory(target.Client(), s.Hooks),
	}
	p.promise = p.answered
	p.measure(plan)
	shrinker := newShrinker(plan.Compression)
	topics := make(map[string][]*destination)
	for _, t := range plan.Topics {
		if topics[t.Target] == nil {
			found := target.topics[t.Target]
			topics[t.Target] = newDestinations(t.Target, found.partitions, newAcceptance(found, shrinker, &s.Options), s.detours(), plan.windowBatch(t.Target, found))
			p.destinations = append(p.destinations, topics[t.Target]...)
		}
		for i := range t.Partitions {
			p.parts = append(p.parts, p.newPart(&t, &t.Partitions[i], topics[t.Target]))
		}
	}
	p.refusals = &refusalLogger{refused: func(topic string, partition int32, err error) {
		if all := topics[topic]; int(partition) < len(all) {
			all[partition].refuse(err)
		}
	}}
	p.refusals.quiet.Store(true) // until the first answer
	p.refusals.next, _ = target.Client().OptValue(kgo.WithLogger).(kgo.Logger)
	err := p.openClient(j)
	p.transactions = p.newTransactions()
	p.retirement = p.newRetirement()
	return p, err
}

// part is a partition of the archive in play.
type part struct {
	*PlannedPartition
	ledger       *ledger
	destinations []*destination // by partition
	router       *routing.Router
	read         atomic.Bool // all of it was given to the client
}

func (p *player) newPart(topic *PlannedTopic, planned *PlannedPartition, destinations []*destination) *part {
	tp := format.TopicPartition{Topic: topic.Topic, Partition: planned.Partition}
	out := &part{PlannedPartition: planned, ledger: newLedger(tp, planned.earlier), destinations: destinations}
	out.ledger.bounds = p.moves.of(tp)
	if len(destinations) > 0 {
		out.router = p.settings.Partitioner.Router(tp.Partition, int32(len(destinations)), planned.earlier.Turns)
	}
	return out
}

// measure prepares what is told of a replay's course, and the shift of its timestamps where it is known beforehand.
func (p *player) measure(plan *Plan) {
	p.shift.Store(plan.shiftMs)
	if p.settings.Schedule.Pace.Timed() {
		p.recorder = newRecorder(p.settings.Pacing.Warmup)
	} else {
		p.speed = newSpeedometer()
	}
}

// play sends everything. It returns when all is given to the client, or ctx ends; the error is of the replay as a whole.
func (p *player) play(ctx context.Context) error {
	if p.recorder != nil {
		return p.conduct(ctx)
	}
	return p.playRounds(ctx)
}

// playRounds plays everything at top speed, as often as the schedule says.
func (p *player) playRounds(ctx context.Context) error {
	s := &p.settings.Schedule
	if at := p.settings.Pacing.StartAt; !at.IsZero() {
		if err := p.settings.Clock.SleepUntil(ctx, at); err != nil {
			return err
		}
	}
	firstMs := int64(moment.Untimed)
	if span := p.plan.Total.span; span.valid {
		firstMs = span.first
	}
	p.begin(p.settings.Clock.Now(), firstMs)
	step := s.RoundMs(p.plan.Total.span.ms())
	for round := int64(0); ; round++ {
		p.roundMs = saturating.MulDiv(round, uint64(step), 1)
		p.playAll(ctx)
		if ctx.Err() != nil || round+1 == s.Rounds() || p.progress().Sent == 0 {
			return nil
		}
		if err := p.settings.Clock.SleepUntil(ctx, p.settings.Clock.Now().Add(s.LoopDelay)); err != nil {
			return nil
		}
	}
}

// begin notes when the schedule begins, and the time as of which its first record is played.
func (p *player) begin(start time.Time, firstMs int64) {
	p.begun.Store(&start)
	if p.settings.Timestamps == ShiftTimestamps && p.shift.Load() == nil && firstMs != moment.Untimed {
		shift := start.UnixMilli() - firstMs
		p.shift.Store(&shift)
	}
}

// stamp sets the timestamp that an entry is sent with: that of the archive, later by shiftMs and by what ShiftTimestamps adds.
func (p *player) stamp(e *entry, shiftMs int64) {
	if shift := p.shift.Load(); shift != nil {
		shiftMs = saturating.Add(shiftMs, *shift)
	}
	if shiftMs == 0 || p.settings.Timestamps == NowTimestamps || e.timestampMs == format.NoTimestamp {
		return
	}
	e.timestampMs = saturating.Add(e.timestampMs, shiftMs)
	e.record.Timestamp = time.UnixMilli(e.timestampMs)
}

// playAll plays everything once, a lane at a time a partition.
func (p *player) playAll(ctx context.Context) {
	var lanes sync.WaitGroup
	defer lanes.Wait()
	queue := make(chan *part)
	defer close(queue)
	for range p.settings.Lanes {
		lanes.Go(func() {
			for next := range queue {
				p.playPart(ctx, next)
			}
		})
	}
	for _, next := range p.parts {
		if next.Total.Records == 0 {
			continue
		}
		select {
		case queue <- next:
		case <-ctx.Done():
			return
		}
	}
}

// playPart sends a partition, until it has to stop or ctx ends. What goes wrong with it is in its ledger.
func (p *player) playPart(ctx context.Context, next *part) {
	f := p.startFeed(ctx, next)
	defer f.close()
	for {
		g, err := f.next()
		switch {
		case err == io.EOF:
			next.read.Store(true)
			p.retirement.finished(next.destinations[0].topic)
			return
		case ctx.Err() != nil:
			return
		case err != nil:
			next.ledger.fail(f.end, err)
			return
		}
		if p.playGroup(ctx, next, g) != nil || next.ledger.stopped.Load() {
			return
		}
	}
}

// playGroup sends the records of a row group, chunk by chunk, until its partition has to stop. The error is the context's.
func (p *player) playGroup(ctx context.Context, from *part, g *group) error {
	defer g.drop()
	for len(g.records) > 0 && !from.ledger.stopped.Load() {
		n := min(len(g.records), chunkRecords)
		release, err := p.sending.Take(ctx, int64(n)*entryCost)
		if err != nil {
			return err
		}
		c := p.memory.chunk().fill(from.ledger, g.records[:n], p.settings.Timestamps)
		c.release = func() {
			release()
			g.memory.Done(n)
		}
		if err := p.settings.Control.run(ctx); err != nil {
			return err
		}
		g.records = g.records[n:]
		from.ledger.enter(c)
		if err := p.playChunk(ctx, from, c); err != nil {
			return err
		}
		from.ledger.leave(c)
	}
	return nil
}

// playChunk sends the entries of a chunk, until its partition has to stop. The error is the context's.
func (p *player) playChunk(ctx context.Context, from *part, c *chunk) error {
	given := 0
	p.inFlight.Add(len(c.entries)) // once a chunk: all lanes and the client count on it
	defer func() { p.inFlight.Add(given - len(c.entries)) }()
	for i := range c.entries {
		e := &c.entries[i]
		if e.fate != undecided {
			continue
		}
		p.stamp(e, p.roundMs)
		if ctx.Err() != nil || !p.send(ctx, from, e) {
			from.ledger.abandon(c, i)
			return ctx.Err()
		}
		given++
	}
	return nil
}

// send gives an entry, which its caller has counted as in flight, to the client. It returns false, and the entry is still its caller's, when
// the partition has to stop before it, or ctx ends.
func (p *player) send(ctx context.Context, from *part, e *entry) bool {
	to, inTurn := from.router.Route(&e.record)
	e.to, e.inTurn = from.destinations[to], inTurn
	// This comes before the gate of transactions, which waits for those that have passed it.
	e.under = e.to.window.weigh(&e.record)
	if e.to.window.take(ctx, e.under) != nil {
		return false
	}
	if p.transactions != nil {
		p.transactions.enter(e)
		defer p.transactions.leave()
	}
	l := from.ledger
	if l.stopped.Load() {
		e.to.window.give(e.under)
		return false
	}
	client, err := p.clientOf(e)
	if err == nil {
		err = e.to.refusal()
	}
	if err == nil {
		err = e.to.accepts.check(&e.record, e.timestampMs)
		if err != nil && p.settings.Force {
			e.to.window.give(e.under)
			l.leaveOut(e, err)
			p.inFlight.Done()
			return true
		}
	}
	if err != nil {
		e.to.window.give(e.under)
		l.fail(e.offset, err)
		return false
	}
	e.record.Topic, e.record.Partition = e.to.topic, e.to.partition
	if !e.to.used.Load() {
		e.to.used.Store(true)
	}
	l.sent.Add(1)
	client.Produce(e.to.ctx, &e.record, p.promise)
	return true
}

// answered is called by the client, one record at a time, when the target has one or it is given up.
func (p *player) answered(r *kgo.Record, err error) {
	e := entryOf(r)
	e.to.window.give(e.under)
	l := e.chunk.ledger
	if err != nil {
		err = e.to.refused(err)
	}
	if p.transactions != nil {
		err = p.transactions.answered(e, err)
	}
	if err == nil {
		p.heard(e)
		l.acknowledge(e)
	} else {
		l.refuse(e, err)
	}
	p.inFlight.Done()
}

// heard measures an acknowledgement. The entry is not the ledger's again yet.
func (p *player) heard(e *entry) {
	if p.recorder != nil {
		p.recorder.acknowledged(e.due, p.settings.Clock.Now().Sub(*p.begun.Load()))
	}
}

// refused ends the destination and returns why: its first refusal also stands for those that came of it.
func (d *destination) refused(err error) error {
	d.refuse(err)
	if errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) {
		return d.refusal()
	}
	return err
}

// finish waits until everything that the client got is decided. When ctx ends before that, what is in flight has some more time,
// unless nothing comes back any more; then what is left is given up.
func (p *player) finish(ctx context.Context) {
	err := p.flush(ctx)
	if err != nil && !errors.Is(context.Cause(ctx), ErrStalled) && p.transactions.failed() == nil {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.settings.FlushTimeout)
		err = p.flush(limited)
		cancel()
	}
	if p.transactions != nil {
		p.transactions.finish(ctx, err == nil)
	} else if err != nil {
		for _, d := range p.destinations {
			d.refuse(errNotAcknowledged)
		}
	}
	p.close()
	p.inFlight.Wait()
	if p.transactions != nil {
		p.transactions.unsettle()
	}
}

// save keeps what is acknowledged, if there is a checkpoint.
func (p *player) save(ctx context.Context, final bool) error {
	if p.settings.progress == nil {
		return nil
	}
	if p.transactions != nil {
		return p.transactions.save(ctx, final)
	}
	return p.settings.progress.Save(ctx, p.current(final, func(l *ledger) checkpoint.Partition { return l.snapshot(final) }))
}

// current is the state for a checkpoint.
func (p *player) current(final bool, snapshot func(*ledger) checkpoint.Partition) *checkpoint.State {
	state := *p.state
	state.Complete, state.ShiftMs = final, p.shift.Load()
	for _, part := range p.parts {
		state.Partitions = append(state.Partitions, snapshot(part.ledger))
		missing, _ := p.missing(part)
		state.Complete = state.Complete && missing == 0
	}
	return &state
}
