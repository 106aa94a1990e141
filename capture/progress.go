package capture

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/karchive/karchive/capture/group"
)

const progressInterval = 200 * time.Millisecond

// Progress is how far a capture is. The receiver may keep it.
type Progress struct {
	Elapsed        time.Duration
	Records        int64 // taken, whether sealed or not
	Bytes          int64 // their canonical bytes
	Offsets        int64 // taken, with or without a record
	PlannedOffsets int64 // that a snapshot will take; 0 in a follow capture
	Partitions     int
	Done           int   // partitions that are complete
	Segments       int64 // sealed by this run
	Sealed         int64 // records in them
	Topics         []TopicProgress
	Overtaken      int           // segments that were dropped because another capture sealed them first
	Dropped        int64         // records that were taken and dropped, in those segments and in partitions that were lost
	Handed         *group.Handed // partitions that a Member got and gave up; nil: the capture is none
	Trouble        string        // why some partition makes no progress now, or none any more; empty: all do
}

// TopicProgress is the part of one topic.
type TopicProgress struct {
	Topic          string
	Records        int64
	Bytes          int64
	Offsets        int64
	PlannedOffsets int64
	Lag            int64 // offsets that the log has, when it was asked last, and that were not fetched yet
	LagPartitions  int   // that have such offsets
	Partitions     int
	Done           int
	Segments       int64     // sealed by this run
	Sealed         int64     // records in them
	LastSeal       time.Time // zero: none was sealed
}

// LagBytes estimates the canonical bytes of Lag by what the offsets taken so far had. Ok is false while none was taken and some are behind.
func (t *TopicProgress) LagBytes() (bytes int64, ok bool) {
	if t.Lag == 0 || t.Offsets == 0 {
		return 0, t.Lag == 0
	}
	return int64(float64(t.Lag) * float64(t.Bytes) / float64(t.Offsets)), true
}

// progress collects what the lanes report. It is safe for concurrent use.
type progress struct {
	begun time.Time

	mu     sync.Mutex
	topics map[string]*counter
}

func newProgress() *progress { return &progress{begun: time.Now(), topics: map[string]*counter{}} }

// counter adds up the lanes of one topic.
type counter struct {
	mu    sync.Mutex
	sum   TopicProgress
	lanes map[*lane]TopicProgress
}

func (p *progress) counter(topic string) *counter {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.topics[topic]
	if c == nil {
		c = &counter{sum: TopicProgress{Topic: topic}, lanes: map[*lane]TopicProgress{}}
		p.topics[topic] = c
	}
	return c
}

// plan counts a partition that is to be captured.
func (p *progress) plan(w work) {
	c := p.counter(w.tp.Topic)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.Partitions++
	if w.done() {
		c.sum.Done++
	} else if w.end != noEnd {
		c.sum.PlannedOffsets += w.end - w.from
	}
}

// leave takes back that a partition is captured.
func (p *progress) leave(w work) {
	c := p.counter(w.tp.Topic)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.Partitions--
	for l := range c.lanes {
		if l.tenure == w.tenure {
			delete(c.lanes, l)
		}
	}
}

// set says what a lane has taken so far.
func (c *counter) set(l *lane, records, bytes, offsets int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.lanes[l]
	c.sum.Records += records - was.Records
	c.sum.Bytes += bytes - was.Bytes
	c.sum.Offsets += offsets - was.Offsets
	c.lanes[l] = TopicProgress{Records: records, Bytes: bytes, Offsets: offsets}
}

// done says that a lane is complete.
func (c *counter) done(l *lane) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.lanes, l)
	c.sum.Done++
}

// hand gives what a lane counted to the one that takes its place.
func (c *counter) hand(from, to *lane) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lanes[to] = c.lanes[from]
	delete(c.lanes, from)
}

// seal counts a sealed segment.
func (c *counter) seal(records int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.Segments++
	c.sum.Sealed += records
	c.sum.LastSeal = time.Now()
}

// now adds everything up.
func (p *progress) now() Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := Progress{Elapsed: time.Since(p.begun)}
	for _, topic := range slices.Sorted(maps.Keys(p.topics)) {
		t := p.topics[topic].now()
		sum.Records += t.Records
		sum.Bytes += t.Bytes
		sum.Offsets += t.Offsets
		sum.PlannedOffsets += t.PlannedOffsets
		sum.Partitions += t.Partitions
		sum.Done += t.Done
		sum.Segments += t.Segments
		sum.Sealed += t.Sealed
		sum.Topics = append(sum.Topics, t)
	}
	return sum
}

func (c *counter) now() TopicProgress {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sum
}
