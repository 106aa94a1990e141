package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/internal/kafka"
)

const (
	followWait   = 500 * time.Millisecond // how long a broker may collect records before it answers
	followBytes  = 64 << 10               // and how many: an archive is in no hurry, and small answers cost the broker
	snapshotWait = 100 * time.Millisecond // all is there, this only slows down asking for what is not
	busyWait     = 10 * time.Millisecond  // when a lane that is busy now will want a fetch soon
)

// aloneAfter is the number of empty fetches in a row after which a partition of a snapshot is asked for alone: then nothing else
// can have filled the answer, and empty means that the log has no record up to its end.
const aloneAfter = 2

// fetcher fetches from one broker.
type fetcher struct {
	source *source
	node   int32
	wake   chan struct{} // a lane may have room
	slots  chan struct{} // one for each response in flight or held by lanes
	turn   int           // rotates whose partition is asked for first
	idle   int           // answers in a row that came at once and brought nothing
}

// response counts the lanes that still hold a part of a fetch response, whose parts share memory.
type response struct {
	holders atomic.Int32
	slots   chan struct{}
}

func (r *response) release() {
	if r.holders.Add(-1) == 0 {
		<-r.slots
	}
}

// chunk is what a lane gets at once: a part of a fetch response, a gap, or only the news that there is nothing before next.
type chunk struct {
	part     *kmsg.FetchResponseTopicPartition // nil: none
	legacy   bool
	gap      *ledger.Gap // offsets that are lost
	next     int64       // first offset that it does not answer for
	response *response   // to be released; nil without part
}

func (b *fetcher) run(ctx context.Context) {
	for {
		select {
		case b.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		feeds, all := b.claim()
		for len(feeds) == 0 {
			select {
			case <-b.wake:
			case <-ctx.Done():
				return
			}
			feeds, all = b.claim()
		}
		b.fetch(ctx, feeds, all)
		if ctx.Err() != nil {
			return
		}
	}
}

// claim takes the lanes of this broker that have room, and says whether those are all. A partition that must be asked for alone comes
// alone.
func (b *fetcher) claim() (feeds []*feed, all bool) {
	b.source.mu.Lock()
	defer b.source.mu.Unlock()
	all = true
	for _, f := range b.source.order {
		switch {
		case f.leader.Node != b.node:
		case !f.room():
			all = false
		default:
			feeds = append(feeds, f)
		}
	}
	feeds = b.inTurn(feeds)
	for _, f := range feeds {
		f.busy = true
	}
	return feeds, all
}

// inTurn rotates feeds, so that none is always the one that fills the response, and keeps those apart that are to be asked for alone.
func (b *fetcher) inTurn(feeds []*feed) []*feed {
	if len(feeds) == 0 {
		return nil
	}
	b.turn++
	n := b.turn % len(feeds)
	turned := make([]*feed, 0, len(feeds))
	turned = append(append(turned, feeds[n:]...), feeds[:n]...)
	if turned[0].alone() {
		return turned[:1]
	}
	return slices.DeleteFunc(turned, (*feed).alone)
}

func (f *feed) alone() bool { return f.end != noEnd && f.empty >= aloneAfter }

// fetch asks for the partitions of feeds and hands out the answer.
func (b *fetcher) fetch(ctx context.Context, feeds []*feed, all bool) {
	req, topics := b.request(feeds, all)
	before, asked := b.source.reached(feeds), time.Now()
	defer func() { b.backOff(ctx, b.source.reached(feeds) > before || time.Since(asked) >= busyWait) }()
	got, err := b.source.cluster.Client().Broker(int(b.node)).Request(ctx, req)
	held := &response{slots: b.slots}
	held.holders.Store(1) // this function
	defer held.release()
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		b.source.failed(feeds, err)
		return
	}
	resp := got.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		b.source.failed(feeds, err)
		return
	}
	b.deliver(ctx, feeds, resp, topics, held)
}

// reached adds up how far feeds are.
func (s *source) reached(feeds []*feed) (sum int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range feeds {
		sum += f.at
	}
	return sum
}

// backOff keeps a broker that answers at once, with nothing new, from being asked again as fast as it answers. Brokers wait before they
// answer with nothing, so this is one that does not behave.
func (b *fetcher) backOff(ctx context.Context, helped bool) {
	if helped {
		b.idle = 0
		return
	}
	b.idle++
	kafka.Pause(ctx, min(time.Millisecond<<min(b.idle, 10), time.Second))
}

// request makes the fetch request, and returns the topics' names by id.
func (b *fetcher) request(feeds []*feed, all bool) (kmsg.Request, map[[16]byte]string) {
	s := b.source
	s.mu.Lock()
	defer s.mu.Unlock()
	req := kmsg.NewPtrFetchRequest() // its defaults ask for no fetch session
	req.IsolationLevel = s.settings.isolationLevel()
	req.MaxBytes = s.fetchMax
	req.MaxWaitMillis, req.MinBytes = s.patience(all)
	share := s.fetchMax / int32(min(len(feeds), 4))
	topics, named := map[[16]byte]string{}, false
	index := map[string]int{}
	for _, f := range feeds {
		i, ok := index[f.tp.Topic]
		if !ok {
			i = len(req.Topics)
			index[f.tp.Topic] = i
			t := kmsg.NewFetchRequestTopic()
			t.Topic, t.TopicID = f.tp.Topic, s.meta.Topics[f.tp.Topic].ID
			topics[t.TopicID] = t.Topic
			named = named || t.TopicID == [16]byte{}
			req.Topics = append(req.Topics, t)
		}
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.CurrentLeaderEpoch, p.PartitionMaxBytes = f.tp.Partition, f.at, f.leader.Epoch, share
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, p)
	}
	if named {
		return kafka.NamedFetch{FetchRequest: req}, nil
	}
	return req, topics
}

