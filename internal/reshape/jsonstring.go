package reshape

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// appendUnescaped appends the text of a JSON string, which stands in raw with its quotes. Half of a surrogate pair and a bad \u become
// U+FFFD.
func appendUnescaped(dst, raw []byte) []byte {
	body := raw[1 : len(raw)-1]
	for {
		i := bytes.IndexByte(body, '\\')
		if i < 0 {
			return append(dst, body...)
		}
		dst = append(dst, body[:i]...)
		var n int
		dst, n = appendEscaped(dst, body[i:])
		body = body[i+n:]
	}
}

// appendUnescapedAt appends the text of the string at data[from:to], and to at where in data each byte of it stands, and its end.
func appendUnescapedAt(dst []byte, at []int, data []byte, from, to int) ([]byte, []int) {
	for i := from + 1; i < to-1; {
		size, n := len(dst), 1
		if data[i] == '\\' {
			dst, n = appendEscaped(dst, data[i:to-1])
		} else {
			dst = append(dst, data[i])
		}
		for range len(dst) - size {
			at = append(at, i)
		}
		i += n
	}
	return dst, append(at, to-1)
}

// appendEscaped appends what the escape at the start of b stands for, and says how long it is.
func appendEscaped(dst, b []byte) ([]byte, int) {
	switch b[1] {
	case 'b':
		return append(dst, '\b'), 2
	case 'f':
		return append(dst, '\f'), 2
	case 'n':
		return append(dst, '\n'), 2
	case 'r':
		return append(dst, '\r'), 2
	case 't':
		return append(dst, '\t'), 2
	case 'u':
		if escapeLength(b) == 0 { // possible where gjson found a string in what is no JSON
			return utf8.AppendRune(dst, utf8.RuneError), 2
		}
		r, n := escapedRune(b)
		return utf8.AppendRune(dst, r), n
	}
	return append(dst, b[1]), 2
}

// escapedRune reads \uXXXX, or two of them that make one character.
func escapedRune(b []byte) (rune, int) {
	r := hex4(b)
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(b) >= 12 && b[6] == '\\' && escapeLength(b[6:]) == 6 {
		if whole := utf16.DecodeRune(r, hex4(b[6:])); whole != utf8.RuneError {
			return whole, 12
		}
	}
	return utf8.RuneError, 6
}

// hasLoneSurrogate says that a JSON string has half of a surrogate pair, which is no character.
func hasLoneSurrogate(raw []byte) bool {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 || len(raw) < i+2 {
			return false
		}
		raw = raw[i:]
		n := 2
		if raw[1] == 'u' && escapeLength(raw) == 6 {
			r, length := escapedRune(raw)
			if n = length; r == utf8.RuneError && n == 6 && utf16.IsSurrogate(hex4(raw)) {
				return true
			}
		}
		raw = raw[n:]
	}
}

func hex4(b []byte) rune {
	n, _ := strconv.ParseUint(asString(b[2:6]), 16, 16)
	return rune(n)
}

// appendQuoted appends s as a JSON string. What is not UTF-8 in it becomes U+FFFD.
func appendQuoted[T ~string | ~[]byte](dst []byte, s T) []byte {
	return append(appendBody(append(dst, '"'), s), '"')
}

// appendBody appends what stands between the quotes.
func appendBody[T ~string | ~[]byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	for _, r := range string(s) {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
