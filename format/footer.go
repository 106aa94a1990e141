package format

import (
	"bytes"
	"cmp"

	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/strictjson"
)

func corruptf(format string, args ...any) error { return ondisk.Corruptf(format, args...) }

// checkedDocument checks the digest of a document and what it says.
func checkedDocument(text, digest []byte) (*Document, error) {
	if len(text) > maxDocumentBytes {
		return nil, corruptf("document of %d bytes", len(text))
	}
	if got := ondisk.Digest(text); got != string(digest) {
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
	var head struct {
		Version string `json:"version"`
	}
	if err := strictjson.Unmarshal(text, &head); err != nil {
		return corruptf("%s: %v", what, err)
	}
	if err := cmp.Or(checkVersion(what, head.Version), checkObjects(text)); err != nil {
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
