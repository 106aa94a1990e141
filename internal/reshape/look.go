package reshape

import (
	"bytes"
	"math"
	"net/netip"
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
	looksBinary     = "unreadable: binary"
	looksBroken     = "unreadable: not strictly JSON"
	looksCompressed = "unreadable: compressed"
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
	if len(raw) < 13 || bytes.IndexAny(raw, ".eE") < 0 { // fewer characters are no card
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

// hasEmail finds something@host.domain anywhere in a text, also with the @ as addresses of pages spell it.
func hasEmail(b []byte) bool {
	for from := 0; ; {
		at := bytes.IndexByte(b[from:], '@')
		if at < 0 {
			break
		}
		if at += from; isMailboxEnd(b[:at]) && isDomain(b[at+1:]) {
			return true
		}
		from = at + 1
	}
	at := bytes.Index(b, []byte("%40"))
	return at > 0 && isMailboxEnd(b[:at]) && isDomain(b[at+3:])
}

func isMailboxEnd(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	c := b[len(b)-1]
	return isWord(c) || c >= 0x80 || strings.IndexByte("!#$%&'*+-/=?^`{|}~.\"", c) >= 0
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

// digitGroups reads groups of digits, with one to three separators between.
type digitGroups struct {
	run     [24]byte // the digits so far
	n, read int
}

// next reads on to the next end of a group behind which no word goes on. It returns the digits so far, and how many of them are of that
// group.
func (g *digitGroups) next(b []byte, separators string) (digits []byte, group int, ok bool) {
	for {
		i := g.read
		for i > 0 && i < len(b) && i < g.read+3 && strings.IndexByte(separators, b[i]) >= 0 {
			i++
		}
		if i == len(b) || !isDigit(b[i]) || i == g.read && i > 0 {
			return nil, 0, false
		}
		for group = 0; i < len(b) && isDigit(b[i]); i, group = i+1, group+1 {
			if g.n == len(g.run) {
				return nil, 0, false
			}
			g.run[g.n] = b[i]
			g.n++
		}
		if g.read = i; i == len(b) || !isWord(b[i]) && b[i] < 0x80 {
			return g.run[:g.n], group, true
		}
	}
}

// begins says that no word goes on at b[i].
func begins(b []byte, i int) bool { return i == 0 || !isWord(b[i-1]) }

// hasCard finds 13 to 19 digits, possibly in groups, that begin as those of a card scheme and pass Luhn's check.
func hasCard(b []byte) bool {
	for i := range b {
		if !isDigit(b[i]) || !begins(b, i) {
			continue
		}
		var g digitGroups
		for {
			digits, group, ok := g.next(b[i:], " -./")
			if !ok {
				break
			}
			if isCard(digits) {
				return true
			}
			if group < 3 || len(digits) >= 19 {
				break
			}
		}
	}
	return false
}

func isWord(c byte) bool { return isDigit(c) || c == '_' || isLetter(c) }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// isCard knows the first digits of ISO/IEC 7812 that payment cards have: Visa 4, Mastercard 51-55 and 2221-2720, American Express 34 and
// 37, and Discover, Diners, JCB, Maestro and UnionPay under 30, 35, 36, 38, 39, 50, 56-69.
func isCard(d []byte) bool {
	if len(d) < 13 || len(d) > 19 {
		return false
	}
	two := int(d[0]-'0')*10 + int(d[1]-'0')
	four := two*100 + int(d[2]-'0')*10 + int(d[3]-'0')
	known := d[0] == '4' || 50 <= two && two <= 69 || 2221 <= four && four <= 2720 ||
		two == 30 || 34 <= two && two <= 39
	return known && luhn(d)
}

// luhn is the check of ISO/IEC 7812-1, annex B.
func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// ibanLengths are those of ISO 13616's registry, by country.
const ibanLengths = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 " +
	"ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 " +
	"LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 " +
	"SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 "

// hasIBAN finds an IBAN in either case, possibly in groups, anywhere in a text.
func hasIBAN(b []byte) bool {
	for i := 0; i+15 <= len(b); i++ {
		if isLetter(b[i]) && isLetter(b[i+1]) && isDigit(b[i+2]) && isDigit(b[i+3]) && begins(b, i) && isIBAN(b[i:]) {
			return true
		}
	}
	return false
}

// isIBAN checks as ISO 13616 has it: the length of the country, the first four characters at the end, letters as 10 to 35, and the
// remainder by 97 is 1.
func isIBAN(b []byte) bool {
	country := string([]byte{b[0] &^ 0x20, b[1] &^ 0x20})
	at := strings.Index(ibanLengths, country)
	if at < 0 || at%5 != 0 {
		return false
	}
	size := int(ibanLengths[at+2]-'0')*10 + int(ibanLengths[at+3]-'0')
	var text [34]byte
	n, i := 0, 0
	for ; i < len(b) && n < size; i++ {
		switch c := b[i]; {
		case isDigit(c):
			text[n] = c
			n++
		case isLetter(c):
			text[n] = c &^ 0x20
			n++
		case c != ' ' && c != '-' && c != '.':
			return false
		}
	}
	return n == size && (i == len(b) || !isWord(b[i])) && remainder97(text[:n]) == 1
}

func remainder97(text []byte) int {
	rest := 0
	for i := range text {
		c := text[(i+4)%len(text)]
		if isDigit(c) {
			rest = (rest*10 + int(c-'0')) % 97
		} else {
			rest = (rest*100 + int(c-'A') + 10) % 97
		}
	}
	return rest
}

// hasIP finds an address anywhere in a text, possibly with a port, a prefix length or a zone.
func hasIP(b []byte) bool {
	for i := 0; i < len(b); {
		if !isHex(b[i]) && b[i] != ':' || !begins(b, i) {
			i++
			continue
		}
		end := i
		for end < len(b) && (isHex(b[end]) || b[end] == ':' || b[end] == '.') {
			end++
		}
		if (end == len(b) || !isWord(b[end])) && isIP(bytes.TrimRight(b[i:end], ".")) {
			return true
		}
		i = end
	}
	return false
}

// isIP says whether a text is an address, possibly with a port. Times of day and short words are none.
func isIP(b []byte) bool {
	dots, colons := bytes.Count(b, []byte(".")), bytes.Count(b, []byte(":"))
	if dots == 3 && colons == 1 {
		b = b[:bytes.IndexByte(b, ':')]
	}
	if len(b) < 6 || len(b) > 45 || dots != 3 && colons < 2 || bytes.IndexAny(b, "0123456789") < 0 {
		return false
	}
	_, err := netip.ParseAddr(asString(b))
	return err == nil
}

// hasPhone finds international numbers, +49 151 23456789 and 0049…, and (555) 123-4567, 555-123-4567 and 555.123.4567, anywhere in a
// text.
func hasPhone(b []byte) bool {
	for i, c := range b {
		switch {
		case i > 0 && (isWord(b[i-1]) || b[i-1] >= 0x80):
		case c == '+' && i+1 < len(b) && isInternational(b[i+1:], 8):
			return true
		case c == '0' && i+2 < len(b) && b[i+1] == '0' && '1' <= b[i+2] && b[i+2] <= '9' && isInternational(b[i:], 10):
			return true
		case isDigit(c) || c == '(':
			if isAmerican(b[i:]) && (i == 0 || b[i-1] != '.' && b[i-1] != '-') {
				return true
			}
		}
	}
	return false
}

func isInternational(b []byte, least int) bool {
	b = bytes.TrimLeft(b, " (")
	var g digitGroups
	for {
		switch digits, _, ok := g.next(b, " -./()"); {
		case !ok || len(digits) > least+7:
			return false
		case len(digits) >= least:
			return true
		}
	}
}

// isAmerican says whether b begins as ddd ddd dddd, with any separator, or with the first three in brackets.
func isAmerican(b []byte) bool {
	const form = "ddd-ddd-dddd"
	if b[0] == '(' {
		if len(b) < 6 || b[4] != ')' {
			return false
		}
		rest := bytes.TrimLeft(b[5:], " ")
		b = append(append(append(make([]byte, 0, 16), b[1:4]...), '-'), rest[:min(len(rest), len("ddd-dddd")+1)]...)
	}
	if len(b) < len(form) || len(b) > len(form) && (isWord(b[len(form)]) || b[len(form)] == '-') {
		return false
	}
	for i := range len(form) {
		if form[i] == 'd' && !isDigit(b[i]) || form[i] == '-' && strings.IndexByte(" -./", b[i]) < 0 {
			return false
		}
	}
	return true
}

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
