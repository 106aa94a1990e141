package pack

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/karchive/karchive/internal/ondisk"
)

// forgery is a packed file as somebody hostile makes it.
type forgery struct {
	manifest *Manifest
	text     []byte   // of the manifest, in place of it; nil: what it says
	contents string   // "": what its files make
	names    []string // of entries behind the manifest
	content  map[string][]byte
	entries  []entry // before they are written
}

func forge(t *testing.T, file string, change func(f *forgery)) string {
	t.Helper()
	p, err := Open([]string{file}, OpenOptions{})
	must(t, err)
	defer p.Close()
	f := &forgery{manifest: p.Manifest, content: map[string][]byte{}}
	for _, e := range p.parts[0].entries[1:] {
		f.names = append(f.names, e.name)
		f.content[e.name], err = p.parts[0].readSmall(e.name, 1<<20)
		must(t, err)
	}
	change(f)
	to := filepath.Join(t.TempDir(), "forged.karchive")
	must(t, os.WriteFile(to, f.zip(t), 0o600))
	return to
}

func (f *forgery) zip(t *testing.T) []byte {
	t.Helper()
	if f.text == nil {
		if f.manifest.Contents = f.contents; f.contents == "" && len(f.manifest.Root) > 0 {
			f.manifest.Contents = contentsOf(f.manifest.Root[0], f.manifest.segments())
		}
		var err error
		f.text, err = f.manifest.encode()
		must(t, err)
	}
	f.content[ManifestName] = f.text
	for _, name := range append([]string{ManifestName}, f.names...) {
		b := f.content[name]
		f.entries = append(f.entries, entry{name: name, size: int64(len(b)), crc: crc32.ChecksumIEEE(b)})
	}
	var out []byte
	end := layout(f.entries)
	for i := range f.entries {
		out = append(append(out, f.entries[i].local()...), f.content[f.entries[i].name]...)
	}
	return append(out, directory(f.entries, end)...)
}

// rename gives the first segment another path, in the manifest and in the zip.
func (f *forgery) rename(path string) {
	old := f.manifest.Parts[0].Files[0].Path
	f.manifest.Parts[0].Files[0].Path = path
	f.names[slices.Index(f.names, old)] = path
	f.content[path] = f.content[old]
}

// replace gives a file of the root other content, with its right size and digest.
func (f *forgery) replace(name string, content []byte) {
	f.content[name] = content
	for i := range f.manifest.Root {
		if f.manifest.Root[i].Path == name {
			f.manifest.Root[i] = fileOf(name, content)
		}
	}
}

