package memfs

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
)

const seeds = 300

// outcomes crashes f with many seeds and counts the contents that come out.
func outcomes(f *FS) map[string]int {
	seen := map[string]int{}
	for seed := range uint64(seeds) {
		seen[shown(f.Crash(seed))]++
	}
	return seen
}

func shown(f *FS) string {
	files := f.Files()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "%s=%s ", name, files[name])
	}
	return strings.TrimSpace(b.String())
}

// wantOutcomes checks that exactly these contents come out.
func wantOutcomes(t *testing.T, what string, f *FS, want ...string) {
	t.Helper()
	seen := outcomes(f)
	for _, w := range want {
		if seen[w] == 0 {
			t.Errorf("%s: %q never comes out", what, w)
		}
		delete(seen, w)
	}
	for got, n := range seen {
		t.Errorf("%s: %q comes out %d times", what, got, n)
	}
	if t.Failed() {
		t.Log(f.Trace())
	}
}

func TestOnlyWhatWasSyncedIsSureToSurvive(t *testing.T) {
	f := New(Options{})
	mkdir(t, f, "d")
	keep(t, f, "d", "both", "x")
	create(t, f, "d/neither", "x").Close()
	h := create(t, f, "d/bytes", "x")
	ok(t, h.Sync())
	f2 := f.Kill()
	create(t, f2, "d/names", "x").Close()
	wantFiles(t, "bytes without a name", f.CrashBare(), map[string]string{"d/both": "x"})
	ok(t, f2.SyncDir("d"))
	wantFiles(t, "names without bytes", f2.CrashBare(), map[string]string{"d/both": "x", "d/bytes": "x", "d/names": "", "d/neither": ""})
}

func TestANewDirectoryNeedsASyncOfItsParent(t *testing.T) {
	f := New(Options{})
	ok(t, f.Mkdir("d"))
	keep(t, f, "d", "a", "one")
	wantFiles(t, "without", f.CrashBare(), map[string]string{})
	f = f.Kill()
	ok(t, f.SyncDir("."))
	wantFiles(t, "with", f.CrashBare(), map[string]string{"d/a": "one"})
}

func TestACrashEndsHandlesAndLocks(t *testing.T) {
	f := New(Options{})
	keep(t, f, ".", "a", "one")
	h, err := f.OpenAppend("a")
	ok(t, err)
	l, err := f.Lock("lock", "me")
	ok(t, err)
	n := f.CrashBare()
	_, err = h.Write([]byte("two"))
	wantErr(t, "Write", err, ErrCrashed)
	wantErr(t, "Sync", h.Sync(), ErrCrashed)
	wantErr(t, "Close of a file", h.Close(), ErrCrashed)
	wantErr(t, "Close of a lock", l.Close(), ErrCrashed)
	_, err = f.Stat("a")
	wantErr(t, "Stat", err, ErrCrashed)
	wantFiles(t, "next machine", n, map[string]string{"a": "one"})
	_, err = n.Lock("lock", "me")
	ok(t, err)
}

func TestACrashInTheMiddleFreezesTheMachine(t *testing.T) {
	f := New(Options{})
	keep(t, f, ".", "a", "one")
	f.CrashAt(f.Ops())
	wantErr(t, "Rename", f.Rename("a", "b"), ErrCrashed)
	_, err := f.Create("c")
	wantErr(t, "Create", err, ErrCrashed)
	wantErr(t, "SyncDir", f.SyncDir("."), ErrCrashed)
	wantOutcomes(t, "the rename happened or not", f, "a=one", "b=one")
}

func TestASyncThatACrashInterruptsPromisesNothing(t *testing.T) {
	f := New(Options{})
	h := create(t, f, "a", "one")
	f.CrashAt(f.Ops())
	wantErr(t, "Sync", h.Sync(), ErrCrashed)
	wantFiles(t, "at worst", f.CrashBare(), map[string]string{})
	seen := outcomes(f)
	if seen[""] == 0 || seen["a="] == 0 || seen["a=one"] == 0 {
		t.Errorf("outcomes: got %v", seen)
	}
}

