package csv

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// AppendField appends a field to dst, in quotes where it needs them: when the separator, a quote or a line break is in it, when it
// begins with a space, and when quote is set.
func AppendField(dst, text []byte, comma byte, quote bool) []byte {
	if !quote && !needsQuotes(text, comma) {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for {
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			dst = append(dst, text...)
			return append(dst, '"')
		}
		dst = append(dst, text[:i+1]...)
		dst = append(dst, '"')
		text = text[i+1:]
	}
}

// needsQuotes goes by what encoding/csv does, so that both write the same.
func needsQuotes(text []byte, comma byte) bool {
	if len(text) == 0 {
		return false
	}
	if first, _ := utf8.DecodeRune(text); unicode.IsSpace(first) || string(text) == `\.` { // \. ends the data for some databases
		return true
	}
	for _, c := range text {
		if c == comma || c == '"' || c == '\n' || c == '\r' {
			return true
		}
	}
	return false
}
