package format_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/test/memfs"
)

func TestATornLastLineIsIgnoredByReadersAndCutByWriters(t *testing.T) {
	whole := memArchive(t, full(orders0, 0, 10), full(orders0, 10, 20))
	sums := string(whole.Files()["SHA256SUMS"])
	lines := strings.SplitAfter(sums, "\n")
	zeros := strings.Repeat("\x00", len(lines[1])-1)
	for name, torn := range map[string]string{
		"one byte":                      lines[0] + lines[1][:1],
		"half a digest":                 lines[0] + lines[1][:30],
		"all but the newline":           lines[0] + strings.TrimSuffix(lines[1], "\n"),
		"a block of zeros":              lines[0] + zeros,
		"zeros before the end":          lines[0] + zeros[:50] + lines[1][50:],
		"zeros, and a part of the next": lines[0] + zeros[:50] + lines[1][50:] + "ab",
		"nothing before it":             lines[0][:20],
	} {
		t.Run(name, func(t *testing.T) {
			fsys := changed(whole, map[string][]byte{"SHA256SUMS": []byte(torn)})
			if got := offsetsOf(t, mustOpen(t, fsys), orders0, format.Selection{}); len(got) != 20 {
				t.Errorf("got %d records, want 20", len(got))
			}
			if string(fsys.Files()["SHA256SUMS"]) != torn {
				t.Error("reading changed it")
			}
			a := mustOpenForWriting(t, fsys)
			if got := string(fsys.Files()["SHA256SUMS"]); got != sums {
				t.Errorf("got SHA256SUMS\n%q\nwant\n%q", got, sums)
			}
			mustSeal(t, a, full(orders0, 20, 30))
			if got := findings(t, fsys, format.VerifyOptions{}); len(got) > 0 {
				t.Errorf("got findings %q", got)
			}
		})
	}
}

func TestSumsThatAreNotTornButWrongAreRefusedAndKept(t *testing.T) {
	archive := memArchive(t, full(orders0, 0, 10), full(orders0, 10, 20))
	sums := string(archive.Files()["SHA256SUMS"])
	lines := strings.SplitAfter(sums, "\n")
	other := strings.Replace(lines[0], lines[0][:4], "0000", 1)
	for name, c := range map[string]struct{ content, where string }{
		"text at the end":        {sums + "my notes\n", "line 3"},
		"text in the middle":     {lines[0] + "my notes\n" + lines[1], "line 2"},
		"zeros in the middle":    {lines[0][:20] + "\x00" + lines[0][21:] + lines[1], "line 1"},
		"a short digest":         {lines[0][2:] + lines[1], "line 1"},
		"a digest in upper case": {strings.ToUpper(lines[0][:64]) + lines[0][64:], "line 1"},
		"one space":              {strings.Replace(lines[0], "  ", " ", 1), "line 1"},
		"a path that leads out":  {strings.Replace(lines[0], "data/", "../data/", 1), "line 1"},
		"another file":           {sums + lines[0][:66] + "karchive.json\n", "line 3"},
		"two digests for a file": {sums + other, "line 3"},
		"an endless line":        {sums + strings.Repeat("x", 100_000) + "\n", "line 3"},
	} {
		fsys := changed(archive, map[string][]byte{"SHA256SUMS": []byte(c.content)})
		for how, open := range map[string]func(storage.Writable) (*format.Archive, error){"read": openToRead, "write": format.OpenForWriting} {
			_, err := open(fsys)
			if !errors.Is(err, format.ErrCorrupt) || !strings.Contains(err.Error(), "SHA256SUMS: "+c.where) {
				t.Errorf("%s, %s: got %.300v, want ErrCorrupt in %s", name, how, err, c.where)
			}
		}
		if string(fsys.Files()["SHA256SUMS"]) != c.content {
			t.Errorf("%s: it was changed", name)
		}
	}
}

func TestALineThatIsThereTwiceIsNoHarm(t *testing.T) {
	archive := memArchive(t, full(orders0, 0, 10))
	fsys := changed(archive, map[string][]byte{"SHA256SUMS": bytes.Repeat(archive.Files()["SHA256SUMS"], 2)})
	mustOpen(t, fsys)
}

