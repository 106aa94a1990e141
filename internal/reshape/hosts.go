package reshape

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	hostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	hostClass      = "[A-Za-z0-9._-]"
)

// startsHost are the bytes that a host may begin with: its characters, the first byte of those beyond ASCII, and those of escapes.
var startsHost = func() (t [256]bool) {
	for i := range len(hostCharacters) {
		t[hostCharacters[i]] = true
	}
	for c := 0x80; c < 0x100; c++ {
		t[c] = true
	}
	t['%'], t['\\'] = true, true
	return t
}()

func isHostRune(r rune) bool {
	if r < utf8.RuneSelf {
		return strings.IndexByte(hostCharacters, byte(r)) >= 0
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune("\u3002\uff0e\uff61\u00b7\u200c\u200d\u00ad", r)
}

// internationalNames are as browsers read them.
var internationalNames = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// canonicalHost is a host as names are compared: in lower case, and in letters of ASCII.
func canonicalHost(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			if ascii, err := internationalNames.ToASCII(s); err == nil {
				return ascii
			}
			break
		}
	}
	return strings.ToLower(s)
}

// foundHost is the longest run of characters of host names, without the dots at its end, which may be those of a sentence.
type foundHost struct {
	from, to int    // where it stands
	portTo   int    // the same with the port
	next     int    // where to go on
	name     []byte // in its canonical form
	port     []byte // with its colon
	plain    bool   // every byte of name is one of the text
	doubtful int    // bytes at its start that may be the letter of an escape
}

// text is a part of the name, as it was written if that can be told.
func (h *foundHost) text(b, subject []byte, from, to int) []byte {
	if h.plain && to <= len(h.name) {
		return b[h.from+from : h.from+to]
	}
	return subject[from:to]
}

// hostScanner finds hosts. It is for one text.
type hostScanner struct{ name []byte }

// next is the run that begins at i, if one does.
func (s *hostScanner) next(b []byte, i int, json bool) foundHost {
	h := foundHost{from: i, plain: true}
	s.name = s.name[:0]
	ascii := true
	doubt := i > 0 && b[i-1] == '\\' && strings.IndexByte("nrtbf", b[i]) >= 0
	for h.next = i; h.next < len(b); {
		r, n := hostRune(b[h.next:], json)
		if !isHostRune(r) {
			if h.next == i {
				h.next += n
			}
			break
		}
		if len(s.name) == 0 && (r == '.') {
			h.next += n
			h.from = h.next
			continue
		}
		h.plain = h.plain && n == 1
		ascii = ascii && r < utf8.RuneSelf
		s.name = utf8.AppendRune(s.name, lowerASCII(r))
		h.next += n
		if r != '.' {
			h.to = h.next
		}
	}
	if h.to <= h.from {
		h.to = h.from
		return h
	}
	if doubt && h.from == i {
		h.doubtful = 1
	}
	if h.name = bytes.TrimRight(s.name, "."); !ascii {
		h.name = []byte(canonicalHost(string(h.name)))
	}
	h.portTo = h.to
	if end := skipDigits(b, min(h.next+1, len(b))); h.next < len(b) && b[h.next] == ':' && end > h.next+1 {
		h.port, h.portTo = b[h.next:end], end
	}
	return h
}

func lowerASCII(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r | 0x20
	}
	return r
}

// hostRune reads one character at the start of b, and how long it is: itself, one of a URL's %XX, or an escape of JSON, each of which may
// stand in another one. What is no character of a host has its length all the same.
func hostRune(b []byte, json bool) (rune, int) {
	switch b[0] {
	case '%':
		return percentRune(b)
	case '\\':
		return backslashRune(b, json)
	}
	return utf8.DecodeRune(b)
}

// percentRune reads %61, also as %2561, and several of them that make one character.
func percentRune(b []byte) (rune, int) {
	var text []byte
	end := 0
	for len(text) < utf8.UTFMax {
		c, n := percentByte(b[end:])
		if n == 0 || len(text) > 0 && utf8.RuneStart(c) {
			break
		}
		text, end = append(text, c), end+n
		if c < utf8.RuneSelf {
			break
		}
	}
	if end == 0 {
		return '%', 1
	}
	r, _ := utf8.DecodeRune(text)
	return r, end
}

func percentByte(b []byte) (c byte, n int) {
	if len(b) < 3 || b[0] != '%' {
		return 0, 0
	}
	n = 1
	for len(b) >= n+4 && b[n] == '2' && b[n+1] == '5' && isHex(b[n+2]) && isHex(b[n+3]) {
		n += 2
	}
	if !isHex(b[n]) || !isHex(b[n+1]) {
		return 0, 0
	}
	return unhex(b[n])<<4 | unhex(b[n+1]), n + 2
}

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// backslashRune reads \u0061, also behind the backslashes of a JSON text in another one. Of other escapes in JSON it takes the letter
// along; elsewhere a letter behind a backslash may be that of a name.
func backslashRune(b []byte, json bool) (rune, int) {
	n := 0
	for n < len(b) && b[n] == '\\' {
		n++
	}
	if len(b) >= n+5 && escapeLength(append([]byte{'\\'}, b[n:n+5]...)) == 6 {
		r, _ := escapedRune(append([]byte{'\\'}, b[n:min(len(b), n+11)]...))
		if n%2 == 1 && n > 1 { // the backslashes before the last one stand for themselves
			return '\\', n - 1
		}
		return r, n + 5
	}
	if json && n%2 == 1 && n < len(b) {
		return '\\', n + 1
	}
	return '\\', n
}
