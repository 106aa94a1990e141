package reportpage

import (
	"strings"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/diff"
)

func TestAComparisonShowsCountsPlacesAndBothSides(t *testing.T) {
	c := NewComparison("v1", "v2", "offset", 2)
	c.axis = timeAxis{0, 60_000}
	at := func(offset, ms int64, value string) *diff.Located {
		return &diff.Located{TopicPartition: format.TopicPartition{Topic: "t", Partition: 3}, Record: format.Record{Offset: offset, TimestampMs: ms, Value: []byte(value)}}
	}
	c.Add(&diff.Difference{Kind: diff.Changed, Topic: "t", A: at(7, 30_000, "x"), B: at(7, 30_000, "y"), Changes: []diff.Change{
		{Path: "value.<b>\u202e", A: `"<script>"`, B: "2"}}})
	c.Add(&diff.Difference{Kind: diff.OnlyB, Topic: "t", B: at(8, 59_000, "<i>")})
	c.Add(&diff.Difference{Kind: diff.OnlyA, Topic: "t", A: at(9, 60_000, "z")})
	r := &diff.Report{Counts: diff.Counts{Equal: 1234, Changed: 1, OnlyA: 1, OnlyB: 1}, Paths: []diff.PathCount{{Path: "value.total", Records: 1}}}
	c.Programs = []Program{{Name: "v1", Records: 1235, Drained: 3 * time.Second, Took: 5 * time.Second, CPU: 2 * time.Second, Memory: 40 << 20,
		Lag: []LagPoint{{time.Second, 1000}, {3 * time.Second, 0}}}, {Name: "v2<", Took: time.Second}}
	var b strings.Builder
	if err := c.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"3 differences", "1,234", "<td>value.total</td>", `<div class="path">value.&lt;b&gt;\u202e</div><div class="a">&#34;&lt;script&gt;&#34;</div><div class="b">2</div>`,
		"t-3 offset 8", "&lt;i&gt;", "and 1 more", "40.0 MiB", "v2&lt;", `<path class="line sent" d="M`, "2 differences from 1970-01-01T00:00:59.000Z", "1 difference from 1970-01-01T00:00:30.000Z",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	for _, not := range []string{"<script>\"", "\u202e", "http:", "https:"} {
		if strings.Contains(b.String(), not) {
			t.Errorf("the page has %q", not)
		}
	}
}

func TestAComparisonOfLargeRecordsIsAPageThatOpens(t *testing.T) {
	c := NewComparison("v1", "v2", "offset", 1000)
	long := strings.Repeat("x", 1<<20)
	at := func(offset int64) *diff.Located {
		return &diff.Located{Record: format.Record{Offset: offset, Value: []byte(long)}}
	}
	for offset := range int64(12) {
		c.Add(&diff.Difference{Kind: diff.Changed, Topic: "t", A: at(offset), B: at(offset), Changes: []diff.Change{{Path: "value", A: long + "1", B: long + "2"}}})
		c.Add(&diff.Difference{Kind: diff.OnlyB, Topic: "t", B: at(offset)})
	}
	var b strings.Builder
	if err := c.Write(&b, &diff.Report{Counts: diff.Counts{Changed: 12, OnlyB: 12}}); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 1<<18 || !strings.Contains(b.String(), "x2 (1,048,577 characters)") {
		t.Errorf("a page of %d bytes, want a short one that shows where the values differ", b.Len())
	}
	c.text = maxShownText + 1
	if c.Add(&diff.Difference{Kind: diff.OnlyB, Topic: "t", B: at(12)}); c.More != 1 {
		t.Errorf("got %d more, want the one for which the page has no room", c.More)
	}
}
