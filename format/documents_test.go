package format

import (
	"strconv"
	"testing"

	"github.com/karchive/karchive/format/ledger"
)

func TestTheDocumentsThatAreKeptHaveALimit(t *testing.T) {
	var c documentCache
	documents := []*Document{
		{}, {Groups: make([]RowGroup, 30_000)}, {Gaps: make([]ledger.Gap, 1000)},
		{Groups: []RowGroup{{HeaderKeys: []HeaderKey{{Key: make([]byte, 8<<20)}}}}},
	}
	for i := range 500 {
		path, d := strconv.Itoa(i), documents[i%len(documents)]
		c.put(path, d)
		c.put(path, d)
		if c.get(path) != d {
			t.Fatalf("the document put last is not there")
		}
		if c.cost > keptDocuments {
			t.Fatalf("documents of %d bytes are kept, want at most %d", c.cost, keptDocuments)
		}
	}
	want := 0
	for _, d := range c.docs {
		want += d.memory()
	}
	if c.cost != want || len(c.docs) < 3 {
		t.Errorf("got a cost of %d for %d documents, want %d", c.cost, len(c.docs), want)
	}
}

func TestTheDocumentsOfManySmallSegmentsAreKept(t *testing.T) {
	var c documentCache
	for i := range 20_000 {
		c.put(strconv.Itoa(i), &Document{Groups: make([]RowGroup, 1)})
	}
	if len(c.docs) != 20_000 {
		t.Errorf("%d of 20,000 documents are kept", len(c.docs))
	}
}
