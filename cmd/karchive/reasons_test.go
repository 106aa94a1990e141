package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/storage"
)

func TestAllThatTellsOfGapsKnowsEveryReason(t *testing.T) {
	for reason := range new(ledger.Ledger).All() {
		dir := filepath.Join(t.TempDir(), "run")
		want := writeGapOf(t, dir, reason)
		told := output(t, exitDone, "cat", dir, "--ledger")
		twin := filepath.Join(t.TempDir(), "twin")
		if err := os.WriteFile(twin, []byte(told), 0o600); err != nil {
			t.Fatal(err)
		}
		output(t, exitDone, "import", "jsonl", twin, "-o", dir+"2")
		if got := coverageOf(t, dir+"2"); !maps.Equal(got, want) {
			t.Errorf("cat_ledger.go and internal/imports: a text twin of 3 offsets of the reason %s has %v, want %v", reason, got, want)
		}
		output(t, exitDone, "diff", dir, dir+"2")
		lost := map[bool]string{true: fmt.Sprintf("lost: orders-0 offsets 1..4 (%s)\n", reason)}[reason.Ranged()]
		if got := output(t, exitDone, "verify", dir); !strings.HasPrefix(got, lost+"all right") && !strings.HasPrefix(got, lost+"sound") {
			t.Errorf("verify: got %s, want it to begin with %q", got, lost)
		}
	}
}

// writeGapOf makes an archive of a record, three offsets of a reason and a record, and returns what it covers, by reason.
func writeGapOf(t *testing.T, dir string, reason ledger.Reason) map[ledger.Reason]int64 {
	t.Helper()
	a := newArchive(t, dir, format.Identity{})
	p, err := a.NewSegment(format.WriterOptions{Topic: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	err = p.Write(&format.Record{})
	switch {
	case reason.Ranged():
		err = errors.Join(err, p.Gap(ledger.Gap{From: 1, Until: 4, Reason: reason}))
	case reason != ledger.Absent:
		err = errors.Join(err, p.Skip(1, 0, reason), p.Skip(2, 0, reason), p.Skip(3, 0, reason))
	}
	if err := errors.Join(err, p.Write(&format.Record{Offset: 4})); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Seal(5); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return coverageOf(t, dir)
}

func coverageOf(t *testing.T, dir string) map[ledger.Reason]int64 {
	t.Helper()
	fsys, err := storage.DirFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := format.Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	c, err := a.Coverage(format.TopicPartition{Topic: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	return maps.Collect(c.Ledger.All())
}

// output is what a command prints that ends with code.
func output(t *testing.T, code int, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := run(t.Context(), args, io.NopCloser(strings.NewReader("")), &stdout, &stderr); got != code {
		t.Fatalf("karchive %s: exit code %d, want %d: %s", strings.Join(args, " "), got, code, stderr.String())
	}
	return stdout.String()
}
