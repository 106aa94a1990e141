package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
)

// ledgerGolden is a golden archive with offsets of every reason, rules, described topics, a plan, and several segments and row groups.
var ledgerGolden = filepath.Join(goldenDir, "golden-1.0-ledger")

var ledgerSource = origin.Source{ClusterID: source.ClusterID, TopicID: source.TopicID, Isolation: origin.ReadUncommitted, Rules: "9a1f"}

var ledgerIdentity = format.Identity{
	ClusterID: source.ClusterID,
	Topics: []origin.Topic{
		{Name: "orders", ID: source.TopicID, Partitions: 3, Configs: map[string]string{"cleanup.policy": "compact", "retention.ms": "-1"}},
		{Name: "unread", Partitions: 1},
	},
	Capture: &origin.Plan{
		Mode: origin.ModeSnapshot, Isolation: origin.ReadUncommitted, From: "beginning", Until: "end", Rules: "9a1f",
		Options: map[string]string{"compression": "zstd:1", "topics": "orders"},
		Partitions: []origin.PlanRange{
			{Topic: "orders", Partition: 0, Start: 5, End: 100}, {Topic: "orders", Partition: 1, Start: 0, End: 7}, {Topic: "orders", Partition: 2, Start: 3, End: 3},
		},
	},
}

// ledgerSegments are what writeLedger writes. Partition 1 is nothing but a gap.
func ledgerSegments() []segment {
	record := func(offset int64, epoch int32) format.Record {
		return format.Record{Offset: offset, TimestampMs: 1700000000000 + offset, LeaderEpoch: epoch, Value: fmt.Appendf(nil, "value %d", offset)}
	}
	first := []format.Record{record(10, 1), record(12, 1), record(20, 2), record(21, 2), record(29, 2)}
	first[1].Headers = []format.Header{{Key: "\xfe\xff", Value: nil}}
	return []segment{
		{"orders", 0, 5, 40, first},
		{"orders", 0, 40, 60, []format.Record{record(45, 4)}},
		{"orders", 0, 60, 100, nil},
		{"orders", 1, 0, 7, nil},
	}
}

// ledgerGaps are the offsets without a record; what is not in here is absent.
var ledgerGaps = map[int64][]ledger.Gap{ // by where a segment of partition 0 begins; -1: of partition 1
	5: {
		{From: 5, Until: 9, Reason: ledger.Retention}, {From: 9, Until: 10, Reason: ledger.Control}, {From: 11, Until: 12, Reason: ledger.Corrupt},
		{From: 13, Until: 15, Reason: ledger.Filtered}, {From: 16, Until: 18, Reason: ledger.Retention}, {From: 18, Until: 19, Reason: ledger.Corrupt},
		{From: 22, Until: 24, Reason: ledger.Control}, {From: 25, Until: 27, Reason: ledger.Filtered}, {From: 30, Until: 31, Reason: ledger.Control},
		{From: 31, Until: 34, Reason: ledger.Filtered}, {From: 38, Until: 40, Reason: ledger.Retention},
	},
	60: {{From: 60, Until: 61, Reason: ledger.Control}, {From: 62, Until: 90, Reason: ledger.Filtered}, {From: 90, Until: 100, Reason: ledger.Corrupt}},
	-1: {{From: 0, Until: 7, Reason: ledger.Retention}},
}

func writeLedger(root string, identity format.Identity) error {
	return writeSegments(root, identity, ledgerSegments(), func(s segment) []ledger.Gap {
		if s.partition == 1 {
			return ledgerGaps[-1]
		}
		return ledgerGaps[s.base]
	})
}

// writeSegments makes an archive of segments, with the gaps that each has.
func writeSegments(root string, identity format.Identity, segments []segment, gaps func(segment) []ledger.Gap) error {
	fsys, err := storage.DirFS(root)
	if err != nil {
		return err
	}
	a, err := format.Create(fsys, identity)
	if err != nil {
		return err
	}
	for _, s := range segments {
		err = errors.Join(err, writeLedgerSegment(a, s, gaps(s)))
	}
	return errors.Join(err, a.Close())
}

// writeLedgerSegment writes records and gaps in the order of their offsets, with a row group for every two records.
func writeLedgerSegment(a *format.Archive, s segment, gaps []ledger.Gap) error {
	p, err := a.NewSegment(format.WriterOptions{Topic: s.topic, Partition: s.partition, Base: s.base, Source: ledgerSource})
	if err != nil {
		return err
	}
	defer p.Discard() // does nothing after Seal
	for i := range s.records {
		for len(gaps) > 0 && gaps[0].From < s.records[i].Offset {
			err, gaps = errors.Join(err, writeGap(p, gaps[0])), gaps[1:]
		}
		err = errors.Join(err, p.Write(&s.records[i]))
		if i%2 == 1 {
			err = errors.Join(err, p.Cut())
		}
	}
	for _, g := range gaps {
		err = errors.Join(err, writeGap(p, g))
	}
	_, _, sealed := p.Seal(s.next)
	return errors.Join(err, sealed)
}

func writeGap(p *format.Pending, g ledger.Gap) error {
	if g.Reason == ledger.Retention || g.Reason == ledger.Corrupt {
		return p.Gap(g)
	}
	var err error
	for at := g.From; at < g.Until; at++ {
		err = errors.Join(err, p.Skip(at, 3, g.Reason))
	}
	return err
}

func TestTheGoldenLedgerIsUpToDate(t *testing.T) {
	renewed(t, ledgerGolden, func(root string) error { return writeLedger(root, ledgerIdentity) }, ledgerSegments())
	fresh := filepath.Join(t.TempDir(), "ledger")
	if err := writeLedger(fresh, ledgerIdentity); err != nil {
		t.Fatal(err)
	}
	if got, want := dataFiles(t, fresh), dataFiles(t, ledgerGolden); len(want) == 0 || !maps.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("got %d files, want the bytes of the %d of the golden archive: if that is meant, run this test with -update", len(got), len(want))
	}
}

func TestTheGoldenLedgerHasEveryReason(t *testing.T) {
	a, err := format.OpenPath(ledgerGolden)
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Coverage(format.TopicPartition{Topic: "orders", Partition: 0})
	if err != nil {
		t.Fatal(err)
	}
	want := map[ledger.Reason]int64{ledger.Retention: 8, ledger.Corrupt: 12, ledger.Control: 5, ledger.Filtered: 35, ledger.Absent: 29}
	total := c.Records
	for r, got := range c.Ledger.All() {
		if got != want[r] || got == 0 {
			t.Errorf("%s: got %d offsets, want %d, and some of every reason", r, got, want[r])
		}
		total += want[r]
	}
	if total != c.Next-c.From || c.Ledger.Lost() != 20 {
		t.Errorf("got %d offsets of %d, %d lost, want 20", total, c.Next-c.From, c.Ledger.Lost())
	}
	missing, err := a.Completeness(format.Selection{})
	if err != nil || !missing.Complete() {
		t.Errorf("got %+v, %v, want a complete archive", missing, err)
	}
}