func TestACrashCanTearTheWriteAtHand(t *testing.T) {
	f := New(Options{})
	h := create(t, f, "a", "one")
	f.TearAt(f.Ops(), 2, ErrCrashed)
	n, err := h.Write([]byte("two"))
	wantErr(t, "Write", err, ErrCrashed)
	if n != 0 {
		t.Errorf("Write: got %d bytes of a machine that is gone", n)
	}
	wantFiles(t, "after a kill", f.Kill(), map[string]string{"a": "onetw"})
}

func TestAKilledProcessLosesNothingButSyncsNothing(t *testing.T) {
	f := New(Options{})
	h := create(t, f, "a", "one")
	_, err := f.Lock("lock", "me")
	ok(t, err)
	n := f.Kill()
	_, err = h.Write([]byte("two"))
	wantErr(t, "Write", err, ErrCrashed)
	wantFiles(t, "after the kill", n, map[string]string{"a": "one", "lock": "me\n"})
	l, err := n.Lock("lock", "another")
	ok(t, err)
	ok(t, l.Close())
	wantFiles(t, "after a crash that follows", n.CrashBare(), map[string]string{})
}

func TestACrashHasTheSameOutcomeForTheSameSeed(t *testing.T) {
	run := func(seed uint64) *FS {
		f := New(Options{})
		for i := range 20 {
			create(t, f, fmt.Sprint(i), strings.Repeat(fmt.Sprint(i), 1000)).Close()
		}
		return f.Crash(seed)
	}
	differ := false
	for seed := range uint64(50) {
		first, second := shown(run(seed)), shown(run(seed))
		if first != second {
			t.Fatalf("seed %d: two outcomes", seed)
		}
		differ = differ || first != shown(run(seed+1))
	}
	if !differ {
		t.Error("all seeds have one outcome")
	}
}

func TestOneCrashCanBeTriedWithManySeeds(t *testing.T) {
	f := New(Options{})
	mkdir(t, f, "d")
	keep(t, f, "d", "a", "one")
	create(t, f, "d/b", "two")
	first := f.Crash(1)
	before := shown(first)
	for seed := range uint64(seeds) {
		n := f.Crash(seed)
		h, err := n.OpenAppend("d/a")
		ok(t, err)
		write(t, h, "!")
		ok(t, h.Sync())
	}
	if got := shown(first); got != before {
		t.Errorf("first outcome: got %s after others were used, want %s", got, before)
	}
}

func TestARenameHappensAsAWhole(t *testing.T) {
	for _, c := range []struct {
		what     string
		from, to string
		sync     []string
		want     []string
	}{
		{"in a directory", "d/a", "d/b", nil, []string{"d/a=new d/b=old", "d/b=new"}},
		{"in a directory, synced", "d/a", "d/b", []string{"d"}, []string{"d/b=new"}},
		{"across", "d/a", "e/b", nil, []string{"d/a=new e/b=old", "d/a=new e/b=new", "e/b=new"}},
		{"across, target synced", "d/a", "e/b", []string{"e"}, []string{"d/a=new e/b=new", "e/b=new"}},
		{"across, source synced", "d/a", "e/b", []string{"d"}, []string{"e/b=new"}},
		{"across, both synced", "d/a", "e/b", []string{"d", "e"}, []string{"e/b=new"}},
	} {
		f := New(Options{})
		mkdir(t, f, "d")
		mkdir(t, f, "e")
		keep(t, f, path.Dir(c.from), path.Base(c.from), "new")
		keep(t, f, path.Dir(c.to), path.Base(c.to), "old")
		ok(t, f.Rename(c.from, c.to))
		for _, d := range c.sync {
			ok(t, f.SyncDir(d))
		}
		wantOutcomes(t, c.what, f, c.want...)
	}
}

func TestAFileDoesNotLeaveForADirectoryThatIsLost(t *testing.T) {
	f := New(Options{})
	keep(t, f, ".", "a", "one")
	ok(t, f.Mkdir("d"))
	ok(t, f.Rename("a", "d/a"))
	wantOutcomes(t, "into a new directory", f, "a=one", "a=one d/a=one", "d/a=one")
}

