package pack

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/ondisk"
)

// part is one file of a packed archive, open for reading.
type part struct {
	name     string // of the file
	src      io.ReaderAt
	closer   io.Closer
	entries  []entry
	places   map[string]*entry // by name
	text     []byte            // the manifest
	manifest *Manifest
	number   int // of the part, from 0
}

// openPart reads the directory and the manifest of a part, and refuses a zip that is anything else than what [Packing.WritePart] makes of that
// manifest. What is in the files is not read.
func openPart(src io.ReaderAt, size int64) (*part, error) {
	entries, err := readDirectory(src, size)
	if err != nil {
		return nil, err
	}
	p := &part{src: src, entries: entries, places: map[string]*entry{}}
	for i := range entries {
		p.places[entries[i].name] = &entries[i]
	}
	if len(p.places) < len(entries) || len(entries) == 0 || entries[0].name != ManifestName {
		return nil, fmt.Errorf("%w: its first entry is not %s, or two have one name", ErrNotPacked, ManifestName)
	}
	if p.text, err = p.readSmall(ManifestName, maxManifestBytes); err != nil {
		return nil, err
	}
	if p.manifest, err = ParseManifest(p.text); err != nil {
		return nil, err
	}
	return p, p.match()
}

// readDirectory lists the entries of a zip. Its directory must be the one that layout gives them, byte for byte, which leaves no room for anything
// before, between or behind them.
func readDirectory(src io.ReaderAt, size int64) ([]entry, error) {
	z, err := zip.NewReader(src, size)
	if err != nil {
		if errors.Is(err, zip.ErrFormat) {
			return nil, fmt.Errorf("%w: %w", ErrNotPacked, err)
		}
		return nil, fmt.Errorf("read the directory of the zip: %w", err)
	}
	var entries []entry
	for _, f := range z.File {
		if f.UncompressedSize64 > uint64(size) || len(f.Name) > max16 {
			return nil, fmt.Errorf("%w: %.300q has %d bytes, the whole file %d", ErrCorrupt, f.Name, f.UncompressedSize64, size)
		}
		entries = append(entries, entry{name: f.Name, size: int64(f.UncompressedSize64), crc: f.CRC32})
	}
	start, sum := int64(0), int64(0)
	for _, e := range entries { // cannot overflow: each is at most size, and it ends when their sum is more
		if sum += e.size; sum > size {
			return nil, fmt.Errorf("%w: its entries have more bytes than it", ErrCorrupt)
		}
	}
	start = layout(entries)
	want := directory(entries, start)
	if start+int64(len(want)) != size {
		return nil, fmt.Errorf("%w: its entries take %d bytes, and it has %d", ErrCorrupt, start+int64(len(want)), size)
	}
	got := make([]byte, len(want))
	if err := readAt(src, got, start); err != nil {
		return nil, err
	}
	if !bytes.Equal(got, want) {
		return nil, fmt.Errorf("%w: its directory is not that of stored entries in a row", ErrCorrupt)
	}
	return entries, nil
}

func readAt(src io.ReaderAt, b []byte, at int64) error {
	if n, err := src.ReadAt(b, at); n < len(b) {
		return fmt.Errorf("read at byte %d: %w", at, unexpected(err))
	}
	return nil
}

// open finds an entry's bytes, after a look at the header in front of them.
func (p *part) open(e *entry) (*io.SectionReader, error) {
	want := e.local()
	got := make([]byte, len(want))
	if err := readAt(p.src, got, e.at); err != nil {
		return nil, fmt.Errorf("%s: %w", e.name, err)
	}
	if !bytes.Equal(got, want) {
		return nil, fmt.Errorf("%s: %w: the header in front of it is another than that in the directory", e.name, ErrCorrupt)
	}
	return io.NewSectionReader(p.src, e.data(), e.size), nil
}

// readSmall reads a file of at most limit bytes, and checks its CRC.
func (p *part) readSmall(name string, limit int64) ([]byte, error) {
	e := p.places[name]
	if e.size > limit {
		return nil, fmt.Errorf("%w: %s has %d bytes, more than the %d that it may have", ErrCorrupt, name, e.size, limit)
	}
	r, err := p.open(e)
	if err != nil {
		return nil, err
	}
	content := make([]byte, e.size)
	if _, err := io.ReadFull(r, content); err != nil {
		return nil, fmt.Errorf("%s: %w", name, unexpected(err))
	}
	if crc32.ChecksumIEEE(content) != e.crc {
		return nil, fmt.Errorf("%s: %w: its CRC-32 does not fit", name, ErrCorrupt)
	}
	return content, nil
}

