package format

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/internal/strictjson"
)

// envelope is a document around a value: the checksum is the digest of the exact bytes of the value, as they stand in the file.
type envelope interface {
	parts() (checksum string, value jsontext.Value)
}

// openEnvelope reads the document into e, which names the value, checks it, and reads the value into v, which points to something of a version.
func openEnvelope(what string, document []byte, e envelope, v any) error {
	if err := strictjson.Unmarshal(document, e); err != nil {
		return corruptf("%v", err)
	}
	checksum, value := e.parts()
	if got := ondisk.Digest(value); got != checksum {
		return corruptf("its %s has checksum %s, it says %.40q", what, got, checksum)
	}
	return readVersioned(what, value, v)
}
