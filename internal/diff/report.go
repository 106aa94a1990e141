package diff

import (
	"cmp"
	"maps"
	"slices"

	"github.com/karchive/karchive/format"
)

// Report counts what a comparison found.
type Report struct {
	Pair    Pairing `json:"pair"`
	Stopped bool    `json:"stopped,omitempty"` // at Options.Limit: what follows was not compared, and is not counted
	Counts
	Paths      []PathCount      `json:"paths"`      // that differ, those of most records first
	Partitions []PartitionCount `json:"partitions"` // by topic and number of the first side, or of the second where the first has none
	Decoded    [2]Decoded       `json:"decoded"`    // of each side

	paths      map[string]int64
	partitions map[format.TopicPartition]*PartitionCount
}

// Counts are pairs of records, and records without their like.
type Counts struct {
	Equal      int64 `json:"equal"`
	Changed    int64 `json:"changed"`
	OnlyA      int64 `json:"only_a"`
	OnlyB      int64 `json:"only_b"`
	OutOfOrder int64 `json:"out_of_order"` // equal, but not in the order of the first side; not part of Equal
}

// Equals says whether nothing differs.
func (c *Counts) Equals() bool { return c.Differences() == 0 }

// Differences is all but the equal pairs.
func (c *Counts) Differences() int64 { return c.Changed + c.OnlyA + c.OnlyB + c.OutOfOrder }

// PathCount is how many records differ at a path.
type PathCount struct {
	Path    string `json:"path"`
	Records int64  `json:"records"`
}

// PartitionCount is what differs in a partition.
type PartitionCount struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Counts
}

// Decoded is how much of a side was decoded, of how much there is. The rest was compared by its digests.
type Decoded struct {
	Groups    int64 `json:"row_groups"`
	OfGroups  int64 `json:"of_row_groups"`
	OfRecords int64 `json:"of_records"` // at most: where a selection cuts through a row group, all of it is counted
}

func newReport(p Pairing) *Report {
	return &Report{Pair: p, Paths: []PathCount{}, Partitions: []PartitionCount{}, paths: map[string]int64{}, partitions: map[format.TopicPartition]*PartitionCount{}}
}

func (r *Report) of(topic string, partition int32) *Counts {
	tp := format.TopicPartition{Topic: topic, Partition: partition}
	p := r.partitions[tp]
	if p == nil {
		p = &PartitionCount{Topic: topic, Partition: partition}
		r.partitions[tp] = p
	}
	return &p.Counts
}

func (r *Report) equal(topic string, partition int32, n int64) {
	r.Equal += n
	r.of(topic, partition).Equal += n
}

func (r *Report) add(d *Difference) {
	at := cmp.Or(d.A, d.B)
	for _, c := range []*Counts{&r.Counts, r.of(d.Topic, at.Partition)} {
		switch d.Kind {
		case Changed:
			c.Changed++
		case OnlyA:
			c.OnlyA++
		case OnlyB:
			c.OnlyB++
		case OutOfOrder:
			c.OutOfOrder++
		}
	}
	for i, change := range d.Changes {
		if !slices.ContainsFunc(d.Changes[:i], func(c Change) bool { return c.general == change.general }) {
			r.countPath(change.general)
		}
	}
}

// maxPaths bounds what is counted apart: names in payloads may be anything.
const maxPaths = 10_000

// OtherPaths stands in Report.Paths for the records that differ where no more paths were counted apart.
const OtherPaths = "…"

func (r *Report) countPath(path string) {
	if _, known := r.paths[path]; !known && len(r.paths) >= maxPaths {
		path = OtherPaths
	}
	r.paths[path]++
}

// sort makes the lists of the report.
func (r *Report) sort() {
	for path, n := range r.paths {
		r.Paths = append(r.Paths, PathCount{path, n})
	}
	slices.SortFunc(r.Paths, func(a, b PathCount) int {
		return cmp.Or(cmp.Compare(b.Records, a.Records), cmp.Compare(a.Path, b.Path))
	})
	for _, tp := range slices.SortedFunc(maps.Keys(r.partitions), format.TopicPartition.Compare) {
		r.Partitions = append(r.Partitions, *r.partitions[tp])
	}
}
