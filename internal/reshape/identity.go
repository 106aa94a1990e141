package reshape

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// appendIdentity appends the text by which a JSON value is known to hashes and samples, however it is spelled: a string without quotes
// and escapes, half of a surrogate pair as three bytes of its own; a number without needless zeros and exponents, so 1, 1.0 and 1e0 are
// one; objects and arrays without spaces and with their members in order of their names, strings in them in quotes.
func appendIdentity(dst, raw []byte) []byte {
	switch raw[0] {
	case '"':
		return appendExact(dst, raw)
	case '{', '[':
		dst, _ = appendCanonical(dst, raw, 0)
		return dst
	}
	return appendScalar(dst, raw)
}

func appendScalar(dst, raw []byte) []byte {
	if raw[0] == '-' || isDigit(raw[0]) {
		return appendNumber(dst, raw)
	}
	return append(dst, raw...)
}

// appendExact is appendUnescaped, but for halves of surrogate pairs.
func appendExact(dst, raw []byte) []byte {
	body := raw[1 : len(raw)-1]
	for len(body) > 0 {
		i := bytes.IndexByte(body, '\\')
		if i < 0 {
			return append(dst, body...)
		}
		dst, body = append(dst, body[:i]...), body[i:]
		if body[1] == 'u' && escapeLength(body) == 6 && utf16.IsSurrogate(hex4(body)) {
			if whole, n := escapedRune(body); n == 12 {
				dst, body = utf8.AppendRune(dst, whole), body[n:]
				continue
			}
			r := hex4(body)
			dst, body = append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f), body[6:]
			continue
		}
		var n int
		dst, n = appendEscaped(dst, body)
		body = body[n:]
	}
	return dst
}

// maxPlainDigits is how long a number may be that is spelled without an exponent.
const maxPlainDigits = 40

// appendNumber spells a number as its value alone asks for. One whose exponent nobody can count stays as it is.
func appendNumber(dst, raw []byte) []byte {
	text := string(raw)
	minus := strings.HasPrefix(text, "-")
	mantissa, exponent, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(text, "-")), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exp := 0
	if exponent != "" {
		var err error
		if exp, err = strconv.Atoi(exponent); err != nil || exp > 1<<30 || exp < -1<<30 {
			exp = 0
			if strings.Trim(mantissa, "0.") != "" {
				return append(dst, raw...)
			}
		}
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	exp -= len(fraction)
	exp += len(digits)
	digits = strings.TrimRight(digits, "0")
	exp -= len(digits)
	if digits == "" {
		return append(dst, '0')
	}
	if minus {
		dst = append(dst, '-')
	}
	switch point := len(digits) + exp; { // where the point stands, counted from the first digit
	case exp >= 0 && point <= maxPlainDigits:
		return append(append(dst, digits...), strings.Repeat("0", exp)...)
	case exp < 0 && point > 0:
		return append(append(append(dst, digits[:point]...), '.'), digits[point:]...)
	case exp < 0 && point > -maxPlainDigits:
		return append(append(append(dst, "0."...), strings.Repeat("0", -point)...), digits...)
	}
	dst = append(append(dst, digits...), 'e')
	return strconv.AppendInt(dst, int64(exp), 10)
}

// appendCanonical appends the canonical form of the value at raw[i], and says where it ends.
func appendCanonical(dst, raw []byte, i int) ([]byte, int) {
	switch raw[i] {
	case '"':
		end, _, _ := scanString(raw, i)
		return appendCanonicalText(dst, raw[i:end]), end
	case '{':
		return appendCanonicalObject(dst, raw, i)
	case '[':
		dst = append(dst, '[')
		for i = skipSpace(raw, i+1); raw[i] != ']'; {
			if raw[i] == ',' {
				dst = append(dst, ',')
				i = skipSpace(raw, i+1)
			}
			dst, i = appendCanonical(dst, raw, i)
			i = skipSpace(raw, i)
		}
		return append(dst, ']'), i + 1
	}
	end := i
	for end < len(raw) && bytes.IndexByte([]byte(" \t\r\n,]}"), raw[end]) < 0 {
		end++
	}
	return appendScalar(dst, raw[i:end]), end
}

// appendCanonicalText quotes the exact text of a string.
func appendCanonicalText(dst, raw []byte) []byte {
	dst = append(dst, '"')
	for _, c := range appendExact(nil, raw) {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

func appendCanonicalObject(dst, raw []byte, i int) ([]byte, int) {
	type member struct{ name, value []byte }
	var members []member
	for i = skipSpace(raw, i+1); raw[i] != '}'; {
		if raw[i] == ',' {
			i = skipSpace(raw, i+1)
		}
		end, _, _ := scanString(raw, i)
		m := member{name: appendCanonicalText(nil, raw[i:end])}
		i = skipSpace(raw, skipSpace(raw, end)+1)
		m.value, i = appendCanonical(nil, raw, i)
		i = skipSpace(raw, i)
		members = append(members, m)
	}
	slices.SortFunc(members, func(a, b member) int { return bytes.Compare(a.name, b.name) })
	dst = append(dst, '{')
	for n, m := range members {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, m.name...), ':'), m.value...)
	}
	return append(dst, '}'), i + 1
}