func TestNoForgedPackedFileIsUnpacked(t *testing.T) {
	file := packInto(t, newArchive(t, 2, 1), filepath.Join(t.TempDir(), "run.karchive"), Options{})[0]
	first := func(f *forgery) *File { return &f.manifest.Parts[0].Files[0] }
	for name, change := range map[string]func(f *forgery){
		"a size that is larger":         func(f *forgery) { first(f).Size++ },
		"a size that is smaller":        func(f *forgery) { first(f).Size-- },
		"a size of less than nothing":   func(f *forgery) { first(f).Size = -1 },
		"a size that nothing has":       func(f *forgery) { first(f).Size = 1 << 62 },
		"another digest":                func(f *forgery) { first(f).SHA256 = strings.Repeat("0", 64) },
		"a digest in capitals":          func(f *forgery) { first(f).SHA256 = strings.ToUpper(first(f).SHA256) },
		"a digest that is none":         func(f *forgery) { first(f).SHA256 = "x" },
		"other contents":                func(f *forgery) { f.contents = strings.Repeat("0", 64) },
		"a path up":                     func(f *forgery) { f.rename("../outside") },
		"a path up within":              func(f *forgery) { f.rename("data/topic=../partition=0/00000000000000000000.parquet") },
		"a path up behind":              func(f *forgery) { f.rename("data/topic=a/partition=0/../../../../00000000000000000000.parquet") },
		"a path from the root":          func(f *forgery) { f.rename("/tmp/outside") },
		"a path of a drive":             func(f *forgery) { f.rename(`C:\outside`) },
		"a path with backslashes":       func(f *forgery) { f.rename(`data\topic=a\partition=0\00000000000000000000.parquet`) },
		"a path with a zero byte":       func(f *forgery) { f.rename("data/topic=a\x00/partition=0/00000000000000000000.parquet") },
		"a path with an empty part":     func(f *forgery) { f.rename("data//topic=a/partition=0/00000000000000000000.parquet") },
		"the lock":                      func(f *forgery) { f.rename(ondisk.Lock) },
		"karchive.json as a segment":    func(f *forgery) { f.rename(ondisk.Identity) },
		"the staging file":              func(f *forgery) { f.rename(incoming) },
		"a segment twice":               func(f *forgery) { f.manifest.Parts[0].Files = append(f.manifest.Parts[0].Files, *first(f)) },
		"a segment packed and presumed": func(f *forgery) { f.manifest.Since, f.manifest.Presumed = &State{}, []File{*first(f)} },
		"presumed of no state": func(f *forgery) {
			f.manifest.Presumed = []File{{"data/topic=x/partition=0/00000000000000000000.parquet", 1, first(f).SHA256}}
		},
		"a segment that is not there": func(f *forgery) { f.names = slices.Delete(f.names, 2, 3) },
		"an entry that is not named":  func(f *forgery) { f.names, f.content["more"] = append(f.names, "more"), []byte("x") },
		"an entry twice":              func(f *forgery) { f.names = append(f.names, f.names[2]) },
		"entries in another order":    func(f *forgery) { slices.Reverse(f.names) },
		"no part":                     func(f *forgery) { f.manifest.Parts = nil },
		"an empty part more":          func(f *forgery) { f.manifest.Parts = append(f.manifest.Parts, Part{Files: []File{}}) },
		"no root":                     func(f *forgery) { f.manifest.Root = nil },
		"another root":                func(f *forgery) { f.manifest.Root[1].Path = ".profile" },
		"no JSON":                     func(f *forgery) { f.text = []byte("{") },
		"a member twice":              func(f *forgery) { f.text = []byte(`{"version":"1.0","version":"1.0"}`) },
		"another version":             func(f *forgery) { f.manifest.Version = "2.0" },
		"no version":                  func(f *forgery) { f.manifest.Version = "" },
		"deep nesting":                func(f *forgery) { f.text = bytes.Repeat([]byte("["), 1<<20) },
		"another archive's id":        func(f *forgery) { f.manifest.ArchiveID = "00000000-0000-0000-0000-000000000000" },
		"sums without a segment":      func(f *forgery) { f.replace(ondisk.Sums, nil) },
		"sums of other files":         func(f *forgery) { f.replace(ondisk.Sums, append(f.content[ondisk.Sums], "x  ../y\n"...)) },
		"no identity":                 func(f *forgery) { f.replace(ondisk.Identity, []byte("{}")) },
		"bytes that are not the digest's": func(f *forgery) {
			f.content[f.names[2]] = slices.Concat(f.content[f.names[2]][1:], []byte("x"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			forged, outside := forge(t, file, change), t.TempDir()
			to := filepath.Join(outside, "in", "out")
			must(t, os.Mkdir(filepath.Dir(to), 0o700))
			if err := unpackAll(t, to, OpenOptions{}, forged); err == nil {
				t.Error("it was unpacked")
			}
			if err := checkFile(forged); err == nil {
				t.Error("nothing wrong was found in it")
			}
			must(t, filepath.WalkDir(outside, func(path string, d fs.DirEntry, err error) error {
				if !strings.HasPrefix(path, filepath.Dir(to)) && path != outside || path == to {
					t.Errorf("there is %s", path)
				}
				return err
			}))
		})
	}
}

// checkFile opens a packed file and checks all of it.
func checkFile(name string) error {
	p, err := Open([]string{name}, OpenOptions{})
	if err != nil {
		return err
	}
	defer p.Close()
	var wrong error
	err = p.Check(context.Background(), func(int64) {}, func(_, _ string, err error) { wrong = err })
	return errors.Join(err, wrong)
}

func TestNoOtherZipIsAPackedFile(t *testing.T) {
	file := packInto(t, newArchive(t, 1, 1), filepath.Join(t.TempDir(), "run.karchive"), Options{})[0]
	honest, err := os.ReadFile(file)
	must(t, err)
	for name, change := range map[string]func(h *zip.FileHeader){
		"deflated, as bombs are": func(h *zip.FileHeader) { h.Method = zip.Deflate },
		"with links":             func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) },
		"with a comment":         func(h *zip.FileHeader) { h.Comment = "x" },
		"with an extra field":    func(h *zip.FileHeader) { h.Extra = []byte{9, 9, 0, 0} },
		"as other programs do":   func(*zip.FileHeader) {},
	} {
		if err := checkBytes(rezipped(t, honest, change)); err == nil {
			t.Errorf("a zip %s is taken", name)
		}
	}
	for name, b := range map[string][]byte{"in front": slices.Concat([]byte("x"), honest), "behind": slices.Concat(honest, []byte("x")), "twice": slices.Concat(honest, honest)} {
		if err := checkBytes(b); err == nil {
			t.Errorf("with something %s it is taken", name)
		}
	}
}

