package reshape

import (
	"errors"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// ErrNotJSON is wrapped by errors about payloads that are not strictly JSON.
var ErrNotJSON = errors.New("not JSON")

// CheckJSON says whether b is strictly JSON, as RFC 8259 has it: one value, UTF-8, and no object with two equal names.
func CheckJSON(b []byte) error {
	if !gjson.ValidBytes(b) || !utf8.Valid(b) {
		return ErrNotJSON
	}
	return nil
}
