package pack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"filippo.io/age"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
)

// Options say how an archive is packed. The zero value makes one part of all of it, neither signed nor encrypted.
type Options struct {
	// Split is the most bytes that a part may have; 0: all goes into one.
	Split int64
	// Since leaves out what an earlier state of the archive has; nil leaves out nothing.
	Since *Manifest
	// Signers sign the manifest, at most one of each kind.
	Signers []Signer
	// Recipients can decrypt every part; none: it is not encrypted.
	Recipients []age.Recipient
	// OnProgress is told how many bytes of the archive were hashed so far; nil is allowed.
	OnProgress func(done, total int64)
}

// Packing is an archive that is ready to be written as a packed file: everything was hashed, and is what the archive says it is.
type Packing struct {
	Manifest *Manifest

	fsys       storage.ReadFS
	root       map[string][]byte // files in every part: the manifest, its signatures, karchive.json, SHA256SUMS
	rootOrder  []string
	crc        map[string]uint32 // of segments
	recipients []age.Recipient
}

// Text is the manifest as it is packed and signed. It is not to be changed.
func (p *Packing) Text() []byte { return p.root[ManifestName] }

// SegmentTooLargeError is a segment that does not fit into a part.
type SegmentTooLargeError struct {
	Path  string
	Size  int64 // bytes, of the smallest part that takes it
	Limit int64 // bytes that a part may have
}

// Error names the segment and both sizes.
func (e *SegmentTooLargeError) Error() string {
	return fmt.Sprintf("%s takes a part of %d bytes, and parts may have %d", e.Path, e.Size, e.Limit)
}

// New plans a packed file of the archive in fsys. It reads all segments that are to be packed, and refuses one that is not what the
// archive's SHA256SUMS says. The archive must not change until the parts are written.
func New(ctx context.Context, fsys storage.ReadFS, o Options) (*Packing, error) {
	a, identity, err := openIdentified(fsys)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	p := &Packing{fsys: fsys, root: map[string][]byte{ondisk.Identity: identity}, crc: map[string]uint32{}, recipients: o.Recipients}
	p.Manifest = &Manifest{Version: Version, ArchiveID: a.Identity().ArchiveID, Root: []File{fileOf(ondisk.Identity, identity)}}
	listed, err := p.presume(a, o.Since)
	if err != nil {
		return nil, err
	}
	packed, err := p.hash(ctx, listed, o.OnProgress)
	if err != nil {
		return nil, err
	}
	p.complete(a, packed)
	if err := p.split(packed, o); err != nil {
		return nil, err
	}
	return p, p.seal(o.Signers)
}

// openIdentified opens the archive in fsys, and reads its karchive.json as it is.
func openIdentified(fsys storage.ReadFS) (*format.Archive, []byte, error) {
	a, err := format.Open(fsys)
	if err != nil {
		return nil, nil, err
	}
	_, identity, err := format.LoadIdentity(fsys)
	if err != nil {
		a.Close()
		return nil, nil, err
	}
	return a, identity, nil
}

func fileOf(path string, content []byte) File {
	sum := sha256.Sum256(content)
	return File{path, int64(len(content)), hex.EncodeToString(sum[:])}
}

// presume sorts out the segments that since has, and returns the others. It refuses a state that is none of this archive's.
func (p *Packing) presume(a *format.Archive, since *Manifest) (packed []format.Segment, err error) {
	var earlier map[string]File
	if since != nil {
		if since.ArchiveID != a.Identity().ArchiveID {
			return nil, fmt.Errorf("%w: its archive has the id %s, this one %s", ErrOtherArchive, since.ArchiveID, a.Identity().ArchiveID)
		}
		state := since.State()
		p.Manifest.Since, earlier = &state, since.Segments()
	}
	for _, tp := range a.Partitions() {
		for _, s := range a.Segments(tp) {
			f, has := earlier[s.Path]
			if !has {
				packed = append(packed, s)
				continue
			}
			if f.Size != s.Size || s.SHA256 != "" && s.SHA256 != f.SHA256 {
				return nil, fmt.Errorf("%w: it has another %s", ErrOtherArchive, s.Path)
			}
			p.Manifest.Presumed = append(p.Manifest.Presumed, f)
			delete(earlier, s.Path)
		}
	}
	for path := range earlier {
		return nil, fmt.Errorf("%w: it has %s, which is not here", ErrOtherArchive, path)
	}
	return packed, nil
}

// ErrOtherArchive is wrapped by errors about a state that is no earlier one of the archive.
var ErrOtherArchive = errors.New("not an earlier state of this archive")