// rezipped is a zip of the same files, which another program made.
func rezipped(t *testing.T, b []byte, change func(*zip.FileHeader)) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range r.File {
		h := &zip.FileHeader{Name: f.Name}
		change(h)
		to, err := w.CreateHeader(h)
		must(t, err)
		from, err := f.Open()
		must(t, err)
		_, err = io.Copy(to, from)
		must(t, err)
	}
	must(t, w.Close())
	return out.Bytes()
}

func TestEveryFlippedBitOfSignaturesAndOfAnEncryptedFileIsFound(t *testing.T) {
	dir, tmp := newArchive(t, 1, 1), t.TempDir()
	signers, _ := keys(t)
	signed, err := os.ReadFile(packInto(t, dir, filepath.Join(tmp, "signed.karchive"), Options{Signers: signers})[0])
	must(t, err)
	from, to := bytes.Index(signed, []byte("untrusted comment")), bytes.LastIndex(signed, []byte("END SSH SIGNATURE"))
	if from < 0 || to < from {
		t.Fatal("no signatures in it")
	}
	for i := from; i < to; i++ {
		signed[i] ^= 1 << (i % 8)
		if checkBytes(signed) == nil {
			t.Errorf("byte %d of a signature changed, and nothing was found", i-from)
		}
		signed[i] ^= 1 << (i % 8)
	}
	id, err := age.GenerateX25519Identity()
	must(t, err)
	b, err := os.ReadFile(packInto(t, dir, filepath.Join(tmp, "run.karchive.age"), Options{Recipients: []age.Recipient{id.Recipient()}})[0])
	must(t, err)
	for i := range b {
		b[i] ^= 1 << (i % 8)
		if checkEncrypted(b, id) == nil {
			t.Errorf("byte %d of %d of the encrypted file changed, and nothing was found", i, len(b))
		}
		b[i] ^= 1 << (i % 8)
	}
	for n := 0; n < len(b); n += 7 {
		if checkEncrypted(b[:n], id) == nil {
			t.Errorf("encrypted and cut to %d of %d bytes, and nothing was found", n, len(b))
		}
	}
}

func TestALinkInThePlaceOfTheStagingDirectoryIsNotFollowed(t *testing.T) {
	tmp := t.TempDir()
	file := packInto(t, newArchive(t, 1, 1), filepath.Join(tmp, "run.karchive"), Options{})[0]
	mine := filepath.Join(tmp, "mine")
	must(t, os.Mkdir(mine, 0o700))
	must(t, os.WriteFile(filepath.Join(mine, "precious"), []byte("x"), 0o600))
	if err := os.Symlink(mine, filepath.Join(tmp, ".out"+stagingSuffix)); err != nil {
		t.Skip(err)
	}
	if err := unpackAll(t, filepath.Join(tmp, "out"), OpenOptions{}, file); err == nil {
		t.Error("it was unpacked")
	}
	if _, err := os.Stat(filepath.Join(mine, "precious")); err != nil {
		t.Error(err)
	}
}

func TestAManifestOfAManyMillionSegmentsIsRefusedBySize(t *testing.T) {
	if _, err := ParseManifest(make([]byte, maxManifestBytes+1)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v, want %v", err, ErrCorrupt)
	}
}

// FuzzManifest reads anything as a manifest, for --since say. What is taken spells itself so that it is taken again, in the same state, and has
// only paths of segments.
func FuzzManifest(f *testing.F) {
	if seeds, err := os.ReadDir("testdata/fuzz/FuzzManifest"); err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseManifest(text)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) {
				t.Errorf("%v is of no known kind", err)
			}
			return
		}
		for path := range m.Segments() {
			if _, ok := ondisk.ParseSegmentPath(path); !ok {
				t.Errorf("%q is a path of it", path)
			}
		}
		again, err := json.Marshal(m)
		must(t, err)
		if n, err := ParseManifest(again); err != nil || n.State() != m.State() {
			t.Errorf("spelled again: %v", err)
		}
	})
}