func TestASegmentWithoutALineGetsOneAfterADeepCheck(t *testing.T) {
	whole := memArchive(t, full(orders0, 0, 10), full(orders0, 10, 20), full(orders1, 0, 5))
	sums := string(whole.Files()["SHA256SUMS"])
	lines := strings.SplitAfter(sums, "\n")
	fsys := changed(whole, map[string][]byte{"SHA256SUMS": []byte(lines[1])})
	if got := mustOpen(t, fsys).Segments(orders0)[0].SHA256; got != "" {
		t.Errorf("reader: got SHA-256 %s, want none", got)
	}
	a := mustOpenForWriting(t, fsys)
	if got, want := string(fsys.Files()["SHA256SUMS"]), lines[1]+lines[0]+lines[2]; got != want {
		t.Errorf("got SHA256SUMS\n%swant\n%s", got, want)
	}
	if got := a.Segments(orders0)[0].SHA256; got != lines[0][:64] {
		t.Errorf("writer: got SHA-256 %q, want %s", got, lines[0][:64])
	}
}

func TestACorruptSegmentWithoutALineIsNotBlessed(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		good := full(orders0, 10, 20).in(e)
		whole := memArchive(t, full(orders0, 0, 10).in(e), good)
		line, _, _ := strings.Cut(string(whole.Files()["SHA256SUMS"]), "\n")
		body := good.bytes(t)
		for at := 4; at < len(body); at += 37 {
			damaged := bytes.Clone(body)
			damaged[at] ^= 0x10
			fsys := changed(whole, map[string][]byte{"SHA256SUMS": []byte(line + "\n"), good.path(): damaged})
			a, err := format.OpenForWriting(fsys)
			if err == nil {
				// A bit that no reader looks at may differ: then the records are right all the same.
				if got := offsetsOf(t, a, orders0, format.Selection{}); len(got) != 20 {
					t.Errorf("byte %d: blessed a segment with %d records", at, len(got))
				}
				a.Close()
				continue
			}
			if !errors.Is(err, format.ErrCorrupt) || !strings.Contains(err.Error(), good.path()) {
				t.Fatalf("byte %d: got %v, want ErrCorrupt that names %s", at, err, good.path())
			}
			if got := string(fsys.Files()["SHA256SUMS"]); got != line+"\n" {
				t.Fatalf("byte %d: got SHA256SUMS\n%s", at, got)
			}
			if !bytes.Equal(fsys.Files()[good.path()], damaged) {
				t.Fatalf("byte %d: the segment was touched", at)
			}
		}
		damaged := flipRecords(bytes.Clone(body))
		fsys := changed(whole, map[string][]byte{"SHA256SUMS": []byte(line + "\n"), good.path(): damaged})
		if _, err := format.OpenForWriting(fsys); !errors.Is(err, format.ErrCorrupt) {
			t.Errorf("got %v, want ErrCorrupt", err)
		}
	})
}

func TestASegmentWithoutALineThatDoesNotAdjoinIsNotBlessed(t *testing.T) {
	stray := full(orders0, 8, 20)
	fsys := changed(memArchive(t, full(orders0, 0, 10)), map[string][]byte{stray.path(): stray.bytes(t)})
	if _, err := format.OpenForWriting(fsys); !errors.Is(err, format.ErrCorrupt) || !strings.Contains(err.Error(), stray.path()) {
		t.Errorf("got %v, want ErrCorrupt that names %s", err, stray.path())
	}
}

