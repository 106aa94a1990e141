package reshape

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold spells a text in plain characters: spaces, dashes and dots between of any kind, full-width letters and the digits of any script
// become those of ASCII, and accents and what nobody sees are gone. Its result is b itself, or valid until the next call.
func (d *detector) fold(b []byte) []byte {
	plain := true
	for _, c := range b {
		if c >= 0x80 {
			plain = false
			break
		}
	}
	if plain {
		return b
	}
	d.folded = appendFolded(d.folded[:0], b)
	return d.folded
}

// appendFolded appends b without accents, ligatures and other forms of one character, and then each as foldRune has it.
func appendFolded(dst, b []byte) []byte {
	for b = norm.NFKD.Append(nil, b...); len(b) > 0; {
		r, n := utf8.DecodeRune(b)
		b = b[n:]
		if r = foldRune(r); r >= 0 {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// foldRune is the plain form of a character; -1: it is not to be seen.
func foldRune(r rune) rune {
	switch {
	case r < 0x80:
		return r
	case unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp) || r == 0x85:
		return ' '
	case unicode.In(r, unicode.Pd) || strings.ContainsRune("\u2212\u2043\u00b7\u2022\u2219\u22c5\u30fb", r):
		return '-'
	case unicode.In(r, unicode.Cf, unicode.Mn, unicode.Me):
		return -1
	case 0xff01 <= r && r <= 0xff5e:
		return r - 0xff01 + '!'
	case r == 0xfe6b:
		return '@'
	case r == 0x2024 || r == 0x3002 || r == 0xff61 || r == 0xfe52:
		return '.'
	case unicode.IsDigit(r):
		return foldDigit(r)
	}
	return r
}

// foldDigit knows that the digits of a script are ten in a row.
func foldDigit(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	return r
}
