package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/karchive/karchive/internal/strictjson"
)

// The keys of a file's key-value metadata: the document, and the digest of its exact bytes.
const (
	documentKey       = "karchive"
	documentDigestKey = "karchive.xxh3"
)

// readFull fills b. A file that ends early is corrupt; any other error is the file system's.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return corruptf("file ends at %d, expected %d bytes from %d", at+int64(n), len(b), at)
	}
	return fmt.Errorf("read %d bytes at %d: %w", len(b), at, err)
}

func corruptf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// checkedDocument checks the digest of a document and what it says.
func checkedDocument(text, digest []byte) (*Document, error) {
	if len(text) > maxDocumentBytes {
		return nil, corruptf("document of %d bytes", len(text))
	}
	if got := Digest(text); got != string(digest) {
		return nil, corruptf("document has digest %s, its file says %.40q", got, digest)
	}
	return parseDocument(text)
}

func parseDocument(text []byte) (*Document, error) {
	d := new(Document)
	if err := readVersioned("segment", text, d); err != nil {
		return nil, err
	}
	return d, d.check()
}

// readVersioned decodes a JSON text that names its format version into v, once it is known that the version is one that has what v has.
func readVersioned(what string, text []byte, v any) error {
	if err := checkObjects(text); err != nil {
		return err
	}
	var head struct {
		Version string `json:"version"`
	}
	if err := strictjson.Unmarshal(text, &head); err != nil {
		return corruptf("%s: %v", what, err)
	}
	if err := checkVersion(what, head.Version); err != nil {
		return err
	}
	if err := strictjson.Unmarshal(text, v); err != nil {
		return corruptf("%s: %v", what, err)
	}
	return nil
}

// checkObjects refuses JSON of more objects than anything that a writer makes has: each becomes a struct, which takes many times the
// bytes of an empty one.
func checkObjects(text []byte) error {
	if n := bytes.Count(text, []byte("{")); n > 16+len(text)/minObjectBytes {
		return corruptf("%d objects in %d bytes", n, len(text))
	}
	return nil
}
