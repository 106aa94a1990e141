package format

// LoadIdentity reads karchive.json alone. A place without one wraps ErrNotArchive.
func LoadIdentity(fsys ReadFS) (Identity, error) { return loadIdentity(fsys) }

// LyingSegments lists the segments that lie in a place, in the order of partitions and offsets, with the digests that SHA256SUMS has of them. Unlike
// [Open] it does not mind that others are listed and not there, and needs no karchive.json. What does not belong into data/ is an
// error.
func LyingSegments(fsys ReadFS) ([]Segment, error) {
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
