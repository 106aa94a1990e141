package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/selection"
)

const (
	refreshInterval = 5 * time.Second        // how often topics and leaders are looked at when nothing is wrong
	refreshPause    = 250 * time.Millisecond // between two looks when something is
	missingGrace    = 5 * time.Second        // a broker that just started may not know a topic yet

	heldResponses = 3        // fetch responses of one broker that lanes may hold while another one is asked for
	fetchMemory   = 48 << 20 // bound for all of them together
)

var (
	errNoLeader = errors.New("the partition has no leader")
	errNoData   = errors.New("its leader sends nothing, though the log goes on")
)

// source feeds lanes from the leaders of their partitions. It fetches by itself, with one request at a time to each broker, for the
// lanes that have room: a lane that is busy is not asked for, and what its broker sends for the others does not wait in memory. The
// client's consumer would do the fetching too, but not tell about batches without records, which a snapshot needs to find
// its end, and it answers truncated logs by going back.
//
// Its methods are safe for concurrent use.
type source struct {
	cluster    *cluster
	settings   *settings
	fetchMax   int32
	fatal      func(error)           // ends the capture; may be called more than once
	unreadable func(error)           // is told why a partition is left
	seen       func(*kafka.Metadata) // is told about every fresh look at the cluster

	ctx      context.Context // of the fetchers
	fetchers sync.WaitGroup
	stale    chan struct{} // asks for a fresh look

	mu      sync.Mutex // guards what follows and all feeds
	meta    *kafka.Metadata
	feeds   map[format.TopicPartition]*feed
	order   []*feed // the same, by age
	brokers map[int32]*fetcher
	missing map[string]time.Time // topics that are gone, since when
	stopped bool
}

// feed is the source's side of a lane.
type feed struct {
	tp     format.TopicPartition
	end    int64
	inbox  chan<- chunk // holds one chunk; closed when nothing more comes
	at     int64        // next offset to fetch
	high   int64        // the end of what the log had to fetch, when it was asked last
	epoch  int32        // leader epoch of the last batch
	sure   int64        // first offset after it
	leader kafka.Leader // node -1: to be found out
	busy   bool         // it is part of a fetch
	empty  int          // fetches in a row that brought nothing
	since  time.Time    // of the first attempt in a row without progress
	cause  error        // of the last of them
	held   time.Time    // since when an open transaction holds back what comes at at; zero: none does
	behind int64        // offsets that it holds back

	dropped bool // its lane takes nothing more
}

// room says whether another chunk may be fetched. The lane's inbox then stays empty until the chunk is there: only the source fills it.
func (f *feed) room() bool { return !f.busy && len(f.inbox) == 0 }

// newSource makes a source that feeds until ctx ends.
func newSource(ctx context.Context, c *cluster, m *kafka.Metadata, s *settings) *source {
	limit := fetchMemory / (heldResponses + 1) / max(m.Brokers, 1)
	return &source{
		ctx: ctx, cluster: c, settings: s, meta: m, fetchMax: min(s.FetchBytes, max(int32(limit), 256<<10)),
		stale: make(chan struct{}, 1), feeds: map[format.TopicPartition]*feed{}, brokers: map[int32]*fetcher{}, missing: map[string]time.Time{},
	}
}

// run feeds lanes until the context ends, and then closes the inboxes of those that are left.
func (s *source) run() {
	s.watch(s.ctx)
	s.mu.Lock()
	s.stopped = true // no fetcher is started any more
	s.mu.Unlock()
	s.fetchers.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.order {
		close(f.inbox)
	}
}

// add begins to feed a lane with what w says. The inbox must have room for one chunk; it is closed after the last one, or
// when the source ends.
func (s *source) add(w work, inbox chan<- chunk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		close(inbox)
		return
	}
	f := &feed{tp: w.tp, end: w.end, inbox: inbox, at: w.from, epoch: w.epoch, sure: w.sure, leader: kafka.Leader{Node: -1, Epoch: -1}}
	s.feeds[w.tp] = f
	s.order = append(s.order, f)
	s.assign(f, s.meta)
}

