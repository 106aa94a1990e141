package reportpage

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/units"
)

// Comparison is the page of a comparison of two archives: counts, where in time and partition the differences are, and the first of them,
// which can be filtered.
type Comparison struct {
	A, B, Pair string
	Lacks      []string  // what was not compared, though it was to be
	Programs   []Program // that wrote the sides, at most two; none: they are not known
	Shown      []ShownDifference
	More       int64 // differences that are not in Shown

	most   int
	axis   timeAxis // of both sides
	text   int      // bytes of Shown
	strips map[format.TopicPartition]*[timeCells]int64
}

// ShownDifference is a difference as the page shows it.
type ShownDifference struct {
	Kind, Place, Time string
	Changes           []diff.Change
	A, B              []Part // of a record without its like
}

// Part is a part of a record as text.
type Part struct{ Name, Text string }

// maxStrips is how many partitions have a strip: those with most differences.
const maxStrips = 40

// What a page shows is bounded: a browser has to open it.
const (
	maxCharacters = 2000     // of one text
	maxShownText  = 16 << 20 // bytes of all
)

// NewComparison begins a page on two sides by their names, which shows so many differences.
func NewComparison(a, b, pair string, most int) *Comparison {
	return &Comparison{A: a, B: b, Pair: pair, most: most, axis: newTimeAxis(), strips: map[format.TopicPartition]*[timeCells]int64{}}
}

// AddTimes makes the page's time reach over what is selected of an archive. Only documents are read.
func (c *Comparison) AddTimes(a *format.Archive, s format.Selection) error {
	for p, err := range a.Places(s) {
		if err != nil {
			return err
		}
		c.axis.reach(p.Group().MinTimestampMs, p.Group().MaxTimestampMs)
	}
	return nil
}

// Add counts a difference, and keeps it if it is among the first.
func (c *Comparison) Add(d *diff.Difference) {
	at := cmp.Or(d.A, d.B)
	tp := format.TopicPartition{Topic: d.Topic, Partition: at.Partition}
	if c.strips[tp] == nil {
		c.strips[tp] = &[timeCells]int64{}
	}
	c.strips[tp][c.axis.cell(at.TimestampMs)]++
	if len(c.Shown) == c.most || c.text > maxShownText {
		c.More++
		return
	}
	s := ShownDifference{Kind: string(d.Kind), Place: d.Place(), Time: units.Time(at.TimestampMs)}
	for _, change := range d.Changes {
		change.A, change.B = diff.Excerpts(change.A, change.B, maxCharacters)
		s.Changes = append(s.Changes, change)
		c.text += len(change.A) + len(change.B)
	}
	if d.Kind == diff.OnlyA {
		s.A = c.parts(d.A)
	}
	if d.Kind == diff.OnlyB {
		s.B = c.parts(d.B)
	}
	c.Shown = append(c.Shown, s)
}

func (c *Comparison) parts(r *diff.Located) []Part {
	list := []Part{{"key", diff.Text(r.Key)}, {"value", diff.Text(r.Value)}}
	for _, h := range r.Headers {
		list = append(list, Part{"headers." + h.Key, diff.Text(h.Value)})
	}
	for i := range list {
		list[i].Text, _ = diff.Excerpts(list[i].Text, "", maxCharacters)
		c.text += len(list[i].Text)
	}
	return list
}

// comparisonView is what the page shows, spelled.
type comparisonView struct {
	*Comparison
	*diff.Report
	Good       bool
	Verdict    string
	Tiles      []tile
	From, To   string
	Strips     []strip
	MoreStrips int
	Programs   []programRow
	Lag        *lagPlot
}

// strip is where in time the differences of a partition are.
type strip struct {
	Name, Count string
	Cells       []stripCell
}

// stripCell is a part of the time. Class is how many differences there are, from 0 to 4.
type stripCell struct {
	Class int
	Title string
}

// Write writes the page.
func (c *Comparison) Write(w io.Writer, r *diff.Report) error {
	v := comparisonView{Comparison: c, Report: r, Good: r.Equals() && len(c.Lacks) == 0, Verdict: "equal"}
	switch different := units.Of(r.Differences(), "difference"); {
	case r.Stopped:
		v.Verdict = "stopped after " + different
	case !r.Equals():
		v.Verdict = different
	case !v.Good:
		v.Verdict = "equal, but not all was compared"
	}
	v.Tiles = []tile{
		{"equal", units.Count(r.Equal), "pairs of records"},
		{"changed", units.Count(r.Changed), "pairs of records"},
		{"only in A", units.Count(r.OnlyA), "records"},
		{"only in B", units.Count(r.OnlyB), "records"},
		{"out of order", units.Count(r.OutOfOrder), "equal pairs"},
		{"decoded", fmt.Sprintf("%s / %s", units.Count(r.Decoded[0].Groups), units.Count(r.Decoded[1].Groups)),
			fmt.Sprintf("of %s and %s row groups", units.Count(r.Decoded[0].OfGroups), units.Count(r.Decoded[1].OfGroups))},
	}
	v.From, v.To = c.axis.ends()
	v.Programs, v.Lag = c.programRows(), c.lagPlot()
	v.addStrips()
	if err := fill(w, "comparison.html", v); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

func (v *comparisonView) addStrips() {
	type counted struct {
		tp    format.TopicPartition
		total int64
	}
	var all []counted
	high := int64(1)
	for tp, cells := range v.strips {
		c := counted{tp: tp}
		for _, n := range cells {
			c.total += n
			high = max(high, n)
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b counted) int {
		return cmp.Or(cmp.Compare(b.total, a.total), a.tp.Compare(b.tp))
	})
	for _, c := range all[:min(len(all), maxStrips)] {
		s := strip{Name: c.tp.String(), Count: units.Count(c.total)}
		for i, n := range v.strips[c.tp] {
			s.Cells = append(s.Cells, stripCell{shade(n, high), v.axis.title(units.Of(n, "difference"), i)})
		}
		v.Strips = append(v.Strips, s)
	}
	v.MoreStrips = len(all) - len(v.Strips)
}

// shade is how dark n is where high is the darkest: each step is a power.
func shade(n, high int64) int {
	if n == 0 {
		return 0
	}
	return 1 + int(3*math.Log(float64(n))/math.Log(math.Max(float64(high), 2)))
}