// patience is how long a broker may wait for how many bytes.
func (s *source) patience(all bool) (millis, bytes int32) {
	switch {
	case !all:
		return int32(busyWait.Milliseconds()), 1
	case s.settings.Follow:
		return int32(followWait.Milliseconds()), followBytes
	}
	return int32(snapshotWait.Milliseconds()), 1
}

// failed notes that a fetch as a whole did not work.
func (s *source) failed(feeds []*feed, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range feeds {
		f.busy = false
		s.unassign(f, err)
	}
}

func (b *fetcher) deliver(ctx context.Context, feeds []*feed, resp *kmsg.FetchResponse, topics map[[16]byte]string, held *response) {
	parts := map[format.TopicPartition]*kmsg.FetchResponseTopicPartition{}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if resp.Version >= 13 {
			t.Topic = topics[t.TopicID]
		}
		for j := range t.Partitions {
			parts[format.TopicPartition{Topic: t.Topic, Partition: t.Partitions[j].Partition}] = &t.Partitions[j]
		}
	}
	for _, f := range feeds {
		p, ok := parts[f.tp]
		if !ok {
			b.source.retry(f, errNoData)
			continue
		}
		b.source.receive(ctx, f, p, held)
	}
}

// retry gives a lane back after a fetch that did not help and should be tried again once the cluster was looked at.
func (s *source) retry(f *feed, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.busy = false
	s.unassign(f, err)
}

// receive hands a partition's part of a response to its lane.
func (s *source) receive(ctx context.Context, f *feed, p *kmsg.FetchResponseTopicPartition, held *response) {
	err := kerr.ErrorForCode(p.ErrorCode)
	switch {
	case errors.Is(err, kerr.OffsetOutOfRange):
		s.outOfRange(ctx, f)
		return
	case err != nil && kerr.IsRetriable(err):
		s.retry(f, err)
		return
	case err != nil:
		s.fatal(&PartitionError{f.tp, f.at, err})
		return
	}
	if s.settings.SkipCorrupt {
		good, next, ok := sound(p.RecordBatches, f.at)
		if !ok {
			s.skip(f, next)
			return
		}
		p.RecordBatches = good
	}
	found, err := scan(p.RecordBatches, f.at)
	if err != nil && found.next == f.at { // else what comes before is taken, and the next fetch begins with it
		s.leave(f, &PartitionError{f.tp, f.at, err})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.busy, f.high = false, s.fetchable(p)
	if found.next == f.at {
		s.nothing(f, p)
		return
	}
	p.RecordBatches = p.RecordBatches[:found.size]
	if found.epoch != format.NoLeaderEpoch {
		f.epoch, f.sure = found.epoch, found.next
	}
	held.holders.Add(1)
	s.hand(f, chunk{part: p, legacy: found.legacy, next: found.next, response: held})
}

// nothing handles a fetch that brought no whole batch. The caller holds mu.
func (s *source) nothing(f *feed, p *kmsg.FetchResponseTopicPartition) {
	if f.end == noEnd {
		s.progress(f)
		s.hold(f, p)
		return
	}
	if f.alone() && len(p.RecordBatches) == 0 && f.high >= f.end {
		// The leader serves the log beyond our end and has nothing before it: it was compacted or cleaned away.
		s.hand(f, chunk{next: f.end})
		return
	}
	f.empty++
	s.noProgress(f, errNoData)
}

// hold notes whether an open transaction is why there is nothing. The caller holds mu.
func (s *source) hold(f *feed, p *kmsg.FetchResponseTopicPartition) {
	stable := p.LastStableOffset
	switch {
	case s.settings.isolationLevel() != 1 || stable < 0 || f.at < stable || p.HighWatermark <= stable:
		f.held = time.Time{}
		return
	case f.held.IsZero():
		f.held = time.Now()
	}
	f.behind = p.HighWatermark - f.at
}

// fetchable is the end of what a partition has to fetch.
func (s *source) fetchable(p *kmsg.FetchResponseTopicPartition) int64 {
	if s.settings.isolationLevel() == 1 {
		return p.LastStableOffset
	}
	return p.HighWatermark
}

// progress ends a row of attempts without it. The caller holds mu.
func (s *source) progress(f *feed) {
	f.since, f.cause, f.empty = time.Time{}, nil, 0
}

// hand gives a lane a chunk; after its last one the lane is no longer fed. The caller holds mu.
func (s *source) hand(f *feed, c chunk) {
	if f.dropped {
		c.drop()
		return
	}
	if f.end != noEnd {
		c.next = min(c.next, f.end)
	}
	s.progress(f)
	f.held = time.Time{}
	f.at = c.next
	f.inbox <- c
	if f.at == f.end {
		close(f.inbox)
		s.remove(f)
	}
}

// outOfRange finds out what an offset that the log does not have means: retention passed us, or the log was truncated.
func (s *source) outOfRange(ctx context.Context, f *feed) {
	found, err := s.cluster.within(briefly).logOffsets(ctx, []format.TopicPartition{f.tp}, false)
	if err != nil {
		s.retry(f, err)
		return
	}
	log := found[f.tp]
	switch {
	case f.at < log.start:
		s.mu.Lock()
		defer s.mu.Unlock()
		f.busy = false
		until := log.start
		if f.end != noEnd {
			until = min(until, f.end)
		}
		s.hand(f, chunk{gap: &ledger.Gap{From: f.at, Until: until, Reason: ledger.Retention}, next: until})
	case f.at > log.high:
		s.fatal(&TruncatedError{Partition: f.tp, Next: f.at, LogEnd: log.high})
	default:
		s.retry(f, fmt.Errorf("%w, though the log has it", kerr.OffsetOutOfRange))
	}
}
