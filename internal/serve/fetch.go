package serve

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

const (
	// largestAnswer bounds what a client is sent at once, but for one record batch.
	largestAnswer = 8 << 20
	// mostBlocks bounds the row groups that are read for an answer: of many small ones the first are sent before the others are read.
	mostBlocks = 32
	// longestWait is how long a client may wait for records.
	longestWait = time.Minute
	// breath is the time between two answers that something cannot be read, as clients ask again and again.
	breath = 100 * time.Millisecond
)

// fetching is a Fetch on its way. Partitions of archived topics are answered here, the others by the embedded broker.
type fetching struct {
	*conn
	request *kmsg.FetchRequest
	answers *kmsg.FetchResponse
	bodies  []body // what answers says of batches stands for these, in this order
	left    int    // bytes that may still be sent
	sent    int
	blocks  int // that were read for the answer
	last    []delivery
	asked   []*partition // archived ones whose watermarks still rise
	others  bool
	refused bool // a partition: that is said at once
	damaged bool // what a partition has cannot be read: that is said soon
}

// delivery says how far a partition was answered.
type delivery struct {
	partition *partition
	next      int64
}

func (c *conn) fetch(ctx context.Context, r *request, m *kmsg.FetchRequest) error {
	if m.SessionID != 0 || m.SessionEpoch > 0 {
		response := m.ResponseKind().(*kmsg.FetchResponse)
		response.ErrorCode = kerr.FetchSessionIDNotFound.Code // none is ever given
		return c.reply(r, response)
	}
	most := max(min(int(m.MaxBytes), largestAnswer), 0)
	room := min(int64(most), c.options.ResponseBytes)
	if err := c.responses.Acquire(ctx, room); err != nil {
		return err
	}
	defer c.responses.Release(room)
	f := &fetching{conn: c, request: m, left: most}
	if err := f.wait(ctx); err != nil {
		return err
	}
	if err := c.deliver(r, f.answers, f.bodies); err != nil {
		return err
	}
	for _, d := range f.last {
		d.partition.delivered(d.next)
	}
	if f.sent > 0 {
		c.activity.note()
	}
	c.activity.delivered()
	return nil
}

// wait answers as soon as there is something to send, or when the time is over.
func (f *fetching) wait(ctx context.Context) error {
	deadline := time.Now().Add(min(time.Duration(f.request.MaxWaitMillis)*time.Millisecond, longestWait))
	var risen chan struct{}
	for {
		if err := f.collect(ctx); err != nil {
			return err
		}
		left := time.Until(deadline)
		switch {
		case f.sent > 0 || f.refused || f.request.MinBytes <= 0:
			left = 0
		case f.damaged:
			left, deadline = min(left, breath), time.Time{}
		}
		if f.others {
			if err := f.askOthers(ctx, f.patience(left)); err != nil {
				return err
			}
		}
		if left <= 0 || f.sent > 0 {
			return nil
		}
		if f.others {
			continue
		}
		if risen == nil { // and look again, as one may have risen since
			risen = make(chan struct{}, 1)
			defer f.watch(risen)()
			continue
		}
		if err := await(ctx, risen, left); err != nil {
			return err
		}
	}
}

// glance is how long the embedded broker is waited for when archived partitions may get records at the same time.
const glance = 20 * time.Millisecond

// patience is how long the embedded broker may take for records, of so much time.
func (f *fetching) patience(left time.Duration) time.Duration {
	if len(f.asked) > 0 {
		return min(left, glance)
	}
	return left
}

