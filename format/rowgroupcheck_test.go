package format

import (
	"errors"
	"strings"
	"testing"
)

// A document may have a right digest of the records and say something else of them that is wrong: each such claim has a check of its own.
func TestEveryClaimAboutARowGroupIsHeldAgainstItsRecords(t *testing.T) {
	for _, c := range []struct {
		claim  string
		change func(g *RowGroup, records []Record)
		want   string // empty: it is right
	}{
		{"nothing", func(*RowGroup, []Record) {}, ""},
		{"bytes", func(g *RowGroup, _ []Record) { g.Bytes++ }, "records of 108 bytes, the document says 109"},
		{"first offset", func(g *RowGroup, _ []Record) { g.FirstOffset-- }, "offsets 5 to 9, the document says 4 to 9"},
		{"last offset", func(g *RowGroup, _ []Record) { g.LastOffset++ }, "offsets 5 to 9, the document says 5 to 10"},
		{"first timestamp", func(g *RowGroup, _ []Record) { g.MinTimestampMs-- }, "timestamps 10..30, the document says 9..30"},
		{"last timestamp", func(g *RowGroup, _ []Record) { g.MaxTimestampMs++ }, "timestamps 10..30, the document says 10..31"},
		{"order", func(_ *RowGroup, r []Record) { r[1].Offset = 5 }, "offset 5 after 5"},
		{"leader epoch", func(_ *RowGroup, r []Record) { r[1].LeaderEpoch = -2 }, "leader epoch -2 is impossible"},
		{"timestamp type", func(_ *RowGroup, r []Record) { r[1].TimestampType = 2 }, "timestamp type 2 is unknown"},
		{"header key", func(_ *RowGroup, r []Record) { r[0].Headers[0].Key = "\xff" }, "bytes that are not UTF-8"},
		{"row of a header key", func(g *RowGroup, _ []Record) { g.HeaderKeys = []HeaderKey{{Row: 3}} }, "header 0 of row 3"},
		{"header of a row", func(g *RowGroup, _ []Record) { g.HeaderKeys = []HeaderKey{{Header: 1}} }, "header 1 of row 0"},
	} {
		records := []Record{
			{Offset: 5, TimestampMs: 20, Headers: []Header{{Key: "k"}}}, {Offset: 7, TimestampMs: 10}, {Offset: 9, TimestampMs: 30},
		}
		g := RowGroup{Records: 3, FirstOffset: 5, LastOffset: 9, MinTimestampMs: 10, MaxTimestampMs: 30}
		_, g.Bytes = recordsDigest(records)
		c.change(&g, records)
		g.Digest, _ = recordsDigest(records)
		err := g.verify(records)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.claim, err, c.want)
		}
	}
}
