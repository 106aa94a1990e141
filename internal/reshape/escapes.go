package reshape

import (
	"bytes"
	"html"
	"strconv"
	"unicode/utf8"
)

// unescaped takes the escapes of URLs, HTML, programs and mail off a text: %40, &#64;, \u0040, \x40, =40. What is no escape stays. Nil:
// there are none.
func unescaped(b []byte) []byte {
	if bytes.IndexByte(b, '%') < 0 && bytes.IndexByte(b, '&') < 0 && bytes.IndexByte(b, '\\') < 0 && bytes.IndexByte(b, '=') < 0 {
		return nil
	}
	var out []byte
	last := 0
	for i := 0; i < len(b); {
		size := 0
		switch b[i] {
		case '%', '=', '\\':
			if size = escapeSize(b[i:]); size > 0 {
				out = appendEscape(append(out, b[last:i]...), b[i:i+size])
				last = i + size
			}
		}
		i += max(size, 1)
	}
	if last > 0 || bytes.IndexByte(b, '&') >= 0 {
		out = append(out, b[last:]...)
	}
	if text := html.UnescapeString(asString(out)); last > 0 || text != asString(b[:len(out)]) {
		return []byte(text)
	}
	return nil
}

// escapeSize is how long the escape at b[0] is; 0: it is none.
func escapeSize(b []byte) int {
	digits, from := 2, 1
	if b[0] == '\\' {
		from = 2
		switch {
		case len(b) < 2:
			return 0
		case b[1] == 'u':
			digits = 4
		case b[1] != 'x':
			return 0
		}
	}
	if len(b) < from+digits {
		return 0
	}
	for _, c := range b[from : from+digits] {
		if !isHex(c) {
			return 0
		}
	}
	return from + digits
}

func appendEscape(dst, escape []byte) []byte {
	hex := bytes.TrimLeft(escape, `%=\xu`)
	n, _ := strconv.ParseUint(asString(hex), 16, 16) // escapeSize has looked at it
	if escape[0] == '\\' && len(escape) == len(`\u0000`) || n < 0x80 {
		return utf8.AppendRune(dst, rune(n))
	}
	return append(dst, byte(n))
}
