package format

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/parquetbytes"
)

// The sizes of catalogs. Frames are small because a walk through one partition needs few of the others' documents.
const (
	catalogFrom        = 64 // segments: an archive of fewer has no catalog
	frameSegments      = 64
	frameText          = 256 << 10 // bytes of text, after which a frame ends
	maxCatalogDocument = 64 << 10  // larger ones stay out: nothing is gained for them
	maxFrameText       = 1 << 19   // more than a frame that a writer ends
	maxCatalogBytes    = 128 << 20
)

// catalog is the file .karchive-catalog: what the documents of an archive's sealed segments say, in frames that are decoded when they are asked
// for. It is derived, so nothing depends on its being there, and a segment is always right against it. It is safe for concurrent use.
type catalog struct {
	frames   []packedFrame // in the order of their segments
	segments int           // in all of them, as the header says
	version  string

	mu    sync.Mutex // guards what follows
	texts map[int][]byte
	used  []int // keys of texts, the oldest first
}

type packedFrame struct {
	catalogFrame
	first  Segment
	packed []byte
}

// catalogFrame describes a frame: a zstd frame of lines, one a segment.
type catalogFrame struct {
	From   string `json:"from"`       // the path of its first segment
	Bytes  int64  `json:"bytes"`      // of the frame
	Text   int64  `json:"text_bytes"` // of what is in it
	Digest string `json:"digest"`     // of the frame
}

// catalogHeader is the first line of the file, within an envelope.
type catalogHeader struct {
	Version   string         `json:"version"`
	ArchiveID string         `json:"archive_id"`
	Segments  int            `json:"segments"`
	Frames    []catalogFrame `json:"frames"`
}

type catalogEnvelope struct {
	Checksum string         `json:"checksum"`
	Catalog  jsontext.Value `json:"catalog"`
}

func (e *catalogEnvelope) parts() (string, jsontext.Value) { return e.Checksum, e.Catalog }

// loadCatalog reads the catalog of the archive of an id; nil: there is none, or that of another archive. An error means that it is of no use.
func loadCatalog(fsys storage.ReadFS, archiveID string) (c *catalog, size int64, err error) {
	content, err := readBounded(fsys, ondisk.Catalog, maxCatalogBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err == nil {
		c, err = parseCatalog(content, archiveID)
	}
	if err != nil {
		return nil, 0, err
	}
	return c, int64(len(content)), nil
}

func parseCatalog(content []byte, archiveID string) (*catalog, error) {
	line, rest, _ := bytes.Cut(content, []byte("\n"))
	var h catalogHeader
	if err := openEnvelope("catalog", line, new(catalogEnvelope), &h); err != nil || h.ArchiveID != archiveID {
		return nil, err
	}
	c := &catalog{segments: h.Segments, version: h.Version, texts: map[int][]byte{}}
	for _, f := range h.Frames {
		first, ok := segmentAt(f.From)
		if !ok || f.Bytes <= 0 || f.Bytes > int64(len(rest)) || f.Text <= 0 || f.Text > maxFrameText {
			return nil, corruptf("a frame of %d bytes from %.80q on, of %d bytes that are left", f.Bytes, f.From, len(rest))
		}
		c.frames = append(c.frames, packedFrame{f, first, rest[:f.Bytes]})
		rest = rest[f.Bytes:]
	}
	if len(rest) > 0 {
		return nil, corruptf("%d bytes behind the last frame", len(rest))
	}
	return c, nil
}

// catalogEntry is what a catalog says of a segment.
type catalogEntry struct {
	Segment
	document []byte // JSON, on one line
}

// appendLine is the line of an entry: path, size, SHA-256 or a hyphen, document.
func (e *catalogEntry) appendLine(b []byte) []byte {
	sha := e.SHA256
	if sha == "" {
		sha = "-"
	}
	return fmt.Appendf(b, "%s %d %s %s\n", e.Path, e.Size, sha, e.document)
}

func parseEntry(line []byte) (e catalogEntry, err error) {
	parts := bytes.SplitN(bytes.TrimSuffix(line, []byte("\n")), []byte(" "), 4)
	if len(parts) != 4 {
		return e, corruptf("a line of %d words", len(parts))
	}
	s, ok := segmentAt(string(parts[0]))
	size, err := strconv.ParseInt(string(parts[1]), 10, 64)
	if !ok || err != nil {
		return e, corruptf("a line of %.80q, %.20q bytes", parts[0], parts[1])
	}
	if s.Size = size; string(parts[2]) != "-" {
		s.SHA256 = string(parts[2])
	}
	return catalogEntry{s, parts[3]}, nil
}

// mayBe says whether segments of one path may be the same file, as far as is known.
func (s Segment) mayBe(other Segment) bool {
	return s.Size == other.Size && (s.SHA256 == "" || other.SHA256 == "" || s.SHA256 == other.SHA256)
}

// find is the document of a segment, if the catalog has one that may be that of the file that is there: of its size, and of its SHA-256 where that is
// known. Nil: it has none that is of use.
func (c *catalog) find(s Segment) *Document {
	i, begins := slices.BinarySearchFunc(c.frames, s, func(f packedFrame, s Segment) int { return f.first.compare(s) })
	if !begins {
		i--
	}
	if i < 0 {
		return nil
	}
	text, err := c.text(i)
	if err != nil {
		return nil
	}
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte(s.Path+" ")) {
			continue
		}
		e, err := parseEntry(line)
		if err != nil || !e.mayBe(s) {
			return nil
		}
		d, err := parseDocument(e.document)
		if err != nil || d.Topic != s.Topic || d.Partition != s.Partition || d.BaseOffset != s.Base {
			return nil
		}
		return d
	}
	return nil
}

// keptFrames is how many decoded frames are kept: more than documents are asked for at once.
const keptFrames = 32

// text is what is in frame i.
func (c *catalog) text(i int) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if text, ok := c.texts[i]; ok {
		return text, nil
	}
	text, err := c.frames[i].decode()
	if err != nil {
		return nil, err
	}
	if len(c.used) == keptFrames {
		delete(c.texts, c.used[0])
		c.used = c.used[1:]
	}
	c.texts[i], c.used = text, append(c.used, i)
	return text, nil
}

func (f *packedFrame) decode() ([]byte, error) {
	if got := ondisk.Digest(f.packed); got != f.Digest {
		return nil, corruptf("the frame from %s on has digest %s, the header says %.40q", f.From, got, f.Digest)
	}
	text, err := parquetbytes.DecodeTrustedZstd(make([]byte, 0, f.Text), f.packed)
	if err != nil || int64(len(text)) != f.Text {
		return nil, corruptf("the frame from %s on is not of %d bytes: %v", f.From, f.Text, err)
	}
	return text, nil
}

// entries calls use with all that the catalog says, in its order; of a nil one that is nothing. Where they are out of order find would miss some.
func (c *catalog) entries(use func(catalogEntry)) error {
	if c == nil {
		return nil
	}
	n, last := 0, Segment{Base: -1}
	for i := range c.frames {
		text, err := c.frames[i].decode()
		if err != nil {
			return err
		}
		for line := range bytes.Lines(text) {
			e, err := parseEntry(line)
			if err != nil {
				return err
			}
			if last.compare(e.Segment) >= 0 {
				return corruptf("%s is behind %s", e.Path, last.Path)
			}
			use(e)
			n, last = n+1, e.Segment
		}
	}
	if n != c.segments {
		return corruptf("it has %d segments, its header says %d", n, c.segments)
	}
	return nil
}
