package bucket_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/test/membucket"
)

var update = flag.Bool("update", false, "write the golden archive of a bucket anew")

// golden12 is a bucket with the segments of another golden archive, copied into a directory: its karchive.json is older than its plan.
const golden12 = "../testdata/golden-1.2-bucket"

func makeGolden(t *testing.T) {
	t.Helper()
	from, err := format.OpenPath("../testdata/golden-1.0-ledger")
	ok(t, err)
	s := bucket.New(t.Context(), membucket.New().Open(), bucket.Options{})
	a, err := format.Create(s, format.Identity{ClusterID: from.Identity().ClusterID})
	ok(t, err)
	for _, tp := range from.Partitions() {
		for _, seg := range from.Segments(tp) {
			_, err := a.CopySegment(from, seg, nil)
			ok(t, err)
		}
	}
	id := from.Identity()
	if err := a.SetIdentity(id); err == nil {
		t.Error("an archive in a bucket got another id")
	}
	id.ArchiveID = ""
	ok(t, a.SetIdentity(id))
	ok(t, a.Close())
	ok(t, s.Remove(".karchive-fence"))
	ok(t, os.RemoveAll(golden12))
	ok(t, os.CopyFS(golden12, os.DirFS(download(t, s))))
	expected, err := os.ReadFile("../testdata/golden-1.0-ledger.expected.jsonl")
	ok(t, err)
	ok(t, os.WriteFile(golden12+".expected.jsonl", expected, 0o644))
}

func TestTheGoldenArchiveOfABucketIsWhatItsLastPlanSays(t *testing.T) {
	if *update {
		makeGolden(t)
	}
	a, err := format.OpenPath(golden12)
	ok(t, err)
	want, err := format.OpenPath("../testdata/golden-1.0-ledger")
	ok(t, err)
	id := a.Identity()
	if id.Version != "1.2" || id.Revision != 2 || id.Capture == nil || len(id.Topics) != len(want.Identity().Topics) {
		t.Errorf("got version %s, revision %d, plan %v, %d topics", id.Version, id.Revision, id.Capture, len(id.Topics))
	}
	fsys, err := storage.DirFS(golden12)
	ok(t, err)
	ok(t, format.Verify(fsys, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error { return c.Err() }))
	if got := records(t, a); got != records(t, want) {
		t.Error("its records are others than those of the archive that it was made of")
	}
	plan := filepath.Join(golden12, "plans", "00000000000000000002.json")
	content, err := os.ReadFile(plan)
	ok(t, err)
	_, document, err := format.LoadIdentity(fsys)
	ok(t, err)
	if string(document) != string(content) {
		t.Errorf("the document that describes it is not %s", plan)
	}
}