// watch has c told when a partition of the request has more to read, until stop is called.
func (f *fetching) watch(c chan<- struct{}) (stop func()) {
	var stops []func()
	for _, p := range f.asked {
		stops = append(stops, p.watch(c))
	}
	return func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// await returns when it is told to, or after d. Nobody tells by a nil channel.
func await(ctx context.Context, told <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-told:
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// collect answers what is archived.
func (f *fetching) collect(ctx context.Context) error {
	f.answers = f.request.ResponseKind().(*kmsg.FetchResponse)
	f.bodies = f.bodies[:0]
	f.last, f.asked, f.others, f.sent, f.blocks, f.refused, f.damaged = f.last[:0], f.asked[:0], false, 0, 0, false, false
	for i := range f.request.Topics {
		rt := &f.request.Topics[i]
		t := f.topics.find(rt.Topic, rt.TopicID, f.request.Version >= 13)
		if t == nil {
			f.others = true
			continue
		}
		st := kmsg.NewFetchResponseTopic()
		st.Topic, st.TopicID = rt.Topic, rt.TopicID
		for j := range rt.Partitions {
			sp, err := f.one(ctx, t.partition(rt.Partitions[j].Partition), &rt.Partitions[j])
			if err != nil {
				return err
			}
			st.Partitions = append(st.Partitions, sp)
		}
		f.answers.Topics = append(f.answers.Topics, st)
	}
	return nil
}

// one answers a partition.
func (f *fetching) one(ctx context.Context, p *partition, rp *kmsg.FetchRequestTopicPartition) (kmsg.FetchResponseTopicPartition, error) {
	sp := kmsg.NewFetchResponseTopicPartition()
	sp.Partition, sp.RecordBatches = rp.Partition, []byte{}
	if p == nil {
		sp.ErrorCode, f.refused = kerr.UnknownTopicOrPartition.Code, true
		return sp, nil
	}
	if p.scheduled.Load() {
		f.asked = append(f.asked, p)
	}
	visible := p.watermark()
	sp.HighWatermark, sp.LastStableOffset, sp.LogStartOffset = visible, visible, p.first()
	if sp.ErrorCode = p.refuse(rp.FetchOffset, rp.CurrentLeaderEpoch); sp.ErrorCode != 0 {
		f.refused = true
		return sp, nil
	}
	p.reached(rp.FetchOffset)
	if rp.FetchOffset >= visible {
		return sp, nil
	}
	return sp, f.fill(ctx, p, rp, visible, &sp)
}

// fill adds record batches from the offset on.
func (f *fetching) fill(ctx context.Context, p *partition, rp *kmsg.FetchRequestTopicPartition, visible int64, sp *kmsg.FetchResponseTopicPartition) error {
	at, room, to := rp.FetchOffset, int(rp.PartitionMaxBytes), body{}
	defer func() { f.enclose(to, sp) }()
	for ; at < visible && (f.sent == 0 || f.left > 0 && f.blocks < mostBlocks); f.blocks++ {
		s := p.stretchAt(at, visible)
		if f.sent >= enough && f.readAhead(p, s.at) {
			break
		}
		b, err := f.cache.get(ctx, p, s.at)
		if err != nil {
			return err
		}
		if b.err != nil {
			if at == rp.FetchOffset {
				f.unreadable(p, b.err, at, sp)
			}
			return nil
		}
		last := f.take(b, s, &room, &to)
		if last > b.hi {
			f.cache.finish(b)
		}
		next := s.served(last)
		if next == at {
			break
		}
		at = next
	}
	if at > rp.FetchOffset {
		f.last = append(f.last, delivery{p, at})
	}
	return nil
}

// unreadable answers that what is at an offset cannot be read: it is damaged, or was pruned.
func (f *fetching) unreadable(p *partition, err error, at int64, sp *kmsg.FetchResponseTopicPartition) {
	p.follow(err)
	if sp.LogStartOffset = p.first(); at < sp.LogStartOffset {
		sp.ErrorCode, f.refused = kerr.OffsetOutOfRange.Code, true
		return
	}
	sp.ErrorCode, f.damaged = readError(err), true
}

// take adds batches of a block for a stretch and returns the offset behind them. The first batch of an answer is sent whatever its size.
func (f *fetching) take(b *block, s stretch, room *int, to *body) int64 {
	for i := range b.batches {
		one := b.batches[i]
		if one.last < s.at || s.at >= s.until {
			continue
		}
		if one.last >= s.until {
			one = one.cut(s.at, s.until)
		}
		if f.sent > 0 && (len(one.raw) > *room || len(one.raw) > f.left) {
			return s.at
		}
		f.add(&one, &s, room, to)
	}
	if last := min(b.hi, s.until-1); s.at <= last {
		gap := marker(s.at, last) // no batch reaches so far
		f.add(&gap, &s, room, to)
	}
	return s.at
}

// enclose ends the answer of a partition with batches, if there are any.
func (f *fetching) enclose(b body, sp *kmsg.FetchResponseTopicPartition) {
	if b.size > 0 {
		sp.RecordBatches = f.standIn
		f.bodies = append(f.bodies, b)
	}
}

// enough is what an answer goes with at once while more is decoded for the next one.
const enough = batchBytes

// readAhead has the row group of an offset decoded while the client is busy with what it gets. It says whether the answer can do without: not when the row
// group is there, or would take the place of one that others read.
func (f *fetching) readAhead(p *partition, offset int64) bool {
	if f.cache.find(p, offset) != nil {
		return false
	}
	if !p.ahead.CompareAndSwap(false, true) {
		return true
	}
	room := f.cache.reserve()
	if room == 0 {
		p.ahead.Store(false)
		return false
	}
	f.running.Go(func() {
		defer p.ahead.Store(false)
		defer f.cache.release(room)
		f.cache.get(f.Server.ctx, p, offset) // what is wrong with it is said
	})
	return true
}

// add adds a batch, and begins the stretch behind it.
func (f *fetching) add(one *batch, s *stretch, room *int, to *body) {
	raw := one.raw
	if s.round > 0 {
		raw = slices.Clone(raw)
		s.move(raw)
	}
	to.batches, to.size = append(to.batches, raw), to.size+len(raw)
	*room -= len(one.raw)
	f.left -= len(one.raw)
	f.sent += len(one.raw)
	s.at = one.last + 1
}

// readError is what a client is told of what cannot be read. Of what is not there any more it is told as of what is damaged, because clients ask again
// for what a disk refuses, for ever.
func readError(err error) int16 {
	if errors.Is(err, format.ErrCorrupt) || errors.Is(err, fs.ErrNotExist) {
		return kerr.CorruptMessage.Code
	}
	return kerr.KafkaStorageError.Code
}

// refuse is why an offset cannot be fetched; 0: it can.
func (p *partition) refuse(offset int64, epoch int32) int16 {
	switch {
	case epoch >= 0 && p.epoch >= 0 && epoch < p.epoch:
		return kerr.FencedLeaderEpoch.Code
	case epoch >= 0 && p.epoch >= 0 && epoch > p.epoch:
		return kerr.UnknownLeaderEpoch.Code
	case offset < p.first() || offset > p.watermark():
		return kerr.OffsetOutOfRange.Code
	}
	return 0
}

// askOthers lets the embedded broker answer what is not archived, and waits so long for records.
func (f *fetching) askOthers(ctx context.Context, wait time.Duration) error {
	m := *f.request
	m.Topics = nil
	for _, t := range f.request.Topics {
		if f.topics.find(t.Topic, t.TopicID, m.Version >= 13) == nil {
			m.Topics = append(m.Topics, t)
		}
	}
	m.ForgottenTopics = nil
	m.SessionID, m.SessionEpoch = 0, -1
	m.MaxBytes = int32(max(f.left, 0))
	m.MaxWaitMillis = int32(max(wait, 0) / time.Millisecond)
	if wait <= 0 {
		m.MinBytes = 0
	}
	response, err := f.ask(ctx, &m)
	if err != nil {
		return err
	}
	answers := response.(*kmsg.FetchResponse)
	for _, t := range answers.Topics {
		for _, p := range t.Partitions {
			f.sent += len(p.RecordBatches)
		}
	}
	f.answers.ErrorCode = answers.ErrorCode
	f.answers.Brokers = answers.Brokers
	f.answers.Topics = append(f.answers.Topics, answers.Topics...)
	return nil
}
