package format_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/test/memfs"
)

// damage is an archive of three segments with something wrong, and what Verify must say of it: for each problem its file, and a
// part of its text.
type damage struct {
	files   map[string]func(whole []byte) []byte
	shallow []string
	deep    []string // what Deep finds besides
}

var (
	first  = seg{tp: orders0, base: 0, next: 100, offsets: offsets(0, 100), groups: 2}
	second = full(orders0, 100, 200)
	third  = full(orders1, 0, 10)
)

func remove([]byte) []byte { return nil }

func become(content []byte) func([]byte) []byte { return func([]byte) []byte { return content } }

// flipAfter flips a bit behind the last place where text stands.
func flipAfter(text string, n int) func([]byte) []byte {
	return func(b []byte) []byte {
		b[bytes.LastIndex(b, []byte(text))+len(text)+n] ^= 1
		return b
	}
}

var flipFooter = flipAfter(`"base_offset"`, 1)

// flipRecords flips a bit in the last zstd frame before the document: of the last column of the last row group.
func flipRecords(b []byte) []byte {
	records := bytes.Index(b, []byte(`"base_offset"`))
	flipAfter("\x28\xb5\x2f\xfd", 8)(b[:records])
	return b
}

func cut(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:len(b)-n] } }

// damages are of archives of encoding e.
func damages(t *testing.T, e format.Encoding) map[string]damage {
	first, second, third := first.in(e), second.in(e), third.in(e)
	full := func(tp format.TopicPartition, base, next int64) seg { return full(tp, base, next).in(e) }
	other := map[format.Encoding]format.Encoding{format.Parquet: format.Arrow, format.Arrow: format.Parquet}[e]
	line := func(s seg) string { return fmt.Sprintf("%x  %s\n", sha256.Sum256(s.bytes(t)), s.path()) }
	at := func(base, next int64) []byte { return full(orders0, base, next).bytes(t) }
	return map[string]damage{
		"nothing": {},
		"a flipped bit in a record": {
			files:   map[string]func([]byte) []byte{first.path(): flipRecords},
			shallow: []string{first.path() + ": corrupt: its SHA-256 is "},
			deep:    []string{first.path() + ": row group 1: corrupt"},
		},
		"a flipped bit in the records of one file and one in the footer of another file": {
			files: map[string]func([]byte) []byte{first.path(): flipRecords, second.path(): flipFooter},
			shallow: []string{
				first.path() + ": corrupt: its SHA-256 is ",
				second.path() + ": corrupt: its SHA-256 is ", second.path() + ": footer: corrupt",
			},
			deep: []string{first.path() + ": row group 1: corrupt"},
		},
		"a file that was cut": {
			files:   map[string]func([]byte) []byte{second.path(): cut(1)},
			shallow: []string{second.path() + ": corrupt: its SHA-256 is ", second.path() + ": footer: corrupt"},
		},
		"an empty file": {
			files:   map[string]func([]byte) []byte{second.path(): become([]byte{})},
			shallow: []string{second.path() + ": corrupt: its SHA-256 is ", second.path() + ": footer: corrupt"},
		},
		"a file that is absent": {
			files:   map[string]func([]byte) []byte{first.path(): remove},
			shallow: []string{first.path() + ": segment is missing"},
		},
		"a file in the middle that is absent with its line": {
			files: map[string]func([]byte) []byte{
				second.path():                  remove,
				full(orders0, 200, 210).path(): become(at(200, 210)),
				"SHA256SUMS":                   become([]byte(line(first) + line(third) + line(full(orders0, 200, 210)))),
			},
			shallow: []string{full(orders0, 200, 210).path() + ": corrupt: does not adjoin the segment before it, which ends at offset 100"},
		},
		"an overlap": {
			files: map[string]func([]byte) []byte{
				full(orders0, 150, 300).path(): become(at(150, 300)),
				"SHA256SUMS":                   become([]byte(line(first) + line(second) + line(third) + line(full(orders0, 150, 300)))),
			},
			shallow: []string{full(orders0, 150, 300).path() + ": corrupt: overlaps the segment before it, which goes to offset 200"},
		},
		"a segment under another name": {
			files:   map[string]func([]byte) []byte{third.path(): become(second.bytes(t))},
			shallow: []string{third.path() + ": corrupt: its SHA-256 is ", third.path() + ": footer: corrupt: the file is of topic orders, partition 0, from offset 100"},
		},
		"a segment of another source": {
			files: map[string]func([]byte) []byte{second.path(): become(otherSource(t, second))},
			shallow: []string{
				second.path() + ": corrupt: its SHA-256 is ",
				second.path() + ": footer: corrupt: its source is cluster cluster-a, topic id made again",
				second.path() + ": footer: corrupt: its topic has the id made again, the archive's has topic-id",
			},
		},
		"a segment without a line": {
			files:   map[string]func([]byte) []byte{"SHA256SUMS": become([]byte(line(first) + line(third)))},
			shallow: []string{second.path() + ": segment is not listed in SHA256SUMS"},
		},
		"a corrupt segment without a line": {
			files:   map[string]func([]byte) []byte{"SHA256SUMS": become([]byte(line(first) + line(third))), second.path(): flipRecords},
			shallow: []string{second.path() + ": row group 0: corrupt", second.path() + ": segment is not listed in SHA256SUMS"},
		},
		"no sums": {
			files: map[string]func([]byte) []byte{"SHA256SUMS": remove},
			shallow: []string{
				first.path() + ": segment is not listed in SHA256SUMS", second.path() + ": segment is not listed in SHA256SUMS",
				third.path() + ": segment is not listed in SHA256SUMS",
			},
		},
		"a torn line": {
			files:   map[string]func([]byte) []byte{"SHA256SUMS": cut(3)},
			shallow: []string{third.path() + ": segment is not listed in SHA256SUMS"},
		},
		"a bad line": {
			files:   map[string]func([]byte) []byte{"SHA256SUMS": become([]byte(line(first) + "notes\n" + line(second) + line(third) + "more\n"))},
			shallow: []string{"SHA256SUMS: line 2: corrupt: ", "SHA256SUMS: line 5: corrupt: "},
		},
		"a bad identity": {
			files:   map[string]func([]byte) []byte{"karchive.json": flipAfter(`"archive_id"`, 4)},
			shallow: []string{"karchive.json: corrupt: "},
		},
		"segments of another encoding": {
			files: map[string]func([]byte) []byte{
				full(orders1, 10, 20).in(other).path():          become(full(orders1, 10, 20).in(other).bytes(t)),
				full(orders1, 10, 20).in(other).path() + ".bak": become([]byte("x")),
			},
			shallow: []string{
				full(orders1, 10, 20).in(other).path() + ": not a file of karchive: its encoding is " + string(other),
				full(orders1, 10, 20).in(other).path() + ": segment is not listed in SHA256SUMS",
				full(orders1, 10, 20).in(other).path() + ".bak: not a file of karchive",
			},
		},
		"a segment of another encoding than its name says": {
			files:   map[string]func([]byte) []byte{third.path(): become(third.in(other).bytes(t))},
			shallow: []string{third.path() + ": corrupt: its SHA-256 is ", third.path() + ": footer: corrupt: the file is of encoding " + string(other)},
		},
		"foreign files": {
			files: map[string]func([]byte) []byte{"data/notes.txt": become([]byte("x")), "data/topic=orders/partition=0/1.csv": become([]byte("x"))},
			shallow: []string{
				"data/notes.txt: not a file of karchive", "data/topic=orders/partition=0/1.csv: not a file of karchive",
			},
		},
	}
}

