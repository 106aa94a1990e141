package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
)

// newArchive makes an archive without segments in dir, open for writing.
func newArchive(t *testing.T, dir string, id format.Identity) *format.Archive {
	t.Helper()
	fsys, err := storage.DirFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := format.Create(fsys, id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// writeArchive makes an archive of one record in dir.
func writeArchive(t *testing.T, dir string) {
	t.Helper()
	a := newArchive(t, dir, format.Identity{})
	p, err := a.NewSegment(format.WriterOptions{Topic: "orders"})
	if err == nil {
		err = p.Write(&format.Record{})
	}
	if err == nil {
		_, _, err = p.Seal(1)
	}
	if err := errors.Join(err, a.Close()); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestAnInterruptedCopyLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	writeArchive(t, filepath.Join(dir, "run1"))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	var stdout, stderr bytes.Buffer
	args := []string{"copy", filepath.Join(dir, "run1"), "-o", filepath.Join(dir, "run2"), "--encoding", "arrow"}
	if got := run(ctx, args, nil, &stdout, &stderr); got != exitInterrupted {
		t.Errorf("got exit code %d, want %d", got, exitInterrupted)
	}
	if got := names(t, dir); got != "run1" || stdout.Len() > 0 || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("got files %s, stdout %q, stderr %q", got, stdout.String(), stderr.String())
	}
}

func TestAnArchiveMadeAsideIsThereWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "new")
	first, err := createArchive(new(env), to, format.Identity{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := createArchive(new(env), to, format.Identity{}); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("while another one makes it: got %v, want ErrLocked", err)
	}
	if got := names(t, dir); got != ".new.karchive-new" {
		t.Errorf("got files %s before commit", got)
	}
	if err := first.Commit(); err != nil {
		t.Fatal(err)
	}
	first.Abandon()
	if got := names(t, dir); got != "new" {
		t.Errorf("got files %s after commit", got)
	}
	if a, err := openArchive(newEnv(strings.NewReader(""), io.Discard, io.Discard), to); err != nil {
		t.Error(err)
	} else {
		a.Close()
	}
}

func TestWhatAKilledProcessLeftAsideIsRemoved(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "new")
	writeArchive(t, filepath.Join(dir, ".new.karchive-new"))
	a, err := createArchive(new(env), to, format.Identity{})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Partitions(); len(got) > 0 {
		t.Errorf("got partitions %v of the one before", got)
	}
	a.Abandon()
	if got := names(t, dir); got != "" {
		t.Errorf("got files %s after abandon", got)
	}
}
