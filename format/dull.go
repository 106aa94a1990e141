package format

import "github.com/karchive/karchive/internal/zstdfast"

// dullness notices, at the fastest level, pages of a column that are not worth compressing: values that are compressed or encrypted already. The
// codec finds that out of most by itself. But small values that all begin alike, as those of gzip do, keep it busy for longer than text
// does, for a few percent. The rule looks at the bytes of pages alone, so that the same records make the same file.
type dullness struct {
	left int // pages that are stored as they are, if they look as random as the last one that was compressed
	next int // how many those will be when the next compressed page is dull as well
}

const (
	dullShare = 16      // a page is dull that a sixteenth of itself, or less, is saved of
	mostDull  = 16      // pages in a row that are stored without compressing one to see
	leastDull = 4 << 10 // bytes: smaller pages cost nothing
	mostStore = 1 << 20 // larger pages hold a large value: the codec is fast there
)

// skips says whether a page is to be stored as it is.
func (d *dullness) skips(page []byte) bool {
	if d.left == 0 || len(page) < leastDull || len(page) > mostStore || !zstdfast.LooksRandom(page) {
		return false
	}
	d.left--
	return true
}

// compressed notes what came of a page.
func (d *dullness) compressed(page, frame int) {
	if page < leastDull || page-frame > page/dullShare {
		*d = dullness{}
		return
	}
	d.next = min(max(2*d.next, 1), mostDull)
	d.left = d.next
}