func (d damage) archive(t *testing.T, e format.Encoding) *memfs.FS {
	whole := memArchive(t, first.in(e), second.in(e), third.in(e))
	files := map[string][]byte{}
	for name, change := range d.files {
		files[name] = change(bytes.Clone(whole.Files()[name]))
	}
	return changed(whole, files)
}

func TestVerifyNamesEveryBadFileAndWhatIsWrong(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		for name, d := range damages(t, e) {
			t.Run(name, func(t *testing.T) {
				fsys := d.archive(t, e)
				for _, jobs := range []int{0, 1, 3} {
					checkFindings(t, findings(t, fsys, format.VerifyOptions{Jobs: jobs}), d.shallow)
					checkFindings(t, findings(t, fsys, format.VerifyOptions{Jobs: jobs, Deep: true}), append(slices.Clone(d.shallow), d.deep...))
				}
			})
		}
	})
}

// checkFindings checks that every finding begins with one that is wanted, and every one that is wanted is found.
func checkFindings(t *testing.T, got, want []string) {
	t.Helper()
	for _, w := range want {
		if !slices.ContainsFunc(got, func(g string) bool { return strings.HasPrefix(g, w) }) {
			t.Errorf("got findings\n%s\nwant one that begins with\n%s", strings.Join(got, "\n"), w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d findings, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
}

func TestVerifyReportsEveryFileInOrder(t *testing.T) {
	fsys := changed(memArchive(t, first, second, third), map[string][]byte{"data/notes.txt": {}})
	want := []string{"karchive.json", "SHA256SUMS", first.path(), second.path(), third.path(), "data/notes.txt"}
	for range 20 {
		var got []string
		err := format.Verify(fsys, format.VerifyOptions{Jobs: 3}, func(c format.FileCheck) error {
			got = append(got, c.Path)
			if (c.Segment != nil) != (c.Document != nil) || c.Segment != nil && c.Document.BaseOffset != c.Segment.Base {
				t.Errorf("%s: got %+v, %+v", c.Path, c.Segment, c.Document)
			}
			return nil
		})
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
}

func TestVerifyEndsWhenTheReportSaysSo(t *testing.T) {
	fsys := memArchive(t, first, second, third)
	enough := errors.New("enough")
	for n := 1; n <= 5; n++ {
		calls := 0
		err := format.Verify(fsys, format.VerifyOptions{Deep: true, Jobs: 2}, func(format.FileCheck) error {
			if calls++; calls == n {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || calls != n {
			t.Errorf("got %v after %d reports, want it after %d", err, calls, n)
		}
	}
}

func TestVerifyWantsAnArchive(t *testing.T) {
	if err := format.Verify(memfs.New(memfs.Options{}), format.VerifyOptions{}, ignore); !errors.Is(err, format.ErrNotArchive) {
		t.Errorf("got %v, want ErrNotArchive", err)
	}
}

func TestVerifyTakesASegmentSealedMeanwhileForListed(t *testing.T) {
	fsys := memArchive(t, first)
	a := mustOpenForWriting(t, fsys)
	sealed := false
	err := format.Verify(sealing{fsys, func() {
		if !sealed {
			sealed = true
			mustSeal(t, a, second)
		}
	}}, format.VerifyOptions{}, func(c format.FileCheck) error { return c.Err() })
	if err != nil || !sealed {
		t.Errorf("got %v", err)
	}
}

// sealing calls seal before data/ is listed.
type sealing struct {
	*memfs.FS
	seal func()
}

func (s sealing) ReadDir(name string) ([]fs.DirEntry, error) {
	s.seal()
	return s.FS.ReadDir(name)
}

func TestDeepVerificationFindsARecordInANamedGap(t *testing.T) {
	fsys := memArchive(t)
	a := mustOpenForWriting(t, fsys)
	p, err := a.NewSegment(full(orders0, 0, 30).options())
	if err != nil {
		t.Fatal(err)
	}
	steps := []error{
		seg{offsets: []int64{5}}.writeTo(p),
		p.Gap(ledger.Gap{From: 10, Until: 15, Reason: ledger.Retention}),
		seg{offsets: []int64{22, 27}}.writeTo(p),
	}
	_, doc, err := p.Seal(30)
	if err := errors.Join(append(steps, err)...); err != nil {
		t.Fatal(err)
	}
	path := full(orders0, 0, 30).path()
	moved := withDocument(t, fsys.Files()[path], doc, `"from":10,"until":15`, `"from":20,"until":25`)
	fsys = changed(fsys, map[string][]byte{path: moved, "SHA256SUMS": fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(moved), path)})
	if got := findings(t, fsys, format.VerifyOptions{}); len(got) > 0 {
		t.Fatalf("got %q without Deep", got)
	}
	got := findings(t, fsys, format.VerifyOptions{Deep: true})
	checkFindings(t, got, []string{path + ": row group 0: corrupt: has a record at offset 22, in the gap 20..25 (retention)"})
}

// withDocument changes the document in a segment file, and its digest with it. New must be as long as old.
func withDocument(t *testing.T, file []byte, d *format.Document, old, new string) []byte {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(text, []byte(old), []byte(new), 1)
	digest := func(b []byte) []byte {
		sum := xxh3.Hash128(b).Bytes()
		return fmt.Appendf(nil, "%x", sum[:])
	}
	file = bytes.Replace(file, text, changed, 1)
	return bytes.Replace(file, digest(text), digest(changed), 1)
}

func TestRebuildSumsWritesThemAnew(t *testing.T) {
	whole := memArchive(t, first, second, third)
	sums := string(whole.Files()["SHA256SUMS"])
	for name, content := range map[string][]byte{
		"absent": nil, "garbage": []byte("garbage\n"), "a wrong digest": []byte(strings.Replace(sums, sums[:8], "00000000", 1)),
		"a line of it": []byte(strings.SplitAfter(sums, "\n")[1]), "right": []byte(sums),
	} {
		t.Run(name, func(t *testing.T) {
			fsys := changed(whole, map[string][]byte{"SHA256SUMS": content})
			checked := 0
			err := format.RebuildSums(fsys, func(c format.FileCheck) error { checked++; return c.Err() })
			if err != nil || checked != 4 {
				t.Fatalf("got %v after %d files, want 4", err, checked)
			}
			if got := string(fsys.CrashBare().Files()["SHA256SUMS"]); got != sums {
				t.Errorf("got SHA256SUMS\n%swant\n%s", got, sums)
			}
		})
	}
}

func TestRebuildSumsMakesDurableWhatAKilledWriterDidNot(t *testing.T) {
	fsys := memArchive(t)
	a := mustOpenForWriting(t, fsys)
	fsys.Inject(func(o memfs.Op) *memfs.Fault {
		if o.Call == memfs.SyncDir && o.Name == "data" {
			return &memfs.Fault{Err: syscall.EIO}
		}
		return nil
	})
	if err := first.seal(a); err == nil {
		t.Fatal("sealed")
	}
	fsys = fsys.Kill()
	if err := format.RebuildSums(fsys, ignore); err != nil {
		t.Fatal(err)
	}
	if got := mustOpen(t, fsys.CrashBare()).Segments(orders0); len(got) != 1 {
		t.Errorf("got segments %v, want one", got)
	}
}

func TestRebuildSumsBlessesNoDamage(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		for name, d := range damages(t, e) {
			if name == "nothing" || !slices.ContainsFunc(append(d.shallow, d.deep...), isNotOfSums) {
				continue
			}
			t.Run(name, func(t *testing.T) {
				fsys := d.archive(t, e)
				before := fsys.Files()["SHA256SUMS"]
				if err := format.RebuildSums(fsys, ignore); err == nil {
					t.Error("got no error")
				}
				if got := fsys.Files()["SHA256SUMS"]; !bytes.Equal(got, before) {
					t.Errorf("got SHA256SUMS\n%s", got)
				}
				checkNoTemp(t, fsys)
			})
		}
	})
}

// isNotOfSums says that a finding is not one that new sums do away with.
func isNotOfSums(f string) bool {
	return !strings.HasPrefix(f, "SHA256SUMS") && !strings.HasSuffix(f, format.ErrUnlisted.Error())
}

func TestRebuildSumsMakesNoArchiveOfAnotherDirectory(t *testing.T) {
	fsys := memfs.FromFiles(memfs.Options{}, map[string][]byte{"x": nil})
	before := fsys.Files()
	if err := format.RebuildSums(fsys, ignore); !errors.Is(err, format.ErrNotArchive) {
		t.Errorf("got %v, want ErrNotArchive", err)
	}
	checkFiles(t, fsys, before)
}

func TestVerifyOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	archiveOf(t, dirFS(t, dir), first, second, third)
	if got := findings(t, dirFS(t, dir), format.VerifyOptions{Deep: true}); len(got) > 0 {
		t.Errorf("got findings %q", got)
	}
}
