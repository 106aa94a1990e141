package copying

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/reshaping"
	"github.com/karchive/karchive/test/seeds"
)

// modelCopy is what a copy of logs has, worked out offset by offset in memory: the facts of [from, until).
func modelCopy(logs [][]fact, ranges [][2]int64, o Options) (facts []fact, from, until int64) {
	from, until = ranges[0][0], ranges[0][1]
	for _, r := range ranges {
		from, until = min(from, r[0]), max(until, r[1])
	}
	from = max(from, o.Window.FromOffset)
	if o.Window.UntilOffset != 0 {
		until = min(until, o.Window.UntilOffset)
	}
	for at := from; at < until; at++ {
		best := fact{kind: corrupt + 1}
		for i, log := range logs {
			if at >= ranges[i][0] && at < ranges[i][1] && log[at].kind.rank() < best.kind.rank() {
				best = log[at]
			}
		}
		facts = append(facts, best)
	}
	modelLimits(facts, o)
	return facts, from, until
}

func modelLimits(facts []fact, o Options) {
	selected := int64(0)
	for i, f := range facts {
		if f.kind == held && !o.Window.Contains(&f.record) {
			facts[i].kind = filtered
		}
		if facts[i].kind == held {
			selected++
		}
	}
	taken := int64(0)
	for i := range facts {
		if facts[i].kind != held {
			continue
		}
		if o.Last > 0 && selected > o.Last || o.Reshape != nil && dropped(&facts[i].record) || o.Limit > 0 && taken == o.Limit {
			facts[i].kind = filtered
		} else {
			taken++
		}
		selected--
	}
}

// thirds is a rule that leaves out every third offset.
type thirds struct{}

func (thirds) Rules(string) string { return "thirds" }
func (thirds) Steps() string       { return "filter" }
func (thirds) Begin(reshaping.Use) (func(format.TopicPartition, *format.Record) (bool, error), func()) {
	return func(_ format.TopicPartition, r *format.Record) (bool, error) { return !dropped(r), nil }, func() {}
}

func dropped(r *format.Record) bool { return r.Offset%3 == 0 }

// sameAsModel compares an archive with the model.
func (a *archive) sameAsModel(facts []fact, from, until int64) error {
	opened := a.open()
	c, err := opened.Coverage(orders0)
	if err != nil {
		return err
	}
	if c.From != from || c.Next != until {
		return fmt.Errorf("got coverage %d..%d, want %d..%d", c.From, c.Next, from, until)
	}
	var want [corrupt + 1]int64
	var records []format.Record
	for _, f := range facts {
		want[f.kind]++
		if f.kind == held {
			records = append(records, f.record)
		}
	}
	got := [...]int64{held: c.Records, control: c.Ledger.Control, absent: c.Ledger.Absent, filtered: c.Ledger.Filtered, retention: c.Ledger.Retention, corrupt: c.Ledger.Corrupt}
	if got != want {
		return fmt.Errorf("got counts %v, want %v", got, want)
	}
	i := 0
	for r, err := range opened.Records(a.t.Context(), format.Selection{}) {
		if err != nil {
			return err
		}
		if part := different(&r.Record, &records[i]); part != "" || r.Offset != records[i].Offset {
			return fmt.Errorf("record %d: got offset %d, want %d, different %s", i, r.Offset, records[i].Offset, part)
		}
		i++
	}
	return nil
}

// FuzzSelections copies what is selected of up to three archives of one log, and compares it with a model.
func FuzzSelections(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, bounds, kinds []byte, from, until, fromMs, untilMs uint8, limit, last uint8, rotate uint8, arrow bool) {
		const n = 60
		logs, ranges := modelLogs(bounds, kinds, n)
		o := Options{Window: format.Selection{FromOffset: int64(from % n), UntilOffset: int64(until % n)}, Limit: int64(limit % 40), Last: int64(last % 40), RotateBytes: int64(rotate) * 16}
		if fromMs > 0 {
			ms := 1000 + int64(fromMs%50)
			o.Window.From = time.UnixMilli(ms)
		}
		if untilMs > 0 {
			ms := 1000 + int64(untilMs%60)
			o.Window.Until = time.UnixMilli(ms)
		}
		e := format.Parquet
		if arrow {
			e = format.Arrow
		}
		var inputs []Input
		for i, r := range ranges {
			inputs = append(inputs, captured(t, e, logs[i], r[0], r[1], 200+int64(rotate)).input(fmt.Sprint(i)))
		}
		got, _, err := tryCopy(t, o, inputs...)
		facts, first, end := modelCopy(logs, ranges, o)
		if hole := new(HoleError); errors.As(err, &hole) {
			for _, fact := range facts {
				if fact.kind > corrupt {
					return
				}
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if first >= end {
			if p := got.open().Partitions(); len(p) > 0 {
				t.Errorf("got %v, want nothing", p)
			}
			return
		}
		got.verify()
		if err := got.sameAsModel(facts, first, end); err != nil {
			t.Errorf("%v: %+v of %v", err, o, ranges)
		}
	})
}

// modelLogs makes up to three views of a log of n offsets. Each may have lost or left out what the log has.
func modelLogs(bounds, kinds []byte, n int64) (logs [][]fact, ranges [][2]int64) {
	at := func(b []byte, i int) byte {
		if len(b) == 0 {
			return 0
		}
		return b[i%len(b)]
	}
	for i := range max(1, min(3, len(bounds)/2)) {
		lo, hi := int64(at(bounds, 2*i))%n, int64(at(bounds, 2*i+1))%n
		ranges = append(ranges, [2]int64{min(lo, hi), max(lo, hi) + 1})
		log := logOf(n+1, "rrcr", 5)
		counted := []kind{control, absent, filtered}[at(kinds, 0)%3] // only one, so that documents say where what is
		for o := range log {
			switch k := at(kinds, o+i*7) % 8; {
			case log[o].kind == control && counted != control:
				log[o] = fact{held, recordAt(int64(o), 5)}
			case log[o].kind == held && k == 7:
				log[o].kind = corrupt
			case log[o].kind == held && k == 6:
				log[o].kind = retention
			case log[o].kind == held && k == 5 && counted != control:
				log[o].kind = counted
			}
		}
		logs = append(logs, log)
	}
	return logs, ranges
}