// hash reads segments, and refuses one with other bytes than SHA256SUMS says.
func (p *Packing) hash(ctx context.Context, listed []format.Segment, progress func(done, total int64)) (packed []File, err error) {
	var done, total int64
	for _, s := range listed {
		total += s.Size
	}
	for _, s := range listed {
		d := newDigests()
		if err := copyFile(ctx, io.MultiWriter(d.sha, d.crc), p.fsys, s.Path, s.Size); err != nil {
			return nil, err
		}
		f := File{s.Path, s.Size, d.sha256()}
		if s.SHA256 != "" && f.SHA256 != s.SHA256 {
			return nil, fmt.Errorf("%s: %w: its SHA-256 is %s, not %s", s.Path, format.ErrCorrupt, f.SHA256, s.SHA256)
		}
		packed, p.crc[s.Path] = append(packed, f), d.crc.Sum32()
		if done += s.Size; progress != nil {
			progress(done, total)
		}
	}
	return packed, nil
}

// complete fills in what does not depend on the parts.
func (p *Packing) complete(a *format.Archive, packed []File) {
	bySegment := map[string]File{}
	for _, f := range append(slices.Clone(p.Manifest.Presumed), packed...) {
		bySegment[f.Path] = f
	}
	var all []File
	for _, tp := range a.Partitions() {
		for _, s := range a.Segments(tp) {
			all = append(all, bySegment[s.Path])
		}
	}
	sums := sumsOf(all)
	p.root[ondisk.Sums] = sums
	p.Manifest.Root = append(p.Manifest.Root, fileOf(ondisk.Sums, sums))
	p.Manifest.Contents = contentsOf(p.Manifest.Root[0], all)
}

// seal encodes the manifest and signs it.
func (p *Packing) seal(signers []Signer) error {
	text, err := p.Manifest.encode()
	if err != nil {
		return err
	}
	p.root[ManifestName] = text
	p.rootOrder = []string{ManifestName}
	for _, kind := range signatureKinds {
		for _, s := range signers {
			if s.Suffix() != kind {
				continue
			}
			name := ManifestName + kind
			if p.root[name] != nil {
				return fmt.Errorf("two keys sign as %s: give one of each kind", name)
			}
			if p.root[name], err = s.Sign(text); err != nil {
				return fmt.Errorf("sign the manifest: %w", err)
			}
			p.rootOrder = append(p.rootOrder, name)
		}
	}
	p.rootOrder = append(p.rootOrder, ondisk.Identity, ondisk.Sums)
	return nil
}

// Describe is the manifest that the archive in fsys would have, packed into one part, for [Options].Since. It reads no segment, and believes SHA256SUMS.
func Describe(fsys storage.ReadFS) (*Manifest, error) {
	a, identity, err := openIdentified(fsys)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	files := []File{}
	for _, tp := range a.Partitions() {
		for _, s := range a.Segments(tp) {
			if s.SHA256 == "" {
				return nil, fmt.Errorf("%s is not listed in %s yet: let its capture end", s.Path, ondisk.Sums)
			}
			files = append(files, File{s.Path, s.Size, s.SHA256})
		}
	}
	root := []File{fileOf(ondisk.Identity, identity), fileOf(ondisk.Sums, sumsOf(files))}
	return &Manifest{Version: Version, ArchiveID: a.Identity().ArchiveID, Contents: contentsOf(root[0], files), Root: root, Parts: []Part{{files}}}, nil
}

// WritePart writes part number i, counted from 0, of Manifest.Parts.
func (p *Packing) WritePart(ctx context.Context, i int, w io.Writer) error {
	if len(p.recipients) == 0 {
		return p.writeZip(ctx, i, w)
	}
	in, err := age.Encrypt(w, p.recipients...)
	if err != nil {
		return fmt.Errorf("encrypt: %w", err)
	}
	if err := p.writeZip(ctx, i, in); err != nil {
		return err
	}
	return in.Close()
}

func (p *Packing) writeZip(ctx context.Context, i int, w io.Writer) error {
	var entries []entry
	for _, name := range p.rootOrder {
		entries = append(entries, entry{name: name, size: int64(len(p.root[name])), crc: crc32.ChecksumIEEE(p.root[name])})
	}
	for _, f := range p.Manifest.Parts[i].Files {
		entries = append(entries, entry{name: f.Path, size: f.Size, crc: p.crc[f.Path]})
	}
	end := layout(entries)
	for k := range entries {
		if err := p.writeEntry(ctx, &entries[k], w); err != nil {
			return err
		}
	}
	_, err := w.Write(directory(entries, end))
	return err
}

func (p *Packing) writeEntry(ctx context.Context, e *entry, w io.Writer) error {
	if _, err := w.Write(e.local()); err != nil {
		return err
	}
	if content, ok := p.root[e.name]; ok {
		_, err := w.Write(content)
		return err
	}
	crc := crc32.NewIEEE()
	if err := copyFile(ctx, io.MultiWriter(crc, w), p.fsys, e.name, e.size); err != nil {
		return err
	}
	if crc.Sum32() != e.crc {
		return fmt.Errorf("%s: changed while it was packed", e.name)
	}
	return nil
}
