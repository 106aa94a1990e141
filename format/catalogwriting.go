package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/printable"
)

// catalogEvery is after how many sealed segments the catalog is written anew, at least; in a large archive it is an eighth of what it has, so that
// the cost a segment stays the same.
const catalogEvery = 256

// cataloguer has what the catalog lacks of what this writer sealed.
type cataloguer struct {
	writing sync.Mutex // one at a time

	mu    sync.Mutex // guards what follows
	fresh []catalogEntry
	due   int // how many of them are written
}

// add notes a segment, and says whether the catalog is to be written.
func (c *cataloguer) add(s Segment, d *Document) (due bool) {
	e, ok := newEntry(s, d)
	if !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fresh = append(c.fresh, e)
	return len(c.fresh) >= max(c.due, catalogEvery)
}

// pending is what the catalog lacks.
func (c *cataloguer) pending() []catalogEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.fresh)
}

// newEntry is not ok for a segment that no catalog has.
func newEntry(s Segment, d *Document) (catalogEntry, bool) {
	if d == nil {
		return catalogEntry{}, false
	}
	text, err := json.Marshal(d)
	if err != nil || len(text) > maxCatalogDocument {
		return catalogEntry{}, false
	}
	return catalogEntry{s, printable.AppendJSON(nil, text)}, true
}

// written forgets what the catalog has now, of so many segments. After an error it is tried again when as many more are sealed.
func (c *cataloguer) written(n, segments int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.due = len(c.fresh) + catalogEvery
		return
	}
	c.fresh = slices.Clone(c.fresh[n:])
	c.due = segments / 8
}

// forget gives up what the catalog lacks: it is not this program's to write.
func (c *cataloguer) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fresh = nil
}

// noteSealed has a segment that was just sealed come into the catalog, some time.
func (a *Archive) noteSealed(s Segment, d *Document) {
	c := &a.writer.catalog
	if !c.add(s, d) || a.writer.staged || !c.writing.TryLock() {
		return
	}
	defer c.writing.Unlock()
	a.addToCatalog(false)
}

// writeCatalog adds to the catalog what this writer sealed, and takes out what was pruned; anyway: also if nothing was sealed. Another writer that does so at
// the same time may lack it, which costs readers a request for each segment that is missing. So does an error, which is nobody's: what is derived does not
// make what was captured, copied or pruned a failure. Verify names what is in the way.
func (a *Archive) writeCatalog(anyway bool) {
	a.writer.catalog.writing.Lock()
	defer a.writer.catalog.writing.Unlock()
	a.addToCatalog(anyway)
}

// addToCatalog is writeCatalog for who holds the lock of writing.
func (a *Archive) addToCatalog(anyway bool) {
	fresh := a.writer.catalog.pending()
	few := a.countSegments() < catalogFrom
	if (few || len(fresh) == 0) && !anyway {
		return
	}
	id := a.Identity()
	old, err := ownCatalog(a.fsys, id.ArchiveID)
	if err != nil {
		a.writer.catalog.forget()
		return
	}
	if few && old == nil {
		return
	}
	a.replaceCatalog(old, fresh, len(fresh), id)
}

// ownCatalog is the catalog that may be replaced; nil: there is none, or that of another archive. One that is damaged is as one that is empty. An error
// is for what stays as it is, because this program cannot say what it is: of a newer version, or what cannot be read.
func ownCatalog(fsys storage.ReadFS, archiveID string) (*catalog, error) {
	c, _, err := loadCatalog(fsys, archiveID)
	switch {
	case errors.Is(err, ErrCorrupt) && !errors.Is(err, ondisk.ErrTooLarge):
		return &catalog{}, nil
	case err == nil && c != nil && newerVersion(c.version):
		return nil, versionError("catalog", c.version)
	}
	return c, err
}

// mostFootersAtClose bounds what a writer reads at its end for the catalog.
const mostFootersAtClose = 1024

// completeCatalog is writeCatalog at the end of a writer. It also has in it what others sealed who were killed, which each reader would have to look for.
func (a *Archive) completeCatalog() {
	c := &a.writer.catalog
	c.writing.Lock()
	defer c.writing.Unlock()
	if a.countSegments() < catalogFrom {
		return
	}
	fresh := c.pending()
	n := len(fresh)
	id := a.Identity()
	old, err := ownCatalog(a.fsys, id.ArchiveID)
	if err != nil {
		return
	}
	known := map[string]Segment{}
	note := func(e catalogEntry) { known[e.Path] = e.Segment }
	if old.entries(note) != nil {
		old, known = nil, map[string]Segment{}
	}
	for _, e := range fresh {
		note(e)
	}
	if fresh = append(fresh, a.uncatalogued(known)...); len(fresh) > 0 {
		a.replaceCatalog(old, fresh, n, id)
	}
}

