package format

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// soundDocument covers [10, 100): a gap, a row group of [20, 29], one of [45, 70] around a gap, and what is behind it.
func soundDocument() *Document {
	return &Document{
		Topic: "t", BaseOffset: 10, NextOffset: 100, LastLeaderEpoch: NoLeaderEpoch, Records: 26, Bytes: 26 * canonicalFixed, Control: 5, Filtered: 3,
		Gaps: []ledger.Gap{{From: 10, Until: 12, Reason: ledger.Retention}, {From: 50, Until: 60, Reason: ledger.Corrupt}},
		Groups: []RowGroup{
			{Records: 10, Bytes: 10 * canonicalFixed, FirstOffset: 20, LastOffset: 29, MinTimestampMs: 1, MaxTimestampMs: 2, Control: 2, Filtered: 1},
			{Records: 16, Bytes: 16 * canonicalFixed, FirstOffset: 45, LastOffset: 70, MinTimestampMs: 1, MaxTimestampMs: 1},
		},
	}
}

func TestEveryContradictionInADocumentIsRefused(t *testing.T) {
	if err := soundDocument().check(); err != nil {
		t.Fatalf("the document that is right: %v", err)
	}
	for _, c := range []struct {
		what   string
		change func(d *Document)
		want   string
	}{
		{"a partition", func(d *Document) { d.Partition = -1 }, "partition -1 covers"},
		{"a base", func(d *Document) { d.BaseOffset = -1 }, "partition 0 covers"},
		{"an end", func(d *Document) { d.NextOffset = 10 }, "partition 0 covers"},
		{"an epoch", func(d *Document) { d.LastLeaderEpoch = -2 }, "last leader epoch -2"},
		{"an isolation", func(d *Document) { d.Source.Isolation = "x" }, "isolation"},
		{"a gap before the base", func(d *Document) { d.Gaps[0].From = 9 }, "document: gap"},
		{"a gap in a gap", func(d *Document) { d.Gaps[1] = ledger.Gap{From: 11, Until: 14, Reason: ledger.Corrupt} }, "document: gap"},
		{"a gap of nothing", func(d *Document) { d.Gaps[1].Until = 50 }, "document: gap"},
		{"a gap past the end", func(d *Document) { d.Gaps = append(d.Gaps, ledger.Gap{From: 95, Until: 101, Reason: ledger.Corrupt}) }, "document: gap"},
		{"a gap that is counted", func(d *Document) { d.Gaps[0].Reason = ledger.Control }, "has the reason"},
		{"a record before the base", func(d *Document) { d.Groups[0].FirstOffset = 9 }, "do not fit in"},
		{"a row group that overlaps", func(d *Document) { d.Groups[1].FirstOffset = 29 }, "do not fit in"},
		{"an end before the beginning", func(d *Document) { d.Groups[0].LastOffset = 19 }, "do not fit in"},
		{"an end far before it", func(d *Document) { d.Groups[0].LastOffset = math.MinInt64 }, "do not fit in"},
		{"a record past the end", func(d *Document) { d.Groups[1].LastOffset = 100 }, "do not fit in"},
		{"no record", func(d *Document) { d.Groups[0].Records = 0 }, ": 0 records in offsets"},
		{"records than offsets", func(d *Document) { d.Groups[0].Records = 11 }, "11 records in offsets"},
		{"bytes of the records", func(d *Document) { d.Groups[0].Bytes-- }, "10 records in 329 bytes"},
		{"bytes of several", func(d *Document) { d.Groups[0].Bytes = maxGroupBytes + 1 }, "are over the limit"},
		{"bytes of one", func(d *Document) { d.Groups[0].Records, d.Groups[0].Bytes = 1, maxRecordBytes+1 }, "are over the limit"},
		{"times", func(d *Document) { d.Groups[1].MinTimestampMs = 2 }, "timestamps 2..1"},
		{"a first record in a gap", func(d *Document) { d.Gaps[0] = ledger.Gap{From: 20, Until: 21, Reason: ledger.Corrupt} }, "has a record at offset 20, in the gap"},
		{"a last record in a gap", func(d *Document) { d.Gaps[1].From, d.Gaps[1].Until = 70, 80 }, "has a record at offset 70, in the gap"},
		{"records beside the gap", func(d *Document) { d.Groups[1].Records, d.Groups[1].Bytes = 17, 17*canonicalFixed }, "do not fit in"},
		{"markers below none", func(d *Document) { d.Groups[0].Control = -1 }, "do not fit in"},
		{"left out below none", func(d *Document) { d.Groups[0].Filtered = -1 }, "do not fit in"},
		{"markers without room", func(d *Document) { d.Groups[0].Control = 8 }, "do not fit in"},
		{"markers far over it", func(d *Document) { d.Groups[0].Control = math.MaxInt64 }, "do not fit in"},
		{"the sum of records", func(d *Document) { d.Records++ }, "its row groups have"},
		{"the sum of bytes", func(d *Document) { d.Bytes++ }, "its row groups have"},
		{"the sum of markers", func(d *Document) { d.Control = 1 }, "offsets are left behind it"},
		{"the sum of left out", func(d *Document) { d.Filtered = 0 }, "offsets are left behind it"},
		{"markers behind the last", func(d *Document) { d.Control, d.Filtered = 2+30, 1 }, "offsets are left behind it"},
		{"left out behind the last", func(d *Document) { d.Filtered = 1 + 27 }, "offsets are left behind it"},
		{"the row of a key", func(d *Document) { d.Groups[0].HeaderKeys = []HeaderKey{{10, 0, []byte{0xff}}} }, "out of order"},
		{"the order of keys", func(d *Document) {
			d.Groups[0].HeaderKeys = []HeaderKey{{1, 0, []byte{0xff}}, {1, 0, []byte{0xff}}}
		}, "out of order"},
		{"a key that is text", func(d *Document) { d.Groups[0].HeaderKeys = []HeaderKey{{1, 0, []byte("k")}} }, "is UTF-8"},
	} {
		d := soundDocument()
		c.change(d)
		if err := d.check(); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ErrCorrupt with %q", c.what, err, c.want)
		}
	}
}

