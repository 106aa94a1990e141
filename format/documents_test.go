package format

import (
	"strconv"
	"testing"
)

func TestTheDocumentsThatAreKeptHaveALimit(t *testing.T) {
	var c documentCache
	for i := range 3 * maxDocuments {
		path := strconv.Itoa(i)
		c.put(path, &Document{BaseOffset: int64(i)})
		if d := c.get(path); d == nil || d.BaseOffset != int64(i) {
			t.Fatalf("got %v for the one put last", d)
		}
	}
	if len(c.docs) != maxDocuments {
		t.Errorf("got %d documents, want %d", len(c.docs), maxDocuments)
	}
}
