package reshape

import (
	"bytes"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What a text can look like.
const (
	looksEmail = "e-mail"
	looksPhone = "phone"
	looksCard  = "card"
	looksIBAN  = "IBAN"
	looksIP    = "IP address"
	looksHome  = "postal address"

	looksUnchanged  = "a mask that could not be applied"
	looksBinary     = unreadable + "binary"
	looksBroken     = unreadable + "not strictly JSON"
	looksCompressed = unreadable + "compressed"
	looksNested     = unreadable + "encoded many times over"

	unreadable = "unreadable: "
)

// looksLike says what personal thing is in a folded text; empty: nothing. It takes no more of a text than its form, so it errs both
// ways.
func looksLike(b []byte) string {
	if len(b) < 6 {
		return ""
	}
	if hasEmail(b) {
		return looksEmail
	}
	n := countCharacters(b)
	switch {
	case n.digits >= 13 && hasCard(b):
		return looksCard
	case n.digits >= 4 && n.letters >= 2 && hasIBAN(b):
		return looksIBAN
	case (n.dots >= 3 || n.colons >= 2) && hasIP(b):
		return looksIP
	case n.digits >= 8 && hasPhone(b):
		return looksPhone
	case n.digits > 0 && n.letters > 3 && hasStreet(b):
		return looksHome
	}
	return ""
}

// wholeNumber spells a whole number of JSON without a point and exponent.
func wholeNumber(raw []byte) []byte {
	if len(raw) < 13 || !bytes.ContainsAny(raw, ".eE") { // fewer characters are no card
		return raw
	}
	f, err := strconv.ParseFloat(asString(raw), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1e19 {
		return raw
	}
	return strconv.AppendFloat(nil, f, 'f', -1, 64)
}

// characters counts those that tell what a text cannot be.
type characters struct{ digits, dots, colons, letters int }

// characterCounts has, for each character, what it adds to the four counts, in 16 bits each.
var characterCounts = func() (t [256]uint64) {
	for c := range t {
		switch {
		case isDigit(byte(c)):
			t[c] = 1
		case c == '.':
			t[c] = 1 << 16
		case c == ':':
			t[c] = 1 << 32
		case isLetter(byte(c)):
			t[c] = 1 << 48
		}
	}
	return t
}()

func countCharacters(b []byte) (n characters) {
	for len(b) > 0 {
		part := b[:min(len(b), 1<<15)] // no count overflows its 16 bits
		b = b[len(part):]
		var sum uint64
		for _, c := range part {
			sum += characterCounts[c]
		}
		n.digits += int(sum & 0xffff)
		n.dots += int(sum >> 16 & 0xffff)
		n.colons += int(sum >> 32 & 0xffff)
		n.letters += int(sum >> 48)
	}
	return n
}

// hasEmail finds something@host.domain anywhere in a text.
func hasEmail(b []byte) bool {
	return hasAt(b, func(before, after []byte) bool { return isMailboxEnd(before) && isDomain(after) })
}

// plainEmail is an address of ASCII alone, at the end of which stands a word: by chance it is hardly ever in random bytes.
var plainEmail = regexp.MustCompile(`^[A-Za-z0-9-]{2,63}(\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2}`)

// hasPlainEmail finds an address in bytes that are no text.
func hasPlainEmail(b []byte) bool {
	return hasAt(b, func(before, after []byte) bool {
		n := len(before)
		return n >= 2 && isWord(before[n-1]) && isWord(before[n-2]) && plainEmail.Match(after[:min(len(after), 256)])
	})
}

func hasAt(b []byte, is func(before, after []byte) bool) bool {
	for from := 0; ; {
		at := bytes.IndexByte(b[from:], '@')
		if at < 0 {
			return false
		}
		if at += from; is(b[:at], b[at+1:]) {
			return true
		}
		from = at + 1
	}
}

func isMailboxEnd(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	c := b[len(b)-1]
	return isWord(c) || c >= 0x80 || strings.IndexByte("!#$%&'*+-/=?^`{|}~.\")", c) >= 0
}

// isDomain says whether b begins with two labels and a dot between, or with an address in brackets.
func isDomain(b []byte) bool {
	if len(b) > 2 && b[0] == '[' && (isDigit(b[1]) || b[1] == 'I') {
		return true
	}
	label, dots := 0, 0
	for _, c := range b {
		switch {
		case c == '.' && label > 0:
			dots++
			label = 0
		case c >= 0x80 || isDigit(c) || c == '-' || isLetter(c):
			label++
			if dots > 0 && label >= 2 {
				return true
			}
		default:
			return false
		}
	}
	return false
}

func isWord(c byte) bool { return isDigit(c) || c == '_' || isLetter(c) }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isAlphanumeric(c byte) bool { return isDigit(c) || isLetter(c) }

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// Words of streets: those that stand alone behind a number or before one, and those that end a word before a number.
var (
	streetWords   = []string{"street", "avenue", "boulevard", "road", "lane", "rue", "calle"}
	streetEndings = []string{"straße", "strasse", "str", "gasse", "platz", "allee", "straat", "laan"}
)

// hasStreet finds a street with a number: 12 Main Street, Hauptstraße 5.
func hasStreet(b []byte) bool {
	const near = 3                   // words between a number and its street
	number, street := near+1, near+1 // words ago
	for len(b) > 0 {
		word := b
		if i := bytes.IndexFunc(b, isBetweenWords); i >= 0 {
			word = b[:i]
		}
		b = b[min(len(word)+1, len(b)):]
		if len(word) == 0 {
			continue
		}
		number, street = number+1, street+1
		switch {
		case isDigit(word[0]) && len(word) <= 6:
			if number = 0; street == 1 {
				return true
			}
		case slices.ContainsFunc(streetWords, func(s string) bool { return strings.EqualFold(s, asString(word)) }):
			if street = 0; number <= near {
				return true
			}
		case slices.ContainsFunc(streetEndings, func(s string) bool {
			return len(word) >= len(s) && strings.EqualFold(s, asString(word[len(word)-len(s):]))
		}):
			street = 0
		}
	}
	return false
}

func isBetweenWords(r rune) bool { return r < 0x80 && !isWord(byte(r)) }
