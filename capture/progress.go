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
	Records        int64 // taken, whether sealed or not, but for those that were dropped
	Bytes          int64 // their canonical bytes
	Offsets        int64 // taken, with or without a record; those that are taken again do not count again
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
	Dropped        int64     // records that were taken and dropped
	DroppedBytes   int64     // their canonical bytes
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

// counter adds up the partitions of one topic.
type counter struct {
	mu         sync.Mutex
	sum        TopicProgress
	partitions map[int32]taken
}

// taken is what a run took of a partition, and did not drop, since it began: also before a group took the partition away and gave it back.
type taken struct {
	records, bytes int64
	reached        int64 // first offset that was never taken
}

func (p *progress) counter(topic string) *counter {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.topics[topic]
	if c == nil {
		c = &counter{sum: TopicProgress{Topic: topic}, partitions: map[int32]taken{}}
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
}

// set says what was taken of a partition by now, and not dropped. The lane that tells it began with it at an offset.
func (c *counter) set(partition int32, records, bytes, began, next int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.partitions[partition]
	c.sum.Records += records - was.records
	c.sum.Bytes += bytes - was.bytes
	known := max(was.reached, began)
	c.sum.Offsets += max(0, next-known)
	c.partitions[partition] = taken{records, bytes, max(next, known)}
}

// drop counts what was taken and is not sealed by this run.
func (c *counter) drop(records, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.Dropped += records
	c.sum.DroppedBytes += bytes
}

// done says that a partition is complete.
func (c *counter) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum.Done++
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
		sum.Dropped += t.Dropped
		sum.Topics = append(sum.Topics, t)
	}
	return sum
}

func (c *counter) now() TopicProgress {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sum
}