func TestALinkAndARemovalAreTwoThings(t *testing.T) {
	f := New(Options{})
	mkdir(t, f, "d")
	keep(t, f, ".", "a", "one")
	ok(t, f.Link("a", "d/b"))
	ok(t, f.Remove("a"))
	f = f.Kill()
	wantOutcomes(t, "none synced", f, "a=one", "a=one d/b=one", "d/b=one", "")
	f = f.Kill()
	ok(t, f.SyncDir("d"))
	wantOutcomes(t, "link synced", f, "a=one d/b=one", "d/b=one")
}

func TestARemovedNameComesBackUntilItsDirectoryIsSynced(t *testing.T) {
	f := New(Options{})
	keep(t, f, ".", "a", "one")
	ok(t, f.Remove("a"))
	f = f.Kill()
	wantOutcomes(t, "not synced", f, "a=one", "")
	f = f.Kill()
	ok(t, f.SyncDir("."))
	wantOutcomes(t, "synced", f, "")
}

func TestARemovedDirectoryTakesNothingElseAlong(t *testing.T) {
	f := New(Options{})
	mkdir(t, f, "d")
	mkdir(t, f, "e")
	keep(t, f, "d", "a", "one")
	ok(t, f.Rename("d/a", "e/a"))
	ok(t, f.Remove("d"))
	f = f.Kill()
	wantOutcomes(t, "not synced", f, "d/a=one", "d/a=one e/a=one", "e/a=one")
	f = f.Kill()
	ok(t, f.SyncDir("."))
	wantOutcomes(t, "synced", f, "e/a=one")
}

func TestATruncationMayBeLostUntilItIsSynced(t *testing.T) {
	f := New(Options{})
	keep(t, f, ".", "a", "one two")
	h, err := f.OpenAppend("a")
	ok(t, err)
	ok(t, h.Truncate(3))
	f = f.Kill()
	wantOutcomes(t, "not synced", f, "a=one two", "a=one")
	f = f.Kill()
	h, err = f.OpenAppend("a")
	ok(t, err)
	ok(t, h.Sync())
	wantOutcomes(t, "synced", f, "a=one")
}

func TestUnsyncedBytesArriveInAnyShare(t *testing.T) {
	const old, size = 700, 3000
	f := New(Options{})
	h := create(t, f, "a", strings.Repeat("o", old))
	ok(t, h.Sync())
	ok(t, f.SyncDir("."))
	write(t, h, strings.Repeat("n", size))
	seen := map[string]int{}
	for seed := range uint64(seeds) {
		seen[classify(t, f.Crash(seed).Files()["a"], old, size)]++
	}
	for _, want := range []string{"nothing", "all", "a beginning", "a beginning up to a sector", "zeros", "with a hole"} {
		if seen[want] == 0 {
			t.Errorf("%s: never comes out; got %v", want, seen)
		}
	}
}

// classify says what is left of size times n after old times o.
func classify(t *testing.T, b []byte, old, size int) string {
	t.Helper()
	if len(b) < old || len(b) > old+size || strings.Trim(string(b[:old]), "o") != "" || bytes.Trim(b[old:], "n\x00") != nil && len(bytes.Trim(b[old:], "n\x00")) > 0 {
		t.Fatalf("contents of %d bytes: got what nobody wrote", len(b))
	}
	n := bytes.Count(b, []byte("n"))
	hole := bytes.IndexByte(b, 0)
	switch {
	case len(b) == old:
		return "nothing"
	case n == size:
		return "all"
	case n == 0:
		return "zeros"
	case hole >= 0 && bytes.IndexByte(b[hole:], 'n') >= 0:
		return "with a hole"
	case (old+n)%sector == 0:
		return "a beginning up to a sector"
	}
	return "a beginning"
}

func TestUnsyncedFilesArriveInAnyOrder(t *testing.T) {
	f := New(Options{})
	a := create(t, f, "a", "")
	b := create(t, f, "b", "")
	ok(t, f.SyncDir("."))
	write(t, a, "first")
	write(t, b, "second")
	seen := outcomes(f)
	for _, want := range []string{"a= b=", "a=first b=", "a= b=second", "a=first b=second"} {
		if seen[want] == 0 {
			t.Errorf("%q never comes out", want)
		}
	}
}

func TestALaterNameMayArriveWithoutAnEarlierOne(t *testing.T) {
	f := New(Options{})
	for _, name := range []string{"a", "b"} {
		ok(t, create(t, f, name, "").Close())
	}
	wantOutcomes(t, "two names", f, "", "a=", "b=", "a= b=")
}