// remove forgets a lane that has all it wants, and not another one of the partition. The caller holds mu.
func (s *source) remove(f *feed) {
	if s.feeds[f.tp] == f {
		delete(s.feeds, f.tp)
	}
	s.order = slices.DeleteFunc(s.order, func(other *feed) bool { return other == f })
}

// ready tells that a lane took a chunk out of its inbox.
func (s *source) ready(tp format.TopicPartition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.feeds[tp]; f != nil {
		s.wake(f.leader.Node)
	}
}

func (s *source) wake(node int32) {
	if b := s.brokers[node]; b != nil {
		signal(b.wake)
	}
}

// assign gives f to the broker that leads its partition. The caller holds mu.
func (s *source) assign(f *feed, m *kafka.Metadata) {
	l, ok := m.Topics[f.tp.Topic].Partitions[f.tp.Partition]
	if !ok || l.Node < 0 {
		s.unassign(f, errNoLeader)
		return
	}
	f.leader = l
	if s.brokers[l.Node] == nil && !s.stopped {
		b := &fetcher{source: s, node: l.Node, wake: make(chan struct{}, 1), slots: make(chan struct{}, heldResponses+1)}
		s.brokers[l.Node] = b
		s.fetchers.Go(func() { b.run(s.ctx) })
	}
	s.wake(l.Node)
}

// unassign takes f from its broker until the cluster was looked at again. The caller holds mu.
func (s *source) unassign(f *feed, why error) {
	f.leader.Node = -1
	s.noProgress(f, why)
	signal(s.stale)
}

// noProgress counts an attempt that did not help; too long a row of them ends the capture. The caller holds mu.
func (s *source) noProgress(f *feed, why error) {
	f.cause = why
	if f.since.IsZero() {
		f.since = time.Now()
	}
	if d := time.Since(f.since); d >= s.settings.StallTimeout {
		s.fatal(f.stalled(d))
	}
}

// trouble is why the lane that has waited longest makes no progress; nil when none has waited for a second. An open transaction is told
// after StallTimeout: it is the cluster's business, and most end soon.
func (s *source) trouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var worst *feed
	for _, f := range s.order {
		if !f.since.IsZero() && (worst == nil || f.since.Before(worst.since)) {
			worst = f
		}
	}
	if worst == nil || time.Since(worst.since) < time.Second {
		if held := s.heldBack(); len(held) > 0 {
			return held[0]
		}
		return nil
	}
	return worst.stalled(time.Since(worst.since))
}

// heldError says that nothing can be read before a transaction ends.
type heldError struct {
	partition format.TopicPartition
	offset    int64
	behind    int64
	since     time.Duration
}

func (e *heldError) Error() string {
	return fmt.Sprintf("%s waits at offset %d for %s: an open transaction holds back %d offsets", e.partition, e.offset, e.since.Round(time.Second), e.behind)
}

// heldBack are the lanes of a follow capture that have waited for a transaction to end for as long as others may make no progress. The
// caller holds mu.
func (s *source) heldBack() []*heldError {
	var all []*heldError
	for _, f := range s.order {
		if d := time.Since(f.held); !f.held.IsZero() && d >= s.settings.StallTimeout {
			all = append(all, &heldError{f.tp, f.at, f.behind, d})
		}
	}
	return all
}

// warnings names what held the capture back until its end.
func (s *source) warnings() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.heldBack() {
		all = append(all, e.Error())
	}
	return all
}

// lag is what was not fetched yet.
type lag struct {
	offsets    int64
	partitions int // that have some
}

// behind is how many offsets the log has beyond what was fetched, by topic. What a snapshot does not take is not counted.
func (s *source) behind() map[string]lag {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]lag{}
	for _, f := range s.order {
		end := f.high
		if f.end != noEnd {
			end = min(end, f.end)
		}
		if end > f.at {
			sum := out[f.tp.Topic]
			out[f.tp.Topic] = lag{sum.offsets + end - f.at, sum.partitions + 1}
		}
	}
	return out
}