// uncatalogued reads what is not known, by path, size and SHA-256. What cannot be read stays out.
func (a *Archive) uncatalogued(known map[string]Segment) (entries []catalogEntry) {
	var list []Segment
	for _, tp := range a.Partitions() {
		for _, s := range a.list(tp) {
			if k, ok := known[s.Path]; (!ok || !k.mayBe(s)) && len(list) < mostFootersAtClose {
				list = append(list, s)
			}
		}
	}
	docs, _ := a.readDocuments(list)
	for i, s := range list {
		if e, ok := newEntry(s, docs[i]); ok {
			entries = append(entries, e)
		}
	}
	return entries
}

// replaceCatalog adds fresh ones, of which the first n are those of the cataloguer.
func (a *Archive) replaceCatalog(old *catalog, fresh []catalogEntry, n int, id Identity) {
	b := mergeCatalog(old, fresh, id.Pruned)
	err := a.writer.putCatalog(b, id.ArchiveID)
	a.writer.catalog.written(n, b.segments, err)
}

// mergeCatalog makes a catalog of one that there is, which may be nil, and of more. One that cannot be read is as none.
func mergeCatalog(old *catalog, fresh []catalogEntry, gone pruned) *catalogBuilder {
	all := fresh
	slices.SortFunc(all, compareEntries)
	b := &catalogBuilder{}
	add := func(e catalogEntry) {
		if !gone.takes(e.Segment) {
			b.add(e)
		}
	}
	err := old.entries(func(e catalogEntry) {
		for len(all) > 0 && compareEntries(all[0], e) < 0 {
			add(all[0])
			all = all[1:]
		}
		if len(all) == 0 || compareEntries(all[0], e) != 0 {
			add(e)
		}
	})
	if err != nil {
		return mergeCatalog(nil, fresh, gone)
	}
	for _, e := range all {
		add(e)
	}
	return b
}

func compareEntries(a, b catalogEntry) int { return a.compare(b.Segment) }

// catalogBuilder makes a catalog of entries that come in order.
type catalogBuilder struct {
	frames   []catalogFrame
	packed   []byte
	segments int

	from  string // of the frame that is being made
	lines int
	text  []byte
}

func (b *catalogBuilder) add(e catalogEntry) {
	if b.lines == 0 {
		b.from = e.Path
	}
	b.text = e.appendLine(b.text)
	b.lines, b.segments = b.lines+1, b.segments+1
	if b.lines == frameSegments || len(b.text) >= frameText {
		b.end()
	}
}

func (b *catalogBuilder) end() {
	if b.lines == 0 {
		return
	}
	at := len(b.packed)
	b.packed = appendZstd(b.packed, b.text, 1)
	frame := b.packed[at:]
	b.frames = append(b.frames, catalogFrame{From: b.from, Bytes: int64(len(frame)), Text: int64(len(b.text)), Digest: ondisk.Digest(frame)})
	b.text, b.lines = b.text[:0], 0
}

// content is the whole file.
func (b *catalogBuilder) content(archiveID string) ([]byte, error) {
	b.end()
	h := catalogHeader{Version: parquetVersion, ArchiveID: archiveID, Segments: b.segments, Frames: b.frames}
	if h.Frames == nil {
		h.Frames = []catalogFrame{}
	}
	value, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	value = printable.AppendJSON(nil, value)
	return append(fmt.Appendf(nil, "{\"checksum\":%q,\"catalog\":%s}\n", ondisk.Digest(value), bytes.TrimSpace(value)), b.packed...), nil
}

// putCatalog replaces the catalog. One that nobody would read is not written.
func (w *archiveWriter) putCatalog(b *catalogBuilder, archiveID string) error {
	content, err := b.content(archiveID)
	switch {
	case err != nil || len(content) > maxCatalogBytes:
	case w.store != nil:
		err = w.store.Put(ondisk.Catalog, content, true)
	default:
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.stopped == nil {
			err = replaceFile(w.fsys, ondisk.Catalog, content)
		}
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", ondisk.Catalog, err)
	}
	return nil
}
