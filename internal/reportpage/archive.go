package reportpage

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/units"
)

// WriteArchive writes the page of an archive, as it was named. It reads all documents, and decodes a sample of row groups for the sizes of
// keys and values. Errors are those of reading the archive, that of ctx, and w's.
func WriteArchive(ctx context.Context, w io.Writer, name string, a *format.Archive) error {
	v := &archiveView{Name: name, Identity: a.Identity(), axis: newTimeAxis()}
	steps := []func(*format.Archive) error{v.addPartitions, v.stretch, v.addTimes, v.addState, func(a *format.Archive) error { return v.sample(ctx, a) }}
	for _, step := range steps {
		if err := step(a); err != nil {
			return err
		}
	}
	v.spell()
	if err := fill(w, "archive.html", v); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// archiveView is what the page shows.
type archiveView struct {
	Name     string
	Identity format.Identity
	Good     bool
	Verdict  string
	Tiles    []tile
	Topics   []*topicView
	From, To string // of all records; empty: no timestamps
	Short    []format.Shortfall
	Sizes    []sizeView // of keys, of values
	Sampled  string
	Plan     string

	axis  timeAxis
	total format.Coverage
	count int // of partitions
}

// topicView is a topic of the page.
type topicView struct {
	Name       string
	Records    int64
	Bytes      int64
	Bars       []timeBar
	Partitions []partitionView
	More       int // partitions without a row
	Configs    map[string]string
	Codecs     origin.Codecs // of the source's batches

	records, bytes [timeCells]float64
	most           int64 // records of a partition
}

// shownPartitions is how many partitions of a topic have a row.
const shownPartitions = 64

// timeBar is a part of the time.
type timeBar struct {
	X, Y, Height string
	Title        string
}

// partitionView is a partition: its share of the topic, and where on its line of offsets nothing is.
type partitionView struct {
	format.TopicPartition
	format.Coverage
	Share  string // of the largest, percent
	Gaps   []gapView
	Counts string
}

// gapView is a gap on the line of offsets.
type gapView struct{ Reason, Left, Width, Title string }

// Before is the last offset before next.
func (*archiveView) Before(next int64) int64 { return next - 1 }

// addPartitions adds the coverage of every partition.
func (v *archiveView) addPartitions(a *format.Archive) error {
	for _, tp := range a.Partitions() {
		c, err := a.Coverage(tp)
		if err != nil {
			return err
		}
		t := v.topic(tp.Topic)
		t.Records += c.Records
		t.Bytes += c.Bytes
		t.most = max(t.most, c.Records)
		t.Partitions = append(t.Partitions, partitionView{TopicPartition: tp, Coverage: c, Gaps: gapsOf(&c), Counts: ledgerText(&c.Ledger)})
		v.total.Records += c.Records
		v.total.Bytes += c.Bytes
		v.total.DiskBytes += c.DiskBytes
		v.total.Segments += c.Segments
		v.total.Ledger.AddCounts(&c.Ledger)
		v.count++
	}
	return nil
}

func (v *archiveView) topic(name string) *topicView {
	if n := len(v.Topics); n > 0 && v.Topics[n-1].Name == name { // partitions come by topic
		return v.Topics[n-1]
	}
	t := &topicView{Name: name}
	for _, described := range v.Identity.Topics {
		if described.Name == name {
			t.Configs, t.Codecs = described.Configs, described.Codecs
		}
	}
	v.Topics = append(v.Topics, t)
	return t
}

// find returns a topic that is there.
func (v *archiveView) find(name string) *topicView {
	i, _ := slices.BinarySearchFunc(v.Topics, name, func(t *topicView, name string) int { return cmp.Compare(t.Name, name) })
	return v.Topics[i]
}

// gapsOf places the ranges of a ledger on the line of offsets. A gap that is too narrow to be seen is drawn as wide as can be.
func gapsOf(c *format.Coverage) []gapView {
	var gaps []gapView
	span := float64(c.Next - c.From)
	for _, g := range c.Ledger.Ranges {
		wide := max(100*float64(g.Until-g.From)/span, 0.4)
		left := min(100*float64(g.From-c.From)/span, 100-wide)
		gaps = append(gaps, gapView{string(g.Reason), number(left), fmt.Sprintf("%.2f", wide), fmt.Sprintf("%s: offsets %d to %d", g.Reason, g.From, g.Until-1)})
	}
	return gaps
}

// withoutRecord is how many offsets a ledger counts.
func withoutRecord(l *ledger.Ledger) (n int64) {
	for _, count := range l.All() {
		n += count
	}
	return n
}

func ledgerText(l *ledger.Ledger) string {
	text := ""
	for r, n := range l.All() {
		if n > 0 {
			text += ", " + units.Count(n) + " " + string(r)
		}
	}
	if text == "" {
		return "none"
	}
	return text[2:]
}

// stretch makes the axis reach over the times of all row groups.
func (v *archiveView) stretch(a *format.Archive) error {
	for p, err := range a.Places(format.Selection{}) {
		if err != nil {
			return err
		}
		v.axis.reach(p.Group().MinTimestampMs, p.Group().MaxTimestampMs)
	}
	return nil
}

// addTimes lays the records of each row group evenly over its time.
func (v *archiveView) addTimes(a *format.Archive) error {
	for p, err := range a.Places(format.Selection{}) {
		if err != nil {
			return err
		}
		g := p.Group()
		t := v.find(p.Segment.Topic)
		first, last := v.axis.cell(g.MinTimestampMs), v.axis.cell(g.MaxTimestampMs)
		for i := first; i <= last; i++ {
			t.records[i] += float64(g.Records) / float64(last-first+1)
			t.bytes[i] += float64(g.Bytes) / float64(last-first+1)
		}
	}
	return nil
}

// addState says whether the archive is complete.
func (v *archiveView) addState(a *format.Archive) error {
	c, err := a.Completeness(format.Selection{})
	if err != nil {
		return err
	}
	v.Short = c.Short
	switch lost := v.total.Ledger.Lost(); {
	case !c.Complete():
		v.Verdict = "not complete: " + units.Of(int64(len(c.Short)), "range") + " of the plan missing"
	case lost > 0:
		v.Verdict = "complete, " + units.Of(lost, "offset") + " lost"
	case c.OpenEnd:
		v.Good, v.Verdict = true, "complete as far as it goes: it was captured until it was stopped"
	default:
		v.Good, v.Verdict = true, "complete"
	}
	return nil
}

// spell makes texts and places of what was counted.
func (v *archiveView) spell() {
	v.Tiles = []tile{
		{"records", units.Count(v.total.Records), units.Size(v.total.Bytes)},
		{"on disk", units.Size(v.total.DiskBytes), units.Of(int64(v.total.Segments), "segment") + ", " + string(v.Identity.Encoding)},
		{"topics", units.Count(int64(len(v.Topics))), units.Of(int64(v.count), "partition")},
		{"without a record", units.Count(withoutRecord(&v.total.Ledger)), ledgerText(&v.total.Ledger)},
	}
	v.From, v.To = v.axis.ends()
	if p := v.Identity.Capture; p != nil {
		v.Plan = fmt.Sprintf("%s, %s, from %s until %s", p.Mode, p.Isolation, p.From, cmp.Or(p.Until, "end"))
	}
	for _, t := range v.Topics {
		t.spell(v)
	}
}

// The size of a drawing of records over time.
const (
	timeWide = 960
	timeHigh = 120
)

func (t *topicView) spell(v *archiveView) {
	high := slices.Max(t.records[:])
	for i, n := range t.records {
		tall := 0.0
		if high > 0 {
			tall = n / high * timeHigh
		}
		if n > 0 {
			tall = max(tall, 1.5)
		}
		what := fmt.Sprintf("%s, %s", units.Of(int64(n+0.5), "record"), units.Size(int64(t.bytes[i])))
		t.Bars = append(t.Bars, timeBar{number(float64(i) * timeWide / timeCells), number(timeHigh - tall), number(tall), v.axis.title(what, i)})
	}
	slices.SortFunc(t.Partitions, func(a, b partitionView) int { return cmp.Compare(a.Partition, b.Partition) })
	for i := range t.Partitions {
		t.Partitions[i].Share = number(100 * float64(t.Partitions[i].Records) / float64(max(t.most, 1)))
	}
	if len(t.Partitions) > shownPartitions {
		t.More = len(t.Partitions) - shownPartitions
		t.Partitions = t.Partitions[:shownPartitions]
	}
}

// sizeView is how large payloads are.
type sizeView struct {
	Name  string
	Null  string
	Steps []sizeStep
}

// sizeStep is the payloads up to a size.
type sizeStep struct{ UpTo, Count, Share string }

// sampledGroups is how many row groups are decoded for the sizes.
const sampledGroups = 32

// sizes counts payloads by the power of two that they fit in.
type sizes struct {
	null, count int64
	steps       [34]int64
}

func (s *sizes) add(b []byte) {
	if s.count++; b == nil {
		s.null++
		return
	}
	s.steps[bits.Len(uint(max(len(b), 1)-1))]++
}

// sample decodes row groups that lie evenly in the archive.
func (v *archiveView) sample(ctx context.Context, a *format.Archive) error {
	all := int64(0)
	for _, err := range a.Places(format.Selection{}) {
		if err != nil {
			return err
		}
		all++
	}
	reader, buffer := a.NewGroupReader(1), &format.Buffer{}
	defer reader.Close()
	step, at, taken := max(all/sampledGroups, 1), int64(0), int64(0)
	var keys, values sizes
	for p, err := range a.Places(format.Selection{}) {
		if err != nil {
			return err
		}
		if at++; (at-1)%step != 0 {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		records, err := reader.Read(&p, buffer)
		if err != nil {
			return err
		}
		taken++
		for i := range records {
			keys.add(records[i].Key)
			values.add(records[i].Value)
		}
	}
	v.Sampled = fmt.Sprintf("%s in %d of %s", units.Of(keys.count, "record"), taken, units.Of(all, "row group"))
	v.Sizes = []sizeView{keys.view("keys"), values.view("values")}
	return nil
}

func (s *sizes) view(name string) sizeView {
	v := sizeView{Name: name, Null: units.Count(s.null)}
	high := max(slices.Max(s.steps[:]), 1)
	for i, n := range s.steps {
		if n > 0 {
			v.Steps = append(v.Steps, sizeStep{units.Size(1 << i), units.Count(n), number(100 * float64(n) / float64(high))})
		}
	}
	return v
}