// match finds out which part it is, and refuses one that holds other entries than the manifest says of that part.
func (p *part) match() error {
	files := p.entries[1:]
	for _, kind := range signatureKinds {
		if len(files) > 0 && files[0].name == ManifestName+kind {
			files = files[1:]
		}
	}
	if len(files) > len(p.manifest.Root) {
		first := files[len(p.manifest.Root)].name
		p.number = slices.IndexFunc(p.manifest.Parts, func(q Part) bool { return len(q.Files) > 0 && q.Files[0].Path == first })
	}
	if p.number < 0 {
		return fmt.Errorf("%w: its manifest names no part that begins with %.300q", ErrCorrupt, files[len(p.manifest.Root)].name)
	}
	want := slices.Concat(p.manifest.Root, p.manifest.Parts[p.number].Files)
	if !slices.EqualFunc(files, want, func(e entry, f File) bool { return e.name == f.Path && e.size == f.Size }) {
		return fmt.Errorf("%w: it holds other files than its manifest says", ErrCorrupt)
	}
	return nil
}

// signatures are those in the part, by suffix.
func (p *part) signatures() (map[string][]byte, error) {
	found := map[string][]byte{}
	for _, kind := range signatureKinds {
		if p.places[ManifestName+kind] == nil {
			continue
		}
		text, err := p.readSmall(ManifestName+kind, maxSignature)
		if err != nil {
			return nil, err
		}
		found[kind] = text
	}
	return found, nil
}

// checkIdentity refuses a manifest that names another archive than its karchive.json.
func (p *part) checkIdentity() error {
	one := Pack{Manifest: p.manifest, parts: []*part{p}}
	id, _, err := format.LoadIdentity(one.FS())
	if err != nil {
		return err
	}
	if id.ArchiveID != p.manifest.ArchiveID {
		return fmt.Errorf("%w: it is of the archive %.50q, and the manifest of %.50q", ErrCorrupt, id.ArchiveID, p.manifest.ArchiveID)
	}
	return nil
}

// check reads every file and compares it with the manifest and its CRC, and tells bad what is wrong.
func (p *part) check(ctx context.Context, done func(bytes int64), bad func(path string, err error)) error {
	for _, f := range slices.Concat(p.manifest.Root, p.manifest.Parts[p.number].Files) {
		if err := p.copy(ctx, io.Discard, f); err != nil {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			bad(f.Path, err)
		}
		done(f.Size)
	}
	p.checkRoot(bad)
	return nil
}

// checkRoot compares what karchive.json and SHA256SUMS say with the manifest.
func (p *part) checkRoot(bad func(path string, err error)) {
	if err := p.checkIdentity(); err != nil {
		bad(ondisk.Identity, err)
	}
	p.checkSums(bad)
}

// checkSums compares SHA256SUMS with the manifest: they must say the same of the same segments.
func (p *part) checkSums(bad func(path string, err error)) {
	text, err := p.readSmall(ondisk.Sums, maxRootBytes)
	if err != nil {
		return // told already
	}
	segments := p.manifest.Segments()
	for line := range strings.Lines(string(text)) {
		path := strings.TrimSuffix(line[min(len(line), 66):], "\n")
		if f, ok := segments[path]; ok && sumsLine(f) == line {
			delete(segments, path)
			continue
		}
		bad(ondisk.Sums, fmt.Errorf("%w: the line %.100q is not what the manifest says", ErrCorrupt, line))
	}
	for _, path := range slices.Sorted(maps.Keys(segments)) {
		bad(ondisk.Sums, fmt.Errorf("%w: it does not list %s", ErrCorrupt, path))
	}
}

// copy writes a file to w and fails when it was not what the manifest says.
func (p *part) copy(ctx context.Context, w io.Writer, f File) error {
	e := p.places[f.Path]
	r, err := p.open(e)
	if err != nil {
		return err
	}
	d := newDigests()
	if err := copyRange(ctx, io.MultiWriter(d.sha, d.crc, w), r, 0, e.size); err != nil {
		return err
	}
	if got := d.sha256(); got != f.SHA256 {
		return fmt.Errorf("%w: its SHA-256 is %s, not %s", ErrCorrupt, got, f.SHA256)
	}
	if d.crc.Sum32() != e.crc {
		return fmt.Errorf("%w: its CRC-32 does not fit", ErrCorrupt)
	}
	return nil
}
