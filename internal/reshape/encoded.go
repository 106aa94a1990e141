package reshape

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
)

const (
	minEncoded = 16  // characters that are taken for an encoding
	maxOpaque  = 512 // bytes that a signature or a random token may have; more that is no text had better be looked at
)

// encoded takes encodings off a text and looks at what is in them: base64 of either alphabet, hexadecimal, and %XX.
func (d *detector) encoded(b []byte, depth int) (looks string, unseen bool) {
	if bytes.IndexByte(b, '%') >= 0 {
		if text, err := url.QueryUnescape(asString(b)); err == nil && text != asString(b) {
			if looks, unseen = d.scan([]byte(text), depth+1); looks != "" && !unseen {
				return looks, false
			}
		}
	}
	for len(b) >= minEncoded {
		n := len(b) - len(bytes.TrimLeftFunc(b, isEncoded))
		run := b[:n]
		b = b[min(n+1, len(b)):]
		if len(run) < minEncoded {
			continue
		}
		looksNow, unseenNow := d.decode(run, depth)
		if looks == "" || unseen && !unseenNow && looksNow != "" {
			looks, unseen = looksNow, unseenNow
		}
	}
	return looks, unseen
}

func isEncoded(r rune) bool {
	return r < 0x80 && (isWord(byte(r)) || r == '+' || r == '/' || r == '-')
}

// decode looks at a run of characters of an encoding, and at what of it stands behind each / and -.
func (d *detector) decode(run []byte, depth int) (looks string, unseen bool) {
	looks, unseen = d.decodeOne(run, depth)
	for rest := run; looks == "" || unseen; {
		i := bytes.IndexAny(rest, "/-")
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
	return looks, unseen
}

// decodeOne tries one encoding after the other.
func (d *detector) decodeOne(text []byte, depth int) (looks string, unseen bool) {
	buf := d.spare[min(depth, maxScans)]
	defer func() { d.spare[min(depth, maxScans)] = buf }()
	buf = append(buf[:0], text...) // long enough for what is in it
	if n, err := hex.Decode(buf, text); err == nil {
		if looks, unseen = d.decoded(buf[:n], depth); looks != "" && !unseen {
			return looks, false
		}
	}
	if len(text)%4 == 1 {
		text = text[:len(text)-1]
	}
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if n, err := e.Decode(buf, text); err == nil {
			return d.decoded(buf[:n], depth)
		}
	}
	return looks, unseen
}

// decoded looks at what was in an encoding. Short bytes of no form are what random tokens and signatures are.
func (d *detector) decoded(b []byte, depth int) (looks string, unseen bool) {
	switch {
	case isCompressed(b):
		return looksCompressed, true
	case !isBinary(b):
		return d.scan(b, depth+1)
	case hasEmail(b) && len(b) > maxOpaque/8:
		return looksEmail, false
	case len(b) > maxOpaque:
		return looksBinary, true
	}
	return "", false
}

// isCompressed knows how gzip, zstd, lz4, zip, bzip2, xz and zlib begin.
func isCompressed(b []byte) bool {
	for _, magic := range []string{"\x1f\x8b\x08", "\x28\xb5\x2f\xfd", "\x04\x22\x4d\x18", "PK\x03\x04", "BZh", "\xfd7zXZ"} {
		if bytes.HasPrefix(b, []byte(magic)) {
			return true
		}
	}
	return len(b) >= 20 && b[0] == 0x78 && (b[1] == 0x01 || b[1] == 0x9c || b[1] == 0xda)
}
