package format_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/test/memfs"
)

// judged is an archive of testdata/refuse: the check of SPEC.md that finds what is wrong, and what the error says of it.
type judged struct {
	Archive, Reason, Says string
	Check                 int
}

func TestEveryArchiveThatIsWrongIsRefusedByAllReaders(t *testing.T) {
	text, err := os.ReadFile("../testdata/refuse/archives.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []judged
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if dirs := archivesIn(t, "../testdata/refuse"); len(dirs) != len(cases) {
		t.Errorf("%d archives, archives.json has %d", len(dirs), len(cases))
	}
	for _, c := range cases {
		t.Run(c.Archive, func(t *testing.T) {
			fsys := memfs.FromFiles(memfs.Options{}, readTree(t, filepath.Join("../testdata/refuse", c.Archive)))
			if err := readEverything(t, fsys); err == nil || !strings.Contains(err.Error(), c.Says) {
				t.Errorf("reading (%s): got %v, want an error that says %s", c.Reason, err, c.Says)
			}
			if found := strings.Join(findings(t, fsys, format.VerifyOptions{Deep: true}), "\n"); !strings.Contains(found, c.Says) {
				t.Errorf("verify (%s): got %q, want what says %s", c.Reason, found, c.Says)
			}
		})
	}
}

func TestWhatIsOnlyUnusualIsRead(t *testing.T) {
	for _, name := range archivesIn(t, "../testdata/accept") {
		t.Run(name, func(t *testing.T) {
			fsys := memfs.FromFiles(memfs.Options{}, readTree(t, filepath.Join("../testdata/accept", name)))
			if err := readEverything(t, fsys); err != nil {
				t.Errorf("reading: %v", err)
			}
			if found := findings(t, fsys, format.VerifyOptions{Deep: true}); len(found) > 0 {
				t.Errorf("verify found %q", found)
			}
		})
	}
}

// readEverything opens an archive and reads all of its records.
func readEverything(t *testing.T, fsys storage.FS) error {
	t.Helper()
	a, err := format.Open(fsys)
	if err != nil {
		return err
	}
	for _, tp := range a.Partitions() {
		if _, err := readAll(scan.NewCursor(a, tp, format.Selection{})); err != nil {
			return err
		}
	}
	return nil
}

func archivesIn(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*", "karchive.json"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no archives in %s: %v", dir, err)
	}
	for i, name := range found {
		found[i] = filepath.Base(filepath.Dir(name))
	}
	slices.Sort(found)
	return found
}
