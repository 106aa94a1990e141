package memfs

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"
)

// calls is one call of every kind, each of which succeeds when nothing goes wrong, in the order of their numbers.
var calls = []struct {
	call Call
	do   func(*session) error
}{
	{Mkdir, func(s *session) error { return s.f.Mkdir("d") }},
	{Create, func(s *session) (err error) { s.w, err = s.f.Create("a"); return err }},
	{Write, func(s *session) error { _, err := s.w.Write([]byte("hello")); return err }},
	{Sync, func(s *session) error { return s.w.Sync() }},
	{Truncate, func(s *session) error { return s.w.Truncate(4) }},
	{Size, func(s *session) error { _, err := s.w.Size(); return err }},
	{ReadAt, func(s *session) error { _, err := s.w.ReadAt(make([]byte, 1), 0); return err }},
	{Close, func(s *session) error { return s.w.Close() }},
	{Open, func(s *session) error { _, err := s.f.Open("a"); return err }},
	{OpenAppend, func(s *session) (err error) { _, err = s.f.OpenAppend("a"); return err }},
	{Link, func(s *session) error { return s.f.Link("a", "d/b") }},
	{Rename, func(s *session) error { return s.f.Rename("d/b", "d/c") }},
	{SyncDir, func(s *session) error { return s.f.SyncDir("d") }},
	{Stat, func(s *session) error { _, err := s.f.Stat("a"); return err }},
	{ReadDir, func(s *session) error { _, err := s.f.ReadDir("d"); return err }},
	{Remove, func(s *session) error { return s.f.Remove("a") }},
	{Lock, func(s *session) (err error) { s.l, err = s.f.Lock("lock", "me"); return err }},
	{Unlock, func(s *session) error { return s.l.Close() }},
	{Share, func(s *session) (err error) { _, err = s.f.Share("lock", "us"); return err }},
}

type session struct {
	f *FS
	w interface {
		ReadAt([]byte, int64) (int, error)
		Write([]byte) (int, error)
		Size() (int64, error)
		Truncate(int64) error
		Sync() error
		Close() error
	}
	l interface{ Close() error }
}

func TestEveryCallIsAnOperationThatCanFail(t *testing.T) {
	for n := range calls {
		f := New(Options{})
		f.FailAt(n, syscall.EIO)
		var seen Call
		s := &session{f: f}
		for i, c := range calls[:n+1] {
			err := c.do(s)
			if i < n {
				ok(t, err)
				continue
			}
			seen = c.call
			wantErr(t, string(seen), err, syscall.EIO)
			if pe, le := new(fs.PathError), new(os.LinkError); !errors.As(err, &pe) && !errors.As(err, &le) {
				t.Errorf("%s: got %T", seen, err)
			}
		}
		if got := f.trace[n].op.Call; got != seen || f.Ops() != n+1 {
			t.Errorf("operation %d: got %s of %d operations, want %s", n, got, f.Ops(), seen)
		}
	}
}

func TestAFailureIsWithoutEffectAndALateOneIsNot(t *testing.T) {
	for _, c := range []struct {
		what string
		do   func(*FS) error
		late map[string]string
	}{
		{"Create", func(f *FS) error { _, err := f.Create("b"); return err }, map[string]string{"a": "one", "b": ""}},
		{"Link", func(f *FS) error { return f.Link("a", "b") }, map[string]string{"a": "one", "b": "one"}},
		{"Rename", func(f *FS) error { return f.Rename("a", "b") }, map[string]string{"b": "one"}},
		{"Remove", func(f *FS) error { return f.Remove("a") }, map[string]string{}},
	} {
		for _, late := range []bool{false, true} {
			f := FromFiles(Options{}, map[string][]byte{"a": []byte("one")})
			want := map[string]string{"a": "one"}
			if late {
				f.FailLateAt(0, syscall.EIO)
				want = c.late
			} else {
				f.FailAt(0, syscall.EIO)
			}
			wantErr(t, c.what, c.do(f), syscall.EIO)
			wantFiles(t, c.what, f, want)
		}
	}
}

func TestATornWriteLeavesItsBeginning(t *testing.T) {
	f := New(Options{})
	f.TearAt(2, 4, syscall.ENOSPC)
	h := create(t, f, "a", "one ")
	n, err := h.Write([]byte("two three"))
	wantErr(t, "Write", err, syscall.ENOSPC)
	if n != 4 {
		t.Errorf("Write: got %d bytes, want 4", n)
	}
	write(t, h, "!")
	wantFiles(t, "afterwards", f, map[string]string{"a": "one two !"})
}