// watch looks at the cluster now and then, and when asked to.
func (s *source) watch(ctx context.Context) {
	tick := time.NewTicker(refreshInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.stale:
			if kafka.Pause(ctx, refreshPause) != nil {
				return
			}
		}
		s.look(ctx)
	}
}

// look asks for topics and leaders, and moves lanes to where they are served now.
func (s *source) look(ctx context.Context) {
	m, err := s.refresh(ctx)
	s.mu.Lock()
	moved := map[format.TopicPartition]reached{}
	if err == nil {
		err = s.compare(m, moved)
	}
	s.mu.Unlock()
	if err == nil {
		err = s.cluster.within(briefly).checkEpochs(ctx, moved)
	}
	if ctx.Err() != nil {
		return
	}
	if isFinal(err) {
		s.fatal(err)
		return
	}
	s.settle(m, err)
	if err == nil {
		s.seen(m)
	}
}

func (s *source) refresh(ctx context.Context) (*kafka.Metadata, error) {
	return s.cluster.Describe(ctx, s.asked())
}

// asked names the topics to look at; nil is all. A follow capture with globs looks out for new ones.
func (s *source) asked() []string {
	if s.settings.Follow && slices.ContainsFunc(s.settings.Topics, selection.IsGlob) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return topicsOf(sortedPartitions(s.feeds))
}

// compare notices topics that are gone or another one now, and collects the lanes whose leader changed, which is when a log can be
// truncated. The caller holds mu.
func (s *source) compare(m *kafka.Metadata, moved map[format.TopicPartition]reached) error {
	for _, f := range s.order {
		tp := f.tp
		was, now := s.meta.Topics[tp.Topic], m.Topics[tp.Topic]
		if kafka.IsUnknownTopic(now.Err) || now.Partitions == nil {
			since, ok := s.missing[tp.Topic]
			if !ok {
				s.missing[tp.Topic] = time.Now()
			} else if time.Since(since) >= missingGrace {
				return missingTopic(tp.Topic)
			}
			signal(s.stale)
			continue
		}
		delete(s.missing, tp.Topic)
		if now.Err != nil && !kerr.IsRetriable(now.Err) {
			return &PartitionError{tp, f.at, now.Err}
		}
		if now.Err == nil && now.ID != was.ID {
			return &RecreatedTopicError{Topic: tp.Topic, Archive: was.IDString(), Cluster: now.IDString()}
		}
		if l := now.Partitions[tp.Partition]; f.leader.Epoch >= 0 && l.Epoch > f.leader.Epoch {
			moved[tp] = reached{next: f.at, epoch: f.epoch, sure: f.sure}
		}
	}
	return nil
}

// learn keeps what m tells of topics that were not known.
func (s *source) learn(m *kafka.Metadata) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, t := range m.Topics {
		if _, known := s.meta.Topics[name]; !known && t.Err == nil {
			s.meta.Topics[name] = t
		}
	}
}

// knows says whether the cluster had a partition when it was looked at last.
func (s *source) knows(tp format.TopicPartition) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.meta.Topics[tp.Topic].Partitions[tp.Partition]
	return ok
}

// settle assigns the lanes that wait for it, or notes why that is not possible.
func (s *source) settle(m *kafka.Metadata, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.order {
		switch {
		case err != nil && f.leader.Node < 0:
			s.unassign(f, err)
		case err != nil:
		case m.Topics[f.tp.Topic].Err != nil:
			s.unassign(f, m.Topics[f.tp.Topic].Err)
		default:
			s.assign(f, m)
		}
	}
	if err == nil {
		s.merge(m)
	}
}

// merge keeps what m tells of topics that are all right. The caller holds mu.
func (s *source) merge(m *kafka.Metadata) {
	for name, t := range m.Topics {
		if t.Err == nil {
			s.meta.Topics[name] = t
		}
	}
}

// signal wakes the reader of a channel with room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
