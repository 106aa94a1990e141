package imports

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/test/memfs"
)

// imported is an archive that an import made.
type imported struct {
	Report
	archive *format.Archive
	fsys    storage.FS
	bad     []string
}

// textFile is a file of text.
func textFile(kind Kind, name, text string, o OpenOptions) File {
	return File{name, func() (Source, func() error, error) {
		in := strings.NewReader(text)
		s, err := Open(kind, Input{name, in, int64(len(text))}, o)
		if err != nil {
			return nil, nil, err
		}
		return s, func() error { s.Close(); return nil }, err
	}}
}

// importFiles imports into an archive in memory.
func importFiles(t testing.TB, o Options, files ...File) (*imported, error) {
	t.Helper()
	out := &imported{fsys: memfs.New(memfs.Options{})}
	a, err := format.Create(out.fsys, format.Identity{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	out.archive = a
	o.TempDir = t.TempDir()
	o.OnBad = func(bad *BadRow) { out.bad = append(out.bad, bad.Error()) }
	out.Report, err = Run(t.Context(), a, files, o)
	if left, _ := os.ReadDir(o.TempDir); len(left) > 0 {
		t.Errorf("the temporary file %s is left", left[0].Name())
	}
	return out, err
}

func mustImport(t testing.TB, o Options, files ...File) *imported {
	t.Helper()
	out, err := importFiles(t, o, files...)
	if err != nil {
		t.Fatal(err)
	}
	out.verify(t)
	return out
}

// verify checks the archive deeply.
func (i *imported) verify(t testing.TB) {
	t.Helper()
	err := format.Verify(i.fsys, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error { return c.Err() })
	if err != nil {
		t.Errorf("verify: %v", err)
	}
}

// lines are the archive's records as karchive cat prints them.
func (i *imported) lines(t testing.TB) string {
	t.Helper()
	var out bytes.Buffer
	for _, tp := range i.archive.Partitions() {
		c := scan.NewCursor(i.archive, tp, format.Selection{})
		for {
			records, err := c.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for n := range records {
				out.Write(jsonl.Append(nil, tp, &records[n]))
			}
		}
	}
	return out.String()
}

// short is lines without what most rows have.
func (i *imported) short(t testing.TB) string {
	return strings.NewReplacer(`"timestamp_ms":-1,"timestamp_type":"none",`, "", `"leader_epoch":-1,`, "", `,"headers":[]`, "").Replace(i.lines(t))
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
