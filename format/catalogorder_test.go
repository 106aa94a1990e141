package format

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestACatalogOutOfOrderOrOfAnotherCountIsDamaged(t *testing.T) {
	var inOrder []catalogEntry
	for base := range int64(3 * frameSegments) {
		s, ok := segmentAt(fmt.Sprintf("data/topic=orders/partition=0/%020d.parquet", base))
		if !ok {
			t.Fatal("no segment")
		}
		inOrder = append(inOrder, catalogEntry{s, []byte("{}")})
	}
	swapped, twice := slices.Clone(inOrder), slices.Clone(inOrder)
	swapped[0], swapped[len(swapped)-1] = swapped[len(swapped)-1], swapped[0]
	twice[1] = twice[0]
	for name, c := range map[string]struct {
		entries []catalogEntry
		more    int
		damaged bool
	}{
		"as it should be": {inOrder, 0, false}, "out of order": {swapped, 0, true}, "one twice": {twice, 0, true}, "fewer than it says": {inOrder, 1, true},
	} {
		var b catalogBuilder
		for _, e := range c.entries {
			b.add(e)
		}
		b.segments += c.more
		content, err := b.content("id")
		if err != nil {
			t.Fatal(err)
		}
		made, err := parseCatalog(content, "id")
		if err == nil {
			err = made.entries(func(catalogEntry) {})
		}
		if errors.Is(err, ErrCorrupt) != c.damaged {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
