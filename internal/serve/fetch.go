package serve

import (
	"context"
	"errors"
	"io/fs"
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
	request  *kmsg.FetchRequest
	answers  *kmsg.FetchResponse
	bodies   []body // what answers says of batches stands for these, in this order
	most     int64  // bytes of a whole answer
	large    bool   // a batch is larger than a small answer: this waits for room for a whole one
	left     int    // bytes that may still be sent
	giveBack func() // the room of the answer; nil: it has none
	sent     int
	blocks   int // that were read for the answer
	last     []delivery
	readings []*reading
	asked    []*partition // archived ones whose watermarks still rise
	others   bool
	refused  bool // a partition: that is said at once
	damaged  bool // what a partition has cannot be read: that is said soon
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
	f := &fetching{conn: c, request: m, most: int64(max(min(m.MaxBytes, largestAnswer), 0))}
	defer f.leaveRoom()
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
		if f.hurried && f.sent > smallAnswer {
			f.leaveRoom()
			f.large = true
			continue
		}
		left := time.Until(deadline)
		switch {
		case f.sent > 0 || f.refused || f.request.MinBytes <= 0:
			left = 0
		case f.damaged:
			left, deadline = min(left, breath), time.Time{}
		}
		if f.others {
			if err := f.askOthers(ctx); err != nil {
				return err
			}
		}
		if left <= 0 || f.sent > 0 || f.refused {
			return nil
		}
		f.leaveRoom() // others may have much to send meanwhile
		if f.others {
			if err := f.awaitOthers(ctx, f.patience(left)); err != nil {
				return err
			}
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
	if err := f.takeRoom(ctx); err != nil {
		return err
	}
	f.answers = f.request.ResponseKind().(*kmsg.FetchResponse)
	f.bodies, f.readings = f.bodies[:0], f.readings[:0]
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
		st.Partitions = make([]kmsg.FetchResponseTopicPartition, len(rt.Partitions))
		for j := range rt.Partitions {
			f.one(t.partition(rt.Partitions[j].Partition), &rt.Partitions[j], &st.Partitions[j])
		}
		f.answers.Topics = append(f.answers.Topics, st)
	}
	return f.read(ctx)
}

// one answers what is known of a partition without its records.
func (f *fetching) one(p *partition, rp *kmsg.FetchRequestTopicPartition, sp *kmsg.FetchResponseTopicPartition) {
	*sp = kmsg.NewFetchResponseTopicPartition()
	sp.Partition, sp.RecordBatches = rp.Partition, []byte{}
	if p == nil {
		sp.ErrorCode, f.refused = kerr.UnknownTopicOrPartition.Code, true
		return
	}
	if p.scheduled.Load() {
		f.asked = append(f.asked, p)
	}
	visible := p.watermark()
	sp.HighWatermark, sp.LastStableOffset, sp.LogStartOffset = visible, visible, p.first()
	if sp.ErrorCode = p.refuse(rp.FetchOffset, rp.CurrentLeaderEpoch); sp.ErrorCode != 0 {
		f.refused = true
		return
	}
	p.reached(rp.FetchOffset)
	if rp.FetchOffset < visible {
		f.readings = append(f.readings, &reading{partition: p, from: rp.FetchOffset, visible: visible, room: int(rp.PartitionMaxBytes), answer: sp})
	}
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

// askOthers lets the embedded broker answer what is not archived, with what there is.
func (f *fetching) askOthers(ctx context.Context) error {
	m := f.questionForOthers()
	m.MaxBytes, m.MaxWaitMillis, m.MinBytes = int32(max(f.left, 0)), 0, 0
	response, err := f.ask(ctx, m)
	if err != nil {
		return err
	}
	answers := response.(*kmsg.FetchResponse)
	for _, t := range answers.Topics {
		for _, p := range t.Partitions {
			f.sent += len(p.RecordBatches)
			f.refused = f.refused || p.ErrorCode != 0
		}
	}
	f.refused = f.refused || answers.ErrorCode != 0
	f.answers.ErrorCode = answers.ErrorCode
	f.answers.Brokers = answers.Brokers
	f.answers.Topics = append(f.answers.Topics, answers.Topics...)
	return nil
}

// awaitOthers returns when the embedded broker has records, of which it answers with as few as it can, or after a time.
func (f *fetching) awaitOthers(ctx context.Context, wait time.Duration) error {
	m := f.questionForOthers()
	m.MaxBytes, m.MaxWaitMillis, m.MinBytes = 1, int32(wait/time.Millisecond), 1
	_, err := f.ask(ctx, m)
	return err
}

// questionForOthers is what of the request the embedded broker answers.
func (f *fetching) questionForOthers() *kmsg.FetchRequest {
	m := *f.request
	m.Topics = nil
	for _, t := range f.request.Topics {
		if f.topics.find(t.Topic, t.TopicID, m.Version >= 13) == nil {
			m.Topics = append(m.Topics, t)
		}
	}
	m.ForgottenTopics = nil
	m.SessionID, m.SessionEpoch = 0, -1
	return &m
}
