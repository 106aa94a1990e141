// Package pruning chooses which old segments of an archive go. It reads the documents of all segments, and removes nothing: format.Archive.Prune
// does.
package pruning

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/moment"
)

// Policy says what is kept. Exactly one of its fields is set.
type Policy struct {
	Since time.Time // records from this moment on
	Bytes int64     // of segment files, in all of the archive; 0: Since counts
}

// Cut is what goes of one partition: the segments that cover [From, Until).
type Cut struct {
	format.TopicPartition
	From, Until int64
	Segments    int
	Records     int64
	DiskBytes   int64
	NewestMs    int64 // of the timestamps of its records; format.NoTimestamp: it has none
}

// Plan is what goes, by topic and partition, and what stays.
type Plan struct {
	Cuts          []Cut
	Segments      int // that stay
	DiskBytes     int64
	OnlyNewest    bool // the limit of bytes is not met, because the newest segment of each partition stays
	UntimedStayed bool // segments stay whose records do not tell how old they are

	cutOf map[format.TopicPartition]int // in Cuts, until they are sorted
}

// Until is what format.Archive.Prune takes.
func (p *Plan) Until() map[format.TopicPartition]int64 {
	until := make(map[format.TopicPartition]int64, len(p.Cuts))
	for _, c := range p.Cuts {
		until[c.TopicPartition] = c.Until
	}
	return until
}

// segment is one that may go, with all before it in its partition.
type segment struct {
	format.Segment
	next      int64
	records   int64
	newestMs  int64 // of it and those before it; noTime: no record tells
	knownTime bool  // of all its records, and of those before it
}

const noTime = math.MinInt64

// Choose chooses. An archive of which a document cannot be read, or whose segments do not adjoin, is an error: nothing is to go then.
func Choose(a *format.Archive, p Policy) (*Plan, error) {
	a.IgnoreCatalog()                                             // what is removed is removed for good
	if _, err := a.Completeness(format.Selection{}); err != nil { // reads all documents, many at a time where that is quicker
		return nil, err
	}
	plan := &Plan{cutOf: map[format.TopicPartition]int{}}
	var all []segment // that may go
	for _, tp := range a.Partitions() {
		list, err := timeline(a, tp)
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			plan.Segments, plan.DiskBytes = plan.Segments+1, plan.DiskBytes+s.Size
		}
		all = append(all, list[:len(list)-1]...)
	}
	if p.Bytes > 0 {
		plan.keepBytes(all, p.Bytes)
	} else {
		plan.keepSince(all, p.Since.UnixMilli())
	}
	return plan, nil
}

// timeline is a partition, with what is known of the age of its segments.
func timeline(a *format.Archive, tp format.TopicPartition) ([]segment, error) {
	newest, known := int64(noTime), true
	var out []segment
	for _, s := range a.Segments(tp) {
		d, err := a.Document(s)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", s.Path, err)
		}
		for i := range d.Groups {
			g := &d.Groups[i]
			known = known && moment.Counts(g.MinTimestampMs)
			newest = max(newest, g.MaxTimestampMs)
		}
		out = append(out, segment{s, d.NextOffset, d.Records, newest, known})
	}
	return out, nil
}

// keepSince takes the segments whose records are all older, up to the first one that is not. Segments without a record go with those behind them.
func (p *Plan) keepSince(all []segment, sinceMs int64) {
	var waiting []segment
	for i, s := range all {
		if i > 0 && all[i-1].TopicPartition != s.TopicPartition {
			waiting = nil
		}
		switch {
		case !s.knownTime:
			p.UntimedStayed = true
		case s.records == 0:
			waiting = append(waiting, s)
		case s.newestMs < sinceMs:
			for _, w := range append(waiting, s) {
				p.take(w)
			}
			waiting = nil
		}
	}
}

// keepBytes takes the oldest segments until what stays is no more than a limit.
func (p *Plan) keepBytes(all []segment, limit int64) {
	oldest := slices.Clone(all)
	slices.SortStableFunc(oldest, func(a, b segment) int { // which keeps the order of a partition, where newestMs never falls
		return cmp.Compare(a.newestMs, b.newestMs)
	})
	for _, s := range oldest {
		if p.DiskBytes <= limit {
			break
		}
		p.take(s)
	}
	p.OnlyNewest = p.DiskBytes > limit
	slices.SortFunc(p.Cuts, func(a, b Cut) int { return a.TopicPartition.Compare(b.TopicPartition) })
}

// take takes the next segment of a partition.
func (p *Plan) take(s segment) {
	i, there := p.cutOf[s.TopicPartition]
	if !there {
		i = len(p.Cuts)
		p.cutOf[s.TopicPartition] = i
		p.Cuts = append(p.Cuts, Cut{TopicPartition: s.TopicPartition, From: s.Base})
	}
	c := &p.Cuts[i]
	c.Until, c.NewestMs = s.next, format.NoTimestamp
	if s.newestMs != noTime {
		c.NewestMs = s.newestMs
	}
	c.Segments++
	c.Records += s.records
	c.DiskBytes += s.Size
	p.Segments--
	p.DiskBytes -= s.Size
}
