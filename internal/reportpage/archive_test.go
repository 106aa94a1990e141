package reportpage

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
)

func TestThePageOfAnArchiveShowsTopicsGapsSizesAndState(t *testing.T) {
	a, err := format.Open(storage.FromFS(os.DirFS("../../testdata/golden-1.0-ledger")))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var b strings.Builder
	if err := WriteArchive(context.Background(), &b, "golden", a); err != nil {
		t.Fatal(err)
	}
	for _, tp := range a.Partitions() {
		if !strings.Contains(b.String(), "<h3>"+tp.Topic) {
			t.Errorf("the page does not name topic %s", tp.Topic)
		}
	}
	for _, want := range []string{`class="retention"`, `class="corrupt"`, "control", "filtered", "row group", "Plan of the last capture", "≤ "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	for _, not := range []string{"http:", "https:", "<script", "NaN", "%!"} {
		if strings.Contains(b.String(), not) {
			t.Errorf("the page has %q", not)
		}
	}
}

func TestAnArchiveWithoutAPlanHasAPage(t *testing.T) {
	a, err := format.Open(storage.FromFS(os.DirFS("../../testdata/accept/" + "arc-extra-hidden")))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	var b strings.Builder
	if err := WriteArchive(context.Background(), &b, "small", a); err != nil {
		t.Fatal(err)
	}
}
