package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
)

// prunedGolden is a golden archive of which the beginnings of two partitions were pruned, of one of them twice.
var prunedGolden = filepath.Join(goldenDir, "golden-1.4-pruned")

// halfPruned is an archive of what a reader takes: one whose prune ended before it removed anything.
var halfPruned = filepath.Join(goldenDir, "accept", "pruned-half")

var goldenPruned = []origin.Pruned{
	{Topic: "orders", Partition: 0, From: 5, Until: 40, At: "2026-01-02T03:04:05Z", By: "keep 30d"},
	{Topic: "orders", Partition: 2, From: 3, Until: 9, At: "2026-01-09T03:04:05Z", By: "keep-bytes 1MiB"},
}

func prunedIdentity() format.Identity {
	id, plan := ledgerIdentity, *ledgerIdentity.Capture
	plan.Partitions = append([]origin.PlanRange{}, plan.Partitions...)
	plan.Partitions[2].End = 12
	id.Capture = &plan
	return id
}

// prunedSegments are those of the ledger, and three of partition 2.
func prunedSegments() []segment {
	record := func(offset int64) format.Record {
		return format.Record{Offset: offset, TimestampMs: 1700000000000 + offset, LeaderEpoch: 3, Key: []byte("k"), Value: []byte{byte(offset)}}
	}
	return append(ledgerSegments(),
		segment{"orders", 2, 3, 6, []format.Record{record(3), record(4), record(5)}},
		segment{"orders", 2, 6, 9, []format.Record{record(6), record(8)}},
		segment{"orders", 2, 9, 12, []format.Record{record(9), record(11)}})
}

// keptSegments are those that the prunes leave.
func keptSegments() []segment {
	all := prunedSegments()
	return append(append([]segment{}, all[1:4]...), all[6])
}

func writeUnpruned(root string) error {
	return writeSegments(root, prunedIdentity(), prunedSegments(), func(s segment) []ledger.Gap {
		switch s.partition {
		case 0:
			return ledgerGaps[s.base]
		case 1:
			return ledgerGaps[-1]
		}
		return nil
	})
}

func writePruned(root string) error {
	if err := writeUnpruned(root); err != nil {
		return err
	}
	fsys, err := storage.DirFS(root)
	if err != nil {
		return err
	}
	a, err := format.OpenForWriting(fsys)
	if err != nil {
		return err
	}
	for _, p := range append([]origin.Pruned{{Topic: "orders", Partition: 2, Until: 6, At: goldenPruned[0].At, By: "keep 30d"}}, goldenPruned...) {
		at, e := time.Parse(time.RFC3339, p.At)
		until := map[format.TopicPartition]int64{{Topic: p.Topic, Partition: p.Partition}: p.Until}
		err = errors.Join(err, e, a.Prune(until, p.By, at))
	}
	return errors.Join(err, a.Close())
}

// writeHalfPruned says in an archive that has all its segments, and all lines of them, what was pruned. A pruned segment is damaged, and one is gone.
func writeHalfPruned(root string) error {
	description, err := os.ReadFile(filepath.Join(prunedGolden, "karchive.json"))
	err = errors.Join(err, writeUnpruned(root))
	err = errors.Join(err, os.WriteFile(filepath.Join(root, "karchive.json"), description, 0o644))
	partition := filepath.Join(root, "data", "topic=orders", "partition=2")
	err = errors.Join(err, os.WriteFile(filepath.Join(partition, "00000000000000000006.parquet"), []byte("no segment"), 0o644))
	return errors.Join(err, os.Remove(filepath.Join(partition, "00000000000000000003.parquet")), removeLocks(root))
}

func updateHalfPruned() error {
	return errors.Join(os.RemoveAll(halfPruned), os.MkdirAll(halfPruned, 0o755), writeHalfPruned(halfPruned))
}

func TestTheGoldenPrunedArchiveIsReadAndWrittenAsItIs(t *testing.T) {
	renewed(t, prunedGolden, writePruned, keptSegments())
	if *update {
		if err := updateHalfPruned(); err != nil {
			t.Fatal(err)
		}
	}
	golden := identityOf(t, prunedGolden)
	if golden.Version != "1.4" || !reflect.DeepEqual(golden.Pruned, goldenPruned) {
		t.Errorf("got version %s and %+v, want 1.4 and %+v", golden.Version, golden.Pruned, goldenPruned)
	}
	if got, want := len(dataFiles(t, prunedGolden)), len(keptSegments()); got != want {
		t.Errorf("got %d files in the golden archive, want %d", got, want)
	}
	writtenAsItIs(t, prunedGolden, writePruned, "pruned")
}

func TestAPruneThatEndedEarlyLeavesTheSameArchive(t *testing.T) {
	whole, err := format.OpenPath(prunedGolden)
	if err != nil {
		t.Fatal(err)
	}
	half, err := format.OpenPath(halfPruned)
	if err != nil {
		t.Fatal(err)
	}
	if left, kept := len(dataFiles(t, halfPruned)), len(dataFiles(t, prunedGolden)); left <= kept {
		t.Errorf("%d files, want more than the %d of the archive that was pruned to the end", left, kept)
	}
	for _, tp := range whole.Partitions() {
		if got, want := half.Segments(tp), whole.Segments(tp); len(want) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", tp, got, want)
		}
	}
}
