package reshape

import (
	"errors"
	"strings"

	"cel.dev/cel-go/interpreter"
)

// errUndecided is a reason why a filter cannot be decided. It names places and types, never contents.
type errUndecided string

func (e errUndecided) Error() string { return string(e) }

// classes are CEL's own errors by how they begin. What follows there may be of the record.
var classes = []struct{ prefix, reason string }{
	{noOverload, "types do not go together"},
	{"no such key", "a name is not there"},
	{"no such attribute", "a name is not there"},
	{"no such field", "a name is not there"},
	{"index out of bounds", "an element is not there"},
	{"index '", "an element is not there"},
	{"unsupported index", "an index is neither a name nor a number"},
	{"optional.none()", "an optional is empty"},
	{"division by zero", "division by zero"},
	{"divide by zero", "division by zero"},
	{"modulus by zero", "division by zero"},
	{"integer overflow", "a number is out of range"},
	{"unsigned integer overflow", "a number is out of range"},
	{"duration overflow", "a time is out of range"},
	{"timestamp overflow", "a time is out of range"},
	{"range error", "a number is out of range"},
	{"invalid RFC 3339 timestamp", "a text is no time"},
	{"parsing time", "a text is no time"},
	{"time: ", "a text is no duration"},
	{"strconv.", "a text is no number"},
	{"type conversion error", "a value cannot be converted"},
	{"invalid UTF-8", "bytes are no text"},
	{"error parsing regexp", "a text is no regular expression"},
	{"regex program size", "a regular expression is too long"},
}

// reasonUndecided is why a filter cannot be decided, in words that are the same for every record.
func reasonUndecided(err error) string {
	var own errUndecided
	if errors.As(err, &own) {
		return string(own)
	}
	if stopped := (interpreter.EvalCancelledError{}); errors.As(err, &stopped) {
		return "it takes too many steps"
	}
	text := err.Error()
	for _, c := range classes {
		if strings.HasPrefix(text, c.prefix) {
			return c.reason
		}
	}
	return "it cannot be worked out"
}
