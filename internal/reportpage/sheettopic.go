package reportpage

import (
	"math"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/units"
)

// sheetTopic is a topic of a transfer sheet.
type sheetTopic struct {
	Name             string
	Facts            []sheetFact
	Fields           []sheetField
	Headers          []sheetField
	Findings         []sheetFinding
	More             bool // names that are not listed stand as *
	name             string
	partitions       map[int32]bool
	segments         int64
	records          int64
	bytes, diskBytes int64
	low, high        int64 // timestamps, ms; low > high: none
	ledger           ledger.Ledger
	rules            map[string]int64 // segments by the identity of their rules
}

// sheetField is a field or header, and what is there.
type sheetField struct{ Path, What string }

// sheetFinding is a place where something looks personal, or where nobody can look.
type sheetFinding struct {
	Path, Looks string
	Records     string
}

func newSheetTopic(name string) *sheetTopic {
	return &sheetTopic{Name: printable.Text(name), name: name, partitions: map[int32]bool{}, low: math.MaxInt64, high: math.MinInt64, rules: map[string]int64{}}
}

// add counts a segment.
func (t *sheetTopic) add(d *format.Document, size int64) {
	t.partitions[d.Partition] = true
	t.segments++
	t.records += d.Records
	t.bytes += d.Bytes
	t.diskBytes += size
	l := d.Ledger()
	t.ledger.AddCounts(&l)
	t.rules[d.Source.Rules]++
	for _, g := range d.Groups {
		t.low, t.high = min(t.low, g.MinTimestampMs), max(t.high, g.MaxTimestampMs)
	}
}

// merge adds what another topic has, of which each partition counts.
func (t *sheetTopic) merge(o *sheetTopic) {
	for range o.partitions {
		t.partitions[int32(len(t.partitions))] = true
	}
	t.segments += o.segments
	t.records += o.records
	t.bytes += o.bytes
	t.diskBytes += o.diskBytes
	t.low, t.high = min(t.low, o.low), max(t.high, o.high)
	t.ledger.AddCounts(&o.ledger)
	for rules, n := range o.rules {
		t.rules[rules] += n
	}
}

// facts are what documents say.
func (t *sheetTopic) facts() []sheetFact {
	times := "none"
	if t.low <= t.high {
		times = units.Time(t.low) + " to " + units.Time(t.high)
	}
	return []sheetFact{
		{"Records", units.Count(t.records) + " in " + units.Of(int64(len(t.partitions)), "partition")},
		{"Size", units.Size(t.bytes) + " of records, " + units.Size(t.diskBytes) + " in " + units.Of(t.segments, "segment")},
		{"Timestamps", times},
		{"Offsets without a record", ledgerText(&t.ledger)},
		{"Rules that were applied", t.rulesText()},
	}
}

// rulesText names the rules by their identities: what they are is not in the archive.
func (t *sheetTopic) rulesText() string {
	var texts []string
	for _, rules := range sortedKeys(t.rules) {
		what := "identity " + rules
		if rules == "" {
			what = "none"
		}
		if len(t.rules) > 1 {
			what += " in " + units.Of(t.rules[rules], "segment")
		}
		texts = append(texts, what)
	}
	return strings.Join(texts, ", ")
}

// spell adds what a look at the records found.
func (t *sheetTopic) spell(found reshape.Surveyed) {
	t.Facts, t.More = t.facts(), found.More
	t.Facts = append(t.Facts, sheetFact{"Keys", payloadsText(found.Keys)}, sheetFact{"Values", payloadsText(found.Values)})
	for i := range t.Facts {
		t.Facts[i].Value = printable.Text(t.Facts[i].Value)
	}
	for _, f := range found.Fields {
		t.Fields = append(t.Fields, sheetField{printable.Text(f.Path), strings.Join(f.Kinds, ", ")})
	}
	for _, h := range found.Headers {
		text := units.Of(h.Records, "record")
		if h.Null > 0 {
			text += ", " + units.Count(h.Null) + " null"
		}
		t.Headers = append(t.Headers, sheetField{printable.Text(h.Path), text})
	}
	for _, s := range found.Suspects {
		t.Findings = append(t.Findings, sheetFinding{printable.Text(s.Path), printable.Text(s.Looks), units.Count(s.Records)})
	}
}

// forget gives up what was written.
func (t *sheetTopic) forget() { t.Facts, t.Fields, t.Headers, t.Findings = nil, nil, nil, nil }

func payloadsText(kinds map[reshape.PayloadKind]int64) string {
	var texts []string
	for _, k := range reshape.PayloadKinds() {
		if n := kinds[k]; n > 0 {
			texts = append(texts, units.Count(n)+" "+string(k))
		}
	}
	if texts == nil {
		return "none"
	}
	return strings.Join(texts, ", ")
}
