package reshape

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	minEncoded = 12  // characters that are taken for an encoding: those of a short address in base64
	minWrapped = 60  // characters of a line of an encoding that goes on in the next one
	maxOpaque  = 512 // bytes that a signature or a random token may have; more that is no text had better be looked at
)

// encoded takes encodings off a text and looks at what is in them: escapes, base64 of either alphabet, also in lines or behind a prefix, and
// hexadecimal.
func (d *detector) encoded(b []byte, depth int) (looks string, unseen bool) {
	if plain := unescaped(b); plain != nil {
		if looks, unseen = d.scan(plain, depth+1); looks != "" && !unseen {
			return looks, false
		}
		looks, unseen = "", false
	}
	if bytes.IndexByte(b, '\n') >= minWrapped {
		joined := bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r"), nil), []byte("\n"), nil)
		looks, unseen = d.runs(joined, depth)
	}
	if looks == "" || unseen {
		if now, blind := d.runs(b, depth); now != "" && (looks == "" || !blind) {
			looks, unseen = now, blind
		}
	}
	return looks, unseen
}

// runs looks at each run of characters of an encoding.
func (d *detector) runs(b []byte, depth int) (looks string, unseen bool) {
	for run := range encodedRuns(b) {
		looksNow, unseenNow := d.decode(run, depth)
		if looks == "" || unseen && !unseenNow && looksNow != "" {
			looks, unseen = looksNow, unseenNow
		}
	}
	return looks, unseen
}

// encodedRuns are the runs of characters of an encoding that are long enough for one.
func encodedRuns(b []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) >= minEncoded {
			n := len(b) - len(bytes.TrimLeftFunc(b, isEncoded))
			run := b[:n]
			b = b[min(n+1, len(b)):]
			if len(run) >= minEncoded && !yield(run) {
				return
			}
		}
	}
}

func isEncoded(r rune) bool {
	return r < 0x80 && (isWord(byte(r)) || r == '+' || r == '/' || r == '-')
}

// decode looks at a run of characters of an encoding, and at what of it stands behind each /, - and _.
func (d *detector) decode(run []byte, depth int) (looks string, unseen bool) {
	looks, unseen = d.decodeOne(run, depth)
	for rest := run; looks == "" || unseen; {
		i := bytes.IndexAny(rest, "/-_")
		part := rest
		if i >= 0 {
			part, rest = rest[:i], rest[i+1:]
		}
		if len(part) >= minEncoded && len(part) < len(run) {
			if now, blind := d.decodeOne(part, depth); now != "" && (looks == "" || !blind) {
				looks, unseen = now, blind
			}
		}
		if i < 0 {
			break
		}
	}
	if (looks == "" || unseen) && d.hidesEmail(run, depth) {
		return looksEmail, false
	}
	return looks, unseen
}

// decodeOne tries one encoding after the other.
func (d *detector) decodeOne(text []byte, depth int) (looks string, unseen bool) {
	buf := d.spare[min(depth, maxScans)]
	defer func() { d.spare[min(depth, maxScans)] = buf }()
	buf = append(buf[:0], text...) // long enough for what is in it
	if n, err := hex.Decode(buf, hexDigits(text)); err == nil {
		if looks, unseen = d.decoded(buf[:n], depth); looks != "" && !unseen {
			return looks, false
		}
	}
	if n := decodeBase64(buf, text); n > 0 {
		return d.decoded(buf[:n], depth)
	}
	return looks, unseen
}

// hexDigits are without what languages put before them.
func hexDigits(text []byte) []byte {
	for _, prefix := range []string{"0x", "0X", "x", "X"} {
		if rest, ok := bytes.CutPrefix(text, []byte(prefix)); ok {
			return rest
		}
	}
	return text
}

// decodeBase64 decodes either alphabet, without a last character that stands for no byte. It returns 0 where text is neither.
func decodeBase64(dst, text []byte) int {
	if len(text)%4 == 1 {
		text = text[:len(text)-1]
	}
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if n, err := e.Decode(dst, text); err == nil {
			return n
		}
	}
	return 0
}

// mayHoldAt says whether base64 can have an @, 0x40, in it at any offset. Names and hexadecimal numbers cannot.
func mayHoldAt(run []byte) bool {
	for i := 1; i < len(run); i++ {
		before, c := run[i-1], run[i]
		switch {
		case c < 'A' || c > 'P':
		case before == 'Q',
			c <= 'D' && strings.IndexByte("EUk0", before) >= 0,
			c == 'A' && strings.IndexByte("BFJNRVZdhlptx159-/_", before) >= 0:
			return true
		}
	}
	return false
}

// hidesEmail looks for an address in base64 that begins somewhere in a run, behind a prefix of any length.
func (d *detector) hidesEmail(run []byte, depth int) bool {
	if !mayHoldAt(run) {
		return false
	}
	buf := append(d.spare[min(depth, maxScans)][:0], run...)
	d.spare[min(depth, maxScans)] = buf
	for skip := 1; skip < 4 && len(run)-skip >= minEncoded; skip++ {
		if n := decodeBase64(buf, run[skip:]); hasPlainEmail(buf[:n]) {
			return true
		}
	}
	return false
}

// decoded looks at what was in an encoding. Short bytes of no form are what random tokens and signatures are.
func (d *detector) decoded(b []byte, depth int) (looks string, unseen bool) {
	if text := fromUTF16(b); text != nil {
		b = text
	}
	switch {
	case isCompressed(b):
		return looksCompressed, true
	case !isBinary(b):
		return d.scan(b, depth+1)
	case hasPlainEmail(b) || hasEmail(b) && len(b) > maxOpaque/8:
		return looksEmail, false
	case len(b) > maxOpaque:
		return looksBinary, true
	}
	return "", false
}

// holdsText says whether there is still text in an encoding.
func holdsText(b []byte) bool {
	for run := range encodedRuns(b) {
		buf := make([]byte, len(run))
		if n := decodeBase64(buf, run); n > 0 && !isBinary(buf[:n]) {
			return true
		}
		if n, err := hex.Decode(buf, hexDigits(run)); err == nil && n > 0 && !isBinary(buf[:n]) {
			return true
		}
	}
	return false
}

// fromUTF16 is the text of bytes in UTF-16 of either order, most of whose characters are of ASCII; nil: they are not.
func fromUTF16(b []byte) []byte {
	if len(b) < 8 || len(b)%2 != 0 {
		return nil
	}
	zeros := [2]int{}
	for i, c := range b {
		if c == 0 {
			zeros[i%2]++
		}
	}
	high := 0 // where the high byte of a character is
	if zeros[1] > zeros[0] {
		high = 1
	}
	if zeros[high] < len(b)/4 || zeros[1-high] > 0 {
		return nil
	}
	var text []byte
	for i := 0; i < len(b); i += 2 {
		if r := rune(b[i+high])<<8 | rune(b[i+1-high]); !utf16.IsSurrogate(r) && r != 0xfeff {
			text = utf8.AppendRune(text, r)
		}
	}
	return text
}

// isCompressed knows how gzip, zstd, lz4, zip, bzip2, xz and zlib begin.
func isCompressed(b []byte) bool {
	for _, magic := range []string{"\x1f\x8b\x08", "\x28\xb5\x2f\xfd", "\x04\x22\x4d\x18", "PK\x03\x04", "BZh", "\xfd7zXZ"} {
		if bytes.HasPrefix(b, []byte(magic)) {
			return true
		}
	}
	return len(b) >= 12 && b[0] == 0x78 && (int(b[0])<<8|int(b[1]))%31 == 0 // RFC 1950
}
