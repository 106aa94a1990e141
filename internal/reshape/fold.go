package reshape

import (
	"unicode"
	"unicode/utf8"
)

// fold spells a text in plain characters: spaces and dashes of any kind, full-width letters and the digits of any script become those
// of ASCII, and what nobody sees is gone. Its result is b itself, or valid until the next call.
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
	d.folded = d.folded[:0]
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		b = b[n:]
		if r = foldRune(r); r >= 0 {
			d.folded = utf8.AppendRune(d.folded, r)
		}
	}
	return d.folded
}

// foldRune is the plain form of a character; -1: it is not to be seen.
func foldRune(r rune) rune {
	switch {
	case r < 0x80:
		return r
	case unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp) || r == 0x85:
		return ' '
	case unicode.In(r, unicode.Pd) || r == 0x2212 || r == 0x2043:
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
