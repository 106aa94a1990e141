package format

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"sync"

	"github.com/karchive/karchive/internal/ondisk"
)

// footersFirst is how many footers an archive reads before it looks whether there is a catalog: who asks for a few segments of many does not pay
// for all of them.
const footersFirst = 8

// catalogUse is an Archive's catalog, which is read when it pays.
type catalogUse struct {
	mu      sync.Mutex
	footers int           // that were read
	loaded  chan struct{} // closed when it is known whether there is one; nil: nobody asked
	ignored bool
	catalog *catalog
}

// IgnoreCatalog has everything read from the segments themselves, whatever the archive's catalog says. Who judges an archive, or changes one,
// or makes another of it, wants that; archives that are open for writing do so anyway.
func (a *Archive) IgnoreCatalog() {
	a.documents.forget()
	a.catalog.mu.Lock()
	defer a.catalog.mu.Unlock()
	a.catalog.ignored, a.catalog.catalog = true, nil
}

// claimed is what the catalog says of a segment; nil: there is none, it was not worth to look yet, or it says nothing that fits.
func (a *Archive) claimed(s Segment) *Document {
	if d := a.documents.get(s.Path); d != nil {
		return d
	}
	c := a.openCatalog()
	if c == nil {
		return nil
	}
	d := c.find(s)
	if d == nil || a.checkSource(d) != nil {
		return nil
	}
	a.documents.keep(s.Path, keptDocument{d, true})
	return d
}

// openCatalog is the catalog, if it is of use by now.
func (a *Archive) openCatalog() *catalog {
	if a.writer != nil || a.damage != nil {
		return nil
	}
	u := &a.catalog
	u.mu.Lock()
	if u.ignored || u.loaded == nil && u.footers < footersFirst {
		u.footers++
		u.mu.Unlock()
		return nil
	}
	loaded, first := u.loaded, u.loaded == nil
	if first {
		loaded = make(chan struct{})
		u.loaded = loaded
	}
	u.mu.Unlock()
	if first {
		a.loadCatalog()
		close(loaded)
	}
	<-loaded
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.catalog
}

// loadCatalog reads the catalog. One that is of no use is as none.
func (a *Archive) loadCatalog() {
	if a.countSegments() < catalogFrom {
		return
	}
	c, size, _ := loadCatalog(a.fsys, a.Identity().ArchiveID)
	a.bytesRead.Add(size)
	a.catalog.mu.Lock()
	defer a.catalog.mu.Unlock()
	if !a.catalog.ignored {
		a.catalog.catalog = c
	}
}

func (a *Archive) countSegments() (n int) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for _, list := range a.segments {
		n += len(list)
	}
	return n
}

// checkCatalog refuses a segment of which the catalog said something else: what was done by it may be wrong.
func (a *Archive) checkCatalog(s Segment, d *Document) error {
	a.catalog.mu.Lock()
	c := a.catalog.catalog
	a.catalog.mu.Unlock()
	if c == nil {
		return nil
	}
	claimed := a.documents.get(s.Path)
	if claimed == nil {
		claimed = c.find(s)
	}
	if claimed == nil || a.checkSource(claimed) != nil || sayTheSame(claimed, d) {
		return nil
	}
	return corruptf("%s says something else of it than it does itself: remove that file, which is only derived", ondisk.Catalog)
}

// sayTheSame is whether documents say the same. A list that is empty may also be left out, and a catalog leaves it out.
func sayTheSame(a, b *Document) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	one, err := json.Marshal(a)
	other, failed := json.Marshal(b)
	return err == nil && failed == nil && bytes.Equal(one, other)
}

// blame is err, which came of what segments are said to be, or what is wrong with what the catalog said of them.
func (a *Archive) blame(err error, of ...Segment) error {
	for _, s := range of {
		if _, wrong := a.footer(s); wrong != nil {
			return wrong
		}
	}
	return err
}

// documentFor is the document of a segment for a walk through a window. The catalog is believed in one thing alone: that a segment has no record of a window
// in time. A segment that should have no row group in the window for any other reason is asked itself, and one that is read is compared.
func (a *Archive) documentFor(w *Selection, s Segment) (*Document, error) {
	d, err := a.Document(s)
	if err != nil || w.timed() || w.overlapsAny(d) {
		return d, err
	}
	return a.footer(s)
}

// timed says whether the selection is bounded in time.
func (s *Selection) timed() bool { return !s.From.IsZero() || !s.Until.IsZero() }

// overlapsAny says whether a segment has a row group that may have selected records.
func (s *Selection) overlapsAny(d *Document) bool {
	return slices.ContainsFunc(d.Groups, func(g RowGroup) bool { return s.overlapsGroup(&g) })
}
