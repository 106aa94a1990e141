package format

import (
	"fmt"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// LoadIdentity reads karchive.json, or the document that came after it, alone. It returns the content as well: a program that carries an archive elsewhere
// writes it as karchive.json there. A place without one wraps ErrNotArchive.
func LoadIdentity(fsys storage.ReadFS) (id Identity, document []byte, err error) {
	document, id, err = readIdentityDocument(fsys)
	if err != nil {
		return Identity{}, nil, fmt.Errorf("%s: %w", ondisk.Identity, err)
	}
	return id, document, nil
}

// LyingSegments lists the segments that lie in a place, in the order of partitions and offsets, with the digests that SHA256SUMS has of them. Unlike
// [Open] it does not mind that others are listed and not there, and needs no karchive.json. What does not belong into data/ is an
// error.
func LyingSegments(fsys storage.ReadFS) ([]Segment, error) {
	sums, err := loadSums(fsys)
	if err != nil {
		return nil, err
	}
	l, err := scan(fsys)
	if err == nil {
		err = l.foreignErr()
	}
	if err != nil {
		return nil, err
	}
	l.attach(sums)
	var all []Segment
	for _, tp := range l.order() {
		all = append(all, l.segments[tp]...)
	}
	return all, nil
}
