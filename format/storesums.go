package format

import (
	"fmt"
	"maps"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/karchive/karchive/internal/ondisk"
)

// writeStoreSums makes SHA256SUMS of what is there: of what this writer sealed, of the lines that it had, and of what other writers
// gave with their objects. A segment of which nobody knows gets no line. Another writer that does so at the same time may lack what was
// sealed meanwhile, which costs those their lines until one of them, or a verification, writes it again.
func (w *archiveWriter) writeStoreSums(anyway bool) error {
	w.mu.Lock()
	own := maps.Clone(w.sealed)
	w.mu.Unlock()
	if len(own) == 0 && !anyway {
		return nil
	}
	l, err := scan(w.store)
	if err != nil {
		return fmt.Errorf("write %s: %w", ondisk.Sums, err)
	}
	if !w.staged {
		id, err := loadIdentity(w.store)
		if err != nil {
			return fmt.Errorf("write %s: %w", ondisk.Sums, err)
		}
		l.cut(id.Pruned)
	}
	known := map[string]string{}
	if sums, err := readSums(w.store); err == nil { // one that cannot be read is made anew
		known = sums.digests
	}
	maps.Copy(known, own)
	if err := w.learnSums(l, known); err != nil {
		return fmt.Errorf("write %s: %w", ondisk.Sums, err)
	}
	var lines strings.Builder
	for _, tp := range l.order() {
		for _, s := range l.segments[tp] {
			if sha := known[s.Path]; sha != "" {
				lines.WriteString(sumsLine(sha, s.Path))
			}
		}
	}
	if err := w.store.Put(ondisk.Sums, []byte(lines.String()), true); err != nil {
		return fmt.Errorf("write %s: %w", ondisk.Sums, err)
	}
	return nil
}

// learnSums asks the store for the digests that are not known.
func (w *archiveWriter) learnSums(l *listing, known map[string]string) error {
	var unknown []string
	for _, list := range l.segments {
		for _, s := range list {
			if known[s.Path] == "" {
				unknown = append(unknown, s.Path)
			}
		}
	}
	digests := make([]string, len(unknown))
	var g errgroup.Group
	g.SetLimit(learnAtOnce)
	for i, path := range unknown {
		g.Go(func() (err error) {
			digests[i], err = w.store.SHA256(path)
			return err
		})
	}
	err := g.Wait()
	for i, path := range unknown {
		known[path] = digests[i]
	}
	return err
}

// learnAtOnce is how many objects are asked about at once.
const learnAtOnce = 16