// What stands before the bytes of a document are judged.
func TestADocumentIsBoundedAndHasADigest(t *testing.T) {
	text := []byte(`{"version":"1.0"}`)
	many := []byte(`{"version":"1.0","more":[{}` + strings.Repeat(",{}", 99) + `]}`)
	for what, c := range map[string]struct {
		text   []byte
		digest string
		want   string
	}{
		"a document over the limit": {make([]byte, maxDocumentBytes+1), "", "document of 67108865 bytes"},
		"another digest":            {text, ondisk.Digest(many), "document has digest"},
		"more objects than it may":  {many, ondisk.Digest(many), fmt.Sprintf("101 objects in %d bytes", len(many))},
	} {
		if _, err := checkedDocument(c.text, []byte(c.digest)); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ErrCorrupt with %q", what, err, c.want)
		}
	}
}

func TestAFileThatIsTooShortForAMagicIsRefused(t *testing.T) {
	for n := range 6 {
		file := make([]byte, n)
		if _, err := newReader(bytes.NewReader(file), int64(n)); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "too few") {
			t.Errorf("%d bytes: got %v, want ErrCorrupt", n, err)
		}
	}
}

func TestARowGroupThatIsNotThereIsNotRead(t *testing.T) {
	segment := writeSegment(t, testOptions(), oddRecords())
	r, err := newReader(bytes.NewReader(segment), int64(len(segment)))
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{-1, len(r.doc.Groups)} {
		if _, err := r.readGroup(i, nil); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("row group %d of", i)) {
			t.Errorf("row group %d: got %v, want an error that names it", i, err)
		}
	}
}

// The files in the root have a limit each, which is asked for before they are read.
func TestFilesInTheRootAreBounded(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "five"), []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	fsys, err := storage.DirFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := readBounded(fsys, "five", 5); err != nil || string(b) != "12345" {
		t.Errorf("a file at its limit: got %q, %v", b, err)
	}
	if b, err := readBounded(fsys, "five", 4); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a file over its limit: got %q, %v, want ErrCorrupt", b, err)
	}
	if err := os.WriteFile(filepath.Join(dir, ondisk.Sums), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, ondisk.Sums), maxSumsBytes+1); err != nil {
		t.Fatal(err)
	}
	if _, err := readSums(fsys); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "more than the") {
		t.Errorf("%s over its limit: got %v, want ErrCorrupt", ondisk.Sums, err)
	}
}

func TestBadLinesOfTheSumsAreToldUpToALimit(t *testing.T) {
	s, err := parseSums(strings.NewReader(strings.Repeat("x\n", maxSumsProblems+7)))
	if err != nil {
		t.Fatal(err)
	}
	if got, last := len(s.problems), fmt.Sprint(s.problems[len(s.problems)-1]); got != maxSumsProblems+1 || !strings.Contains(last, "7 more lines are wrong") {
		t.Errorf("got %d problems, the last %q, want %d and the number of the others", got, last, maxSumsProblems+1)
	}
}
