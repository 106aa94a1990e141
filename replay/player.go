package replay

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
)

// player sends what a plan says.
type player struct {
	settings     *settings
	archive      *format.Archive
	client       *kgo.Client
	dials        *dials
	state        *State         // of the checkpoint, without its partitions
	decoded      *budget        // for row groups
	sending      *budget        // for entries
	destinations []*destination // all of them
	parts        []*part
	started      time.Time

	inFlight sync.WaitGroup // entries that the client has
}

// newPlayer makes everything that a plan needs.
func (s *settings) newPlayer(connect []kgo.Opt, archive *format.Archive, target *cluster, plan *Plan) (*player, error) {
	p := &player{
		settings: s, archive: archive, dials: target.dials, state: s.newState(plan, target),
		started: s.Clock.Now(),
		decoded: newBudget(s.MemoryBytes / 4 * 3), sending: newBudget(s.MemoryBytes / 4),
	}
	topics := make(map[string][]*destination)
	for _, t := range plan.Topics {
		if topics[t.Target] == nil {
			found := target.topics[t.Target]
			topics[t.Target] = newDestinations(t.Target, found.partitions, s.acceptance(found))
			p.destinations = append(p.destinations, topics[t.Target]...)
		}
		for i := range t.Partitions {
			p.parts = append(p.parts, s.newPart(&t, &t.Partitions[i], topics[t.Target]))
		}
	}
	refusals := &refusalLogger{refused: func(topic string, partition int32, err error) {
		if all := topics[topic]; int(partition) < len(all) {
			all[partition].refuse(err)
		}
	}}
	refusals.next, _ = target.client.OptValue(kgo.WithLogger).(kgo.Logger)
	var err error
	p.client, err = s.newProducer(connect, plan, target, refusals)
	return p, err
}

// part is a partition of the archive in play.
type part struct {
	*PlannedPartition
	ledger       *ledger
	destinations []*destination // by partition
	router       *router
	read         bool // all of it was given to the client
}

func (s *settings) newPart(topic *PlannedTopic, planned *PlannedPartition, destinations []*destination) *part {
	tp := format.TopicPartition{Topic: topic.Topic, Partition: planned.Partition}
	out := &part{PlannedPartition: planned, ledger: newLedger(tp, planned.earlier), destinations: destinations}
	if len(destinations) > 0 {
		out.router = s.Partitioner.router(tp.Partition, int32(len(destinations)))
	}
	return out
}

// play sends everything, a lane at a time a partition. It returns when all is given to the client, or ctx ends.
func (p *player) play(ctx context.Context) {
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
	f := startFeed(ctx, p.archive, next.ledger.source, next.PlannedPartition, p.decoded)
	defer f.close()
	for {
		g, err := f.next()
		switch {
		case err == io.EOF:
			next.read = true
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
		release, err := p.sending.take(ctx, int64(n)*entryCost)
		if err != nil {
			return err
		}
		c := newChunk(from.ledger, g.records[:n], p.settings.Timestamps)
		c.release = func() {
			release()
			g.decide(n)
		}
		g.records = g.records[n:]
		from.ledger.enter(c)
		if err := p.playChunk(ctx, from, c); err != nil {
			return err
		}
	}
	return nil
}

// playChunk sends the entries of a chunk, until its partition has to stop. The error is the context's.
func (p *player) playChunk(ctx context.Context, from *part, c *chunk) error {
	for i := range c.entries {
		e := &c.entries[i]
		if e.fate != undecided {
			continue
		}
		if err := ctx.Err(); err != nil || !p.send(from, e) {
			from.ledger.abandon(c, i)
			return err
		}
	}
	return nil
}

// send gives an entry to the client. It returns false when its partition has to stop before it.
func (p *player) send(from *part, e *entry) bool {
	l := from.ledger
	if l.stopped.Load() {
		return false
	}
	e.to = from.destinations[from.router.route(&e.record)]
	err := e.to.refusal()
	if err == nil {
		err = e.to.accepts.check(&e.record, e.timestampMs)
		if err != nil && p.settings.Force {
			l.leaveOut(e, err)
			return true
		}
	}
	if err != nil {
		l.fail(e.offset, err)
		return false
	}
	e.record.Topic, e.record.Partition = e.to.topic, e.to.partition
	l.sent.Add(1)
	p.inFlight.Add(1)
	p.client.Produce(context.Background(), &e.record, p.answered)
	return true
}

// answered is called by the client, one record at a time, when the target has one or it is given up.
func (p *player) answered(r *kgo.Record, err error) {
	e := r.Context.(*entry)
	l := e.chunk.ledger
	if err == nil {
		l.acknowledge(e)
	} else {
		l.refuse(e, e.to.refused(err))
	}
	p.inFlight.Done()
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
	err := p.client.Flush(ctx)
	if _, stalled := errors.AsType[*StalledError](context.Cause(ctx)); err != nil && !stalled {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.settings.FlushTimeout)
		err = p.client.Flush(limited)
		cancel()
	}
	if err != nil {
		for _, d := range p.destinations {
			d.refuse(ErrNotAcknowledged)
		}
	}
	p.client.Close()
	p.inFlight.Wait()
}

// save keeps what is acknowledged, if there is a checkpoint.
func (p *player) save(ctx context.Context, final bool) error {
	if p.settings.Checkpoint == nil {
		return nil
	}
	state := *p.state
	state.Complete = final
	for _, part := range p.parts {
		state.Partitions = append(state.Partitions, part.ledger.snapshot(final))
		state.Complete = state.Complete && part.missing() == 0
	}
	return p.settings.Checkpoint.Save(ctx, &state)
}