func TestADiskThatIsGoneFailsEveryOperation(t *testing.T) {
	f := New(Options{})
	f.FailFrom(2, syscall.EIO)
	h := create(t, f, "a", "one")
	_, err := h.Write([]byte("two"))
	wantErr(t, "Write", err, syscall.EIO)
	_, err = f.Stat("a")
	wantErr(t, "Stat", err, syscall.EIO)
	wantErr(t, "Close", h.Close(), syscall.EIO)
	wantErr(t, "second Close", h.Close(), syscall.EIO)
	wantFiles(t, "afterwards", f, map[string]string{"a": "one"})
}

func TestAFullDiskTakesWhatFits(t *testing.T) {
	f := New(Options{})
	keepFile := create(t, f, "a", "one")
	f.SetFree(5)
	h := create(t, f, "b", "tw")
	n, err := h.Write([]byte("o three"))
	wantErr(t, "Write", err, syscall.ENOSPC)
	if n != 3 {
		t.Errorf("Write: got %d bytes, want 3", n)
	}
	_, err = keepFile.Write([]byte("x"))
	wantErr(t, "Write to another file", err, syscall.ENOSPC)
	wantFiles(t, "full", f, map[string]string{"a": "one", "b": "two t"})

	ok(t, h.Truncate(3))
	write(t, keepFile, "!!")
	ok(t, f.Link("b", "c"))
	ok(t, f.Remove("b"))
	ok(t, f.Remove("c"))
	_, err = keepFile.Write([]byte("x"))
	wantErr(t, "Write while a removed file is open", err, syscall.ENOSPC)
	ok(t, h.Close())
	write(t, keepFile, "???")
	_, err = keepFile.Write([]byte("x"))
	wantErr(t, "Write once more", err, syscall.ENOSPC)
	f.SetFree(-1)
	write(t, keepFile, " and all the rest")
	wantFiles(t, "with room", f, map[string]string{"a": "one!!??? and all the rest"})
}

func TestSyncingAgainAfterAFailureSavesNothing(t *testing.T) {
	f := New(Options{})
	h := create(t, f, "a", "one ")
	ok(t, f.SyncDir("."))
	ok(t, h.Sync())
	write(t, h, "two ")
	f.FailAt(f.Ops(), syscall.EIO)
	wantErr(t, "Sync", h.Sync(), syscall.EIO)
	ok(t, h.Sync())
	wantFiles(t, "before the crash", f, map[string]string{"a": "one two "})
	wantFiles(t, "after the crash", f.CrashBare(), map[string]string{"a": "one "})
	f = f.Kill()
	h, err := f.OpenAppend("a")
	ok(t, err)
	ok(t, h.Sync())
	wantFiles(t, "after another process synced it", f.CrashBare(), map[string]string{"a": "one "})
}

func TestWhatIsWrittenAfterAFailedSyncCanBeSynced(t *testing.T) {
	f := New(Options{})
	h := create(t, f, "a", "one ")
	ok(t, f.SyncDir("."))
	f.FailAt(f.Ops(), syscall.EIO)
	wantErr(t, "Sync", h.Sync(), syscall.EIO)
	write(t, h, "two")
	ok(t, h.Sync())
	wantFiles(t, "after the crash", f.CrashBare(), map[string]string{"a": "\x00\x00\x00\x00two"})
}

func TestSyncingADirectoryAgainAfterAFailureSavesNothing(t *testing.T) {
	f := New(Options{})
	keep(t, f, ".", "a", "one")
	ok(t, f.Rename("a", "b"))
	f.FailAt(f.Ops(), syscall.EIO)
	wantErr(t, "SyncDir", f.SyncDir("."), syscall.EIO)
	ok(t, f.SyncDir("."))
	keep(t, f, ".", "c", "two")
	wantFiles(t, "before the crash", f, map[string]string{"b": "one", "c": "two"})
	wantFiles(t, "after the crash", f.CrashBare(), map[string]string{"a": "one", "c": "two"})
	f = f.Kill()
	ok(t, f.SyncDir("."))
	wantFiles(t, "after another process synced it", f.CrashBare(), map[string]string{"b": "one", "c": "two"})
}

func TestALateFailureOfASyncHasSaved(t *testing.T) {
	f := New(Options{})
	h := create(t, f, "a", "one")
	ok(t, f.SyncDir("."))
	f.FailLateAt(f.Ops(), syscall.EIO)
	wantErr(t, "Sync", h.Sync(), syscall.EIO)
	wantFiles(t, "after the crash", f.CrashBare(), map[string]string{"a": "one"})
}

func TestALockEndsEvenWhenClosingItFails(t *testing.T) {
	f := New(Options{})
	l, err := f.Lock("lock", "me")
	ok(t, err)
	f.FailAt(1, syscall.EIO)
	wantErr(t, "Close", l.Close(), syscall.EIO)
	_, err = f.Lock("lock", "another")
	ok(t, err)
}