func TestLeftoversAreRemovedUnderTheLock(t *testing.T) {
	left := map[string][]byte{".karchive-tmp/segment-7": []byte("half"), ".karchive-tmp/karchive.json": []byte("{"), ".karchive-tmp/case": {}}
	fsys := changed(memArchive(t, full(orders0, 0, 10)), left)
	holder, err := fsys.Lock(".karchive-lock", "somebody")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := format.OpenForWriting(fsys); !errors.Is(err, storage.ErrLocked) {
		t.Fatalf("got %v, want ErrLocked", err)
	}
	if got := fsys.Files(); got[".karchive-tmp/segment-7"] == nil {
		t.Error("removed the files of somebody who holds the lock")
	}
	holder.Close()
	mustOpenForWriting(t, fsys)
	for name := range left {
		if _, ok := fsys.Files()[name]; ok {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestWhatIsNoLeftoverIsNotRemoved(t *testing.T) {
	fsys := changed(memArchive(t), map[string][]byte{".karchive-tmp/thesis.txt": []byte("x")})
	if _, err := format.OpenForWriting(fsys); !errors.Is(err, format.ErrForeignFile) {
		t.Errorf("got %v, want ErrForeignFile", err)
	}
	if string(fsys.Files()[".karchive-tmp/thesis.txt"]) != "x" {
		t.Error("it was removed")
	}
}

func TestOpeningReadsNoSegment(t *testing.T) {
	var segments []seg
	for base := int64(0); base < 50; base += 10 {
		segments = append(segments, full(orders0, base, base+10))
	}
	fsys := memArchive(t, segments...)
	fsys.Inject(func(o memfs.Op) *memfs.Fault {
		if strings.HasSuffix(o.Name, ".parquet") {
			t.Errorf("%v", o)
		}
		return nil
	})
	for _, open := range []func(storage.Writable) (*format.Archive, error){openToRead, format.OpenForWriting} {
		a, err := open(fsys)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Segments(orders0); len(got) != 5 || got[4].Size == 0 || len(got[4].SHA256) != 64 {
			t.Errorf("got segments %+v", got)
		}
		a.Close()
	}
}

func TestAnArchiveWithoutSumsOrDataIsEmpty(t *testing.T) {
	// What a Create leaves that was killed as soon as karchive.json was there.
	fsys := changed(memArchive(t), map[string][]byte{"SHA256SUMS": nil})
	if got := mustOpen(t, fsys).Partitions(); len(got) != 0 {
		t.Errorf("got partitions %v, want none", got)
	}
	mustSeal(t, mustOpenForWriting(t, fsys), full(orders0, 0, 10))
	if got := findings(t, fsys, format.VerifyOptions{Deep: true}); len(got) > 0 {
		t.Errorf("got findings %q", got)
	}
}

func TestDocumentsAreKeptUpToALimit(t *testing.T) {
	var segments []seg
	for base := int64(0); base < 3; base++ {
		segments = append(segments, full(orders0, base, base+1))
	}
	a := mustOpen(t, memArchive(t, segments...))
	for range 2 {
		for _, s := range a.Segments(orders0) {
			d, err := a.Document(s)
			if err != nil || d.BaseOffset != s.Base {
				t.Errorf("%s: got %v, %v", s.Path, d, err)
			}
		}
	}
	read := a.BytesRead()
	if read == 0 {
		t.Error("nothing was counted")
	}
	if _, err := a.Coverage(orders0); err != nil || a.BytesRead() != read {
		t.Errorf("got %d bytes read after %d, error %v: want documents from memory", a.BytesRead(), read, err)
	}
}

// hookedFS calls a hook before it opens or locks a file.
type hookedFS struct {
	*memfs.FS
	before map[string]func()
}

func (h hookedFS) run(name string) {
	if do := h.before[name]; do != nil {
		delete(h.before, name)
		do()
	}
}

func (h hookedFS) Open(name string) (storage.ReadFile, error) {
	h.run(name)
	return h.FS.Open(name)
}

func (h hookedFS) Lock(name, holder string) (io.Closer, error) {
	h.run(name)
	return h.FS.Lock(name, holder)
}

func TestASegmentSealedWhileAReaderOpensIsNotMissing(t *testing.T) {
	fsys := memArchive(t, full(orders0, 0, 10))
	w := mustOpenForWriting(t, fsys)
	sealed := false
	_, err := format.Open(hookedFS{fsys, map[string]func(){"SHA256SUMS": func() {
		sealed = true
		mustSeal(t, w, full(orders0, 10, 20))
	}}})
	if err != nil || !sealed {
		t.Errorf("got %v, sealed: %v", err, sealed)
	}
}

func TestOfTwoCreatesTheSecondFindsTheFirst(t *testing.T) {
	fsys := memfs.New(memfs.Options{})
	var id format.Identity
	_, err := format.Create(hookedFS{fsys, map[string]func(){".karchive-lock": func() {
		archiveOf(t, fsys, full(orders0, 0, 10))
		id = mustOpen(t, fsys).Identity()
	}}}, identity)
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want fs.ErrExist", err)
	}
	if got := mustOpen(t, fsys).Identity(); got.ArchiveID != id.ArchiveID || id.ArchiveID == "" {
		t.Errorf("got archive %s, want %s", got.ArchiveID, id.ArchiveID)
	}
}
