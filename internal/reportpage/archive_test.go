package reportpage

import (
	"context"
	"html"
	"os"
	"slices"
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

func TestThePageOfAnArchiveShowsTheCodecsOfTheSource(t *testing.T) {
	for name, want := range map[string]bool{"golden-1.5-codecs": true, "golden-1.0-ledger": false} {
		a, err := format.Open(storage.FromFS(os.DirFS("../../testdata/" + name)))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		var b strings.Builder
		if err := WriteArchive(context.Background(), &b, name, a); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "batches at the source: "); got != want {
			t.Errorf("%s: the codecs are on the page: %t, want %t", name, got, want)
		}
		for _, topic := range a.Identity().Topics {
			read := slices.ContainsFunc(a.Partitions(), func(tp format.TopicPartition) bool { return tp.Topic == topic.Name })
			if text := html.EscapeString(topic.Codecs.String()); read && text != "" && !strings.Contains(b.String(), "batches at the source: "+text+"<") {
				t.Errorf("%s: the page does not have %q of topic %s", name, text, topic.Name)
			}
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
