package pack

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/strictjson"
)

// Version is the version of packed files that this package writes. It reads every one of the same major version.
const Version = "1.0"

// ManifestName is the first entry of every part.
const ManifestName = "karchive-pack.json"

// maxManifestBytes bounds a manifest: room for a million segments.
const maxManifestBytes = 256 << 20

var (
	// ErrNotPacked is wrapped by errors about a file that is no packed one, or is cut short.
	ErrNotPacked = errors.New("not a packed archive, or only the beginning of one")
	// ErrCorrupt is wrapped by errors about a packed file that is damaged.
	ErrCorrupt = errors.New("packed file is damaged")
	// ErrVersion is wrapped by errors about a packed file of a version that this package does not know.
	ErrVersion = errors.New("packed by a newer program")
)

// Manifest says all about a packed archive. Every part of it has the same one, and signatures are over its bytes.
type Manifest struct {
	Version   string `json:"version"`
	ArchiveID string `json:"archive_id"`
	// Contents is the digest of the archive's state: see [State].
	Contents string `json:"contents"`
	// Since is what the packed file goes on from; nil where it holds the whole archive.
	Since *State `json:"since,omitempty"`
	// Root are karchive.json and SHA256SUMS, which are in every part.
	Root []File `json:"root"`
	// Parts are the files that the archive is packed into, with the segments in each.
	Parts []Part `json:"parts"`
	// Presumed are the segments of the archive that are not packed: who unpacks has them.
	Presumed []File `json:"presumed,omitempty"`
}

// State is what an archive was at a moment. Archives in the same state hold the same records.
type State struct {
	// Contents is the SHA-256 of a line for karchive.json and for each segment, as sha256sum prints them, in the order of the bytes of
	// their paths.
	Contents string `json:"contents"`
	// Identity is the SHA-256 of karchive.json.
	Identity string `json:"identity"`
}

// Part is one file of a packed archive.
type Part struct {
	Files []File `json:"files"` // in the order of partitions and offsets
}

// File is a file of the archive.
type File struct {
	Path   string `json:"path"` // relative to the archive's root
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// Bytes is the size of the part's segments.
func (p Part) Bytes() (n int64) {
	for _, f := range p.Files {
		n += f.Size
	}
	return n
}

// Holds names the segments of the part in a few words: how many of which partitions.
func (p Part) Holds() string { return holds(p.Files) }

func holds(files []File) string {
	if len(files) == 0 {
		return "no segment"
	}
	text := segments(len(files)) + " from " + files[0].place()
	if last := files[len(files)-1].place(); len(files) > 1 {
		text += " to " + last
	}
	return text
}

func segments(n int) string {
	if n == 1 {
		return "1 segment"
	}
	return strconv.Itoa(n) + " segments"
}

func (f File) place() string {
	s, _ := ondisk.ParseSegmentPath(f.Path)
	return fmt.Sprintf("%s-%d offset %d", s.Topic, s.Partition, s.Base)
}

// State is that of the archive which was packed.
func (m *Manifest) State() State { return State{m.Contents, m.Root[0].SHA256} }

// Segments are all segments of the archive, packed and presumed, by path.
func (m *Manifest) Segments() map[string]File {
	all := map[string]File{}
	for _, f := range m.segments() {
		all[f.Path] = f
	}
	return all
}

func (m *Manifest) segments() []File {
	all := slices.Clone(m.Presumed)
	for _, p := range m.Parts {
		all = append(all, p.Files...)
	}
	return all
}

// contentsOf is the digest of an archive's state.
func contentsOf(identity File, segments []File) string {
	all := append(slices.Clone(segments), identity)
	slices.SortFunc(all, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	sum := sha256.New()
	for _, f := range all {
		sum.Write([]byte(sumsLine(f)))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func sumsLine(f File) string { return f.SHA256 + "  " + f.Path + "\n" }

// sumsOf is SHA256SUMS of the archive, in the order of partitions and offsets.
func sumsOf(segments []File) []byte {
	var b []byte
	for _, f := range segments {
		b = append(b, sumsLine(f)...)
	}
	return b
}

func (m *Manifest) encode() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, err
	}
	text = append(printable.AppendJSON(nil, text), '\n')
	if len(text) > maxManifestBytes {
		return nil, fmt.Errorf("a manifest of %d bytes is over the limit of %d: pack fewer, larger segments", len(text), maxManifestBytes)
	}
	return text, nil
}

// ParseManifest reads a manifest, for [Options].Since say. Errors wrap ErrCorrupt, or ErrVersion.
func ParseManifest(text []byte) (*Manifest, error) {
	if len(text) > maxManifestBytes {
		return nil, fmt.Errorf("%w: a manifest of %d bytes", ErrCorrupt, len(text))
	}
	var head struct {
		Version string `json:"version"`
	}
	if err := strictjson.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("%w: manifest: %w", ErrCorrupt, err)
	}
	if major, _, _ := strings.Cut(head.Version, "."); major != "1" {
		return nil, fmt.Errorf("manifest of version %.20q: %w", head.Version, ErrVersion)
	}
	m := &Manifest{}
	if err := strictjson.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%w: manifest: %w", ErrCorrupt, err)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("%w: manifest: %w", ErrCorrupt, err)
	}
	return m, nil
}

// check refuses a manifest that contradicts itself, and paths that lead anywhere but to an archive's own files.
func (m *Manifest) check() error {
	if len(m.Root) != 2 || m.Root[0].Path != ondisk.Identity || m.Root[1].Path != ondisk.Sums {
		return fmt.Errorf("its root is not %s and %s", ondisk.Identity, ondisk.Sums)
	}
	if len(m.Parts) == 0 {
		return errors.New("it has no part")
	}
	if len(m.Parts) > 1 && slices.ContainsFunc(m.Parts, func(p Part) bool { return len(p.Files) == 0 }) {
		return errors.New("it has a part without a segment") // nothing would tell which it is
	}
	if m.Since == nil && len(m.Presumed) > 0 {
		return errors.New("it presumes segments and does not say of what state")
	}
	for _, f := range m.Root {
		if err := f.check(); err != nil {
			return err
		}
	}
	segments := m.segments()
	seen := make(map[string]bool, len(segments))
	for _, f := range segments {
		if _, ok := ondisk.ParseSegmentPath(f.Path); !ok || seen[f.Path] {
			return fmt.Errorf("%.300q is no path of a segment, or is there twice", f.Path)
		}
		seen[f.Path] = true
		if err := f.check(); err != nil {
			return err
		}
	}
	if got := contentsOf(m.Root[0], segments); got != m.Contents {
		return fmt.Errorf("its files make the contents %s, it says %.70q", got, m.Contents)
	}
	return nil
}

func (f File) check() error {
	if raw, err := hex.DecodeString(f.SHA256); err != nil || len(raw) != sha256.Size || strings.ToLower(f.SHA256) != f.SHA256 {
		return fmt.Errorf("%s has the digest %.70q", f.Path, f.SHA256)
	}
	if f.Size < 0 {
		return fmt.Errorf("%s has the size %d", f.Path, f.Size)
	}
	return nil
}
