package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/durable"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/printable"
)

// maxIdentityBytes bounds karchive.json. A plan takes about 120 bytes a partition, so this is room for half a million of them.
const maxIdentityBytes = 64 << 20

// identityEnvelope is the whole of karchive.json, in every version of the format.
type identityEnvelope struct {
	Checksum string         `json:"checksum"`
	Archive  jsontext.Value `json:"archive"`
}

func (e *identityEnvelope) parts() (string, jsontext.Value) { return e.Checksum, e.Archive }

func encodeIdentity(id Identity) ([]byte, error) {
	value, err := identityText(id)
	if err != nil {
		return nil, err
	}
	value = printable.AppendJSON(nil, value) // a cluster's id may hold anything, and people look at the file
	file := fmt.Appendf(nil, "{\n  \"checksum\": %q,\n  \"archive\": %s\n}\n", ondisk.Digest(value), value)
	if len(file) > maxIdentityBytes {
		return nil, fmt.Errorf("%d bytes: %w", len(file), ondisk.ErrTooLarge)
	}
	return file, nil
}

// identityText is the value of archive, indented as it stands within the envelope, but for the groups: a line a number would make their
// columns many times as large.
func identityText(id Identity) ([]byte, error) {
	groups := id.Groups
	id.Groups = nil
	text, err := json.MarshalIndent(id, "  ", "  ")
	if err != nil || groups == nil {
		return text, err
	}
	columns, err := json.Marshal(withLists(groups))
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSuffix(text, []byte("\n  }"))
	return slices.Concat(text, []byte(",\n    \"groups\": "), columns, []byte("\n  }")), nil
}

// withLists is g with empty lists in the place of those that are nil.
func withLists(g *origin.Groups) *origin.Groups {
	out := *g
	if out.Ends == nil {
		out.Ends = []origin.TopicEnds{}
	}
	if out.Groups == nil {
		out.Groups = []origin.Group{}
	}
	return &out
}

func decodeIdentity(file []byte) (Identity, error) {
	var id Identity
	if err := openEnvelope("archive", file, new(identityEnvelope), &id); err != nil {
		return Identity{}, err
	}
	if !knownEncoding(id.Encoding) {
		return Identity{}, fmt.Errorf("encoding %.40q of format %s is unknown to this program: use a newer karchive", id.Encoding, id.Version)
	}
	if err := id.check(); err != nil {
		return Identity{}, corruptf("%v", err)
	}
	return id, nil
}

// writeIdentity replaces karchive.json.
func writeIdentity(fsys storage.FS, id Identity) error {
	content, err := encodeIdentity(id)
	if err == nil {
		err = replaceFile(fsys, ondisk.Identity, content)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", ondisk.Identity, err)
	}
	return nil
}

// loadIdentity is LoadIdentity without the content.
func loadIdentity(fsys storage.ReadFS) (Identity, error) {
	id, _, err := LoadIdentity(fsys)
	return id, err
}

// readIdentity reads karchive.json. A place without one is no archive.
func readIdentity(fsys storage.ReadFS) (Identity, error) {
	_, id, err := readIdentityDocument(fsys)
	return id, err
}

// readBounded reads a whole file of at most limit bytes.
func readBounded(fsys storage.ReadFS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size, err := f.Size(); err == nil && size > limit { // nothing of it is of use
		return nil, oversized(size, limit)
	}
	b, err := io.ReadAll(io.NewSectionReader(f, 0, limit+1))
	if err == nil && int64(len(b)) > limit {
		return nil, oversized(int64(len(b)), limit)
	}
	return b, err
}

func oversized(size, limit int64) error {
	return fmt.Errorf("%w: at least %d bytes, and %d are the most: %w", ErrCorrupt, size, limit, ondisk.ErrTooLarge)
}

// replaceFile gives a file in the root new content: whenever the machine stops, the old or the new is there, whole. The temporary
// directory must exist.
func replaceFile(fsys storage.FS, name string, content []byte) error {
	temp := ondisk.Temp + "/" + name
	f, err := fsys.Create(temp)
	if err == nil {
		err = durable.Write(f, content)
	}
	if err != nil {
		fsys.Remove(temp) // or the next attempt would find the name taken; the first error is the one to tell
		return err
	}
	if err := fsys.Rename(temp, name); err != nil {
		fsys.Remove(temp)
		return err
	}
	return fsys.SyncDir(".")
}