// What was synced, bytes and names up to the root, survives every crash as long as nobody touches it, whatever else goes on. The model
// here is that sentence; the calls are random.
func TestWhatWasSyncedSurvivesWhateverElseHappens(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := New(Options{})
		safe := map[string]string{}
		for round := range 4 {
			for range 60 {
				randomCall(r, f, safe)
			}
			how := "crash"
			switch r.IntN(3) {
			case 0:
				how, f = "bare crash", f.CrashBare()
			case 1:
				f = f.Crash(r.Uint64())
			default:
				how, f = "kill", f.Kill()
			}
			files := f.Files()
			for name, want := range safe {
				if got, found := files[name]; !found || string(got) != want {
					t.Fatalf("seed %d, round %d, %s: %s: got %q, %v, want %q\n%s", seed, round, how, name, got, found, want, f.Trace())
				}
			}
			if how != "kill" { // the disk is what one sees
				clear(safe)
				for name, data := range files {
					safe[name] = string(data)
				}
			}
		}
	}
}

// randomCall does something to one of a few names and keeps safe up to date.
func randomCall(r *rand.Rand, f *FS, safe map[string]string) {
	dirs := []string{".", "d", "d/e", "g"}
	dir := dirs[r.IntN(len(dirs))]
	name := path.Join(dir, string("abc"[r.IntN(3)]))
	other := path.Join(dirs[r.IntN(len(dirs))], string("abc"[r.IntN(3)]))
	switch r.IntN(9) {
	case 0:
		f.Mkdir(dir)
	case 1:
		if f.Remove(name) == nil {
			delete(safe, name)
		}
	case 2:
		if f.Rename(name, other) == nil {
			delete(safe, name)
			delete(safe, other)
		}
	case 3:
		f.Link(name, other) // then two names of safe may be one file, which only appending changes
	case 4:
		f.SyncDir(dir)
	case 5:
		f.Remove(dir)
	case 6, 7:
		appendTo(r, f, name, safe)
	case 8:
		makeSafe(f, dir, name, safe)
	}
}

// appendTo changes a file without syncing it; all names of it stop being safe.
func appendTo(r *rand.Rand, f *FS, name string, safe map[string]string) {
	h, err := f.OpenAppend(name)
	if err != nil {
		return
	}
	defer h.Close()
	for n := range safe {
		if a, b := entryOf(f, n), entryOf(f, name); a != nil && b != nil && a.file == b.file {
			delete(safe, n)
		}
	}
	if r.IntN(4) == 0 {
		h.Truncate(int64(r.IntN(100)))
	}
	fmt.Fprintf(h, "%s%d", strings.Repeat("x", r.IntN(600)), r.Uint64())
}

func entryOf(f *FS, name string) *entry {
	e, err := f.find(name)
	if err != nil {
		return nil
	}
	return e
}

// makeSafe does what makes a file durable.
func makeSafe(f *FS, dir, name string, safe map[string]string) {
	h, err := f.OpenAppend(name)
	if err != nil {
		return
	}
	defer h.Close()
	var errs []error
	errs = append(errs, h.Sync())
	for ; ; dir = path.Dir(dir) {
		errs = append(errs, f.SyncDir(dir))
		if dir == "." {
			break
		}
	}
	if !slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
		safe[name] = string(f.Files()[name])
	}
}

func TestWhatTheNextMachineSyncsIsNotInAnotherOutcome(t *testing.T) {
	f := New(Options{})
	keep(t, f, ".", "a", "one two")
	h, err := f.OpenAppend("a")
	ok(t, err)
	ok(t, h.Truncate(3))
	n := f.Kill()
	h, err = n.OpenAppend("a")
	ok(t, err)
	ok(t, h.Sync())
	write(t, h, "?")
	ok(t, h.Sync())
	wantFiles(t, "the next machine", n.CrashBare(), map[string]string{"a": "one?"})
	wantFiles(t, "another outcome", f.CrashBare(), map[string]string{"a": "one two"})
	wantFiles(t, "another kill", f.Kill(), map[string]string{"a": "one"})
}
