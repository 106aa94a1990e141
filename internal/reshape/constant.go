package reshape

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/karchive/karchive/internal/units"
)

// Constant is a value that a rule puts in: any JSON value. The zero value is none at all.
type Constant struct {
	raw  string // as it stands in JSON
	text string // as it stands in a header or as a whole key or value
	null bool
}

// ParseConstant reads text as flags give it: 12, true, null, {"a":1} and "12" in quotes are taken as JSON, everything else is a string.
func ParseConstant(s string) Constant {
	if CheckJSON([]byte(s)) != nil {
		return TextConstant(s)
	}
	raw := strings.Trim(s, " \t\r\n")
	c := Constant{raw: raw, text: raw, null: raw == "null"}
	if raw[0] == '"' {
		c.text = string(appendUnescaped(nil, []byte(raw)))
	}
	return c
}

// TextConstant is the string s, whatever it looks like.
func TextConstant(s string) Constant {
	return Constant{raw: string(appendQuoted(nil, s)), text: s}
}

// String is the constant's JSON.
func (c Constant) String() string { return c.raw }

// IsZero says that there is no constant.
func (c Constant) IsZero() bool { return c.raw == "" }

// MarshalJSON writes the constant itself. Text that is not UTF-8 is written as bytes: JSON would make the same of all such.
func (c Constant) MarshalJSON() ([]byte, error) {
	if !utf8.ValidString(c.text) {
		return json.Marshal(struct{ Bytes []byte }{[]byte(c.text)})
	}
	return json.Marshal(c.raw)
}

// payload is the constant as a whole key, value or header value.
func (c Constant) payload() []byte {
	if c.null {
		return nil
	}
	return []byte(c.text)
}

// Span is a duration that may be negative.
type Span time.Duration

// ParseSpan reads a duration with an optional sign: -30d, 1h30m, +90s.
func ParseSpan(s string) (Span, error) {
	unsigned := strings.TrimLeft(s, "+-")
	if len(s)-len(unsigned) > 1 {
		return 0, fmt.Errorf("%q: %w", s, units.ErrDuration)
	}
	d, err := units.ParseDuration(unsigned)
	if err != nil {
		return 0, err
	}
	if strings.HasPrefix(s, "-") {
		d = -d
	}
	return Span(d), nil
}

// clock spells a span without days.
func (s Span) clock() string {
	text := time.Duration(s).String()
	text = strings.Replace(text, "m0s", "m", 1)
	return strings.Replace(text, "h0m", "h", 1)
}
