package registry

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/karchive/karchive/format/origin"
)

// sameText says whether two texts are the same schema but for spaces, and of JSON for the order of members.
func sameText(t origin.SchemaType, a, b string) bool {
	if a == b {
		return true
	}
	if t == origin.ProtobufSchema {
		return strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
	}
	x, y := jsontext.Value(a), jsontext.Value(b)
	return x.Canonicalize() == nil && y.Canonicalize() == nil && string(x) == string(y)
}
