package reshape

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode"
)

// What a text can look like.
const (
	looksEmail = "e-mail"
	looksPhone = "phone"
	looksCard  = "card"
	looksIBAN  = "IBAN"
	looksIP    = "IP address"
)

// looksLike says what personal thing a text looks like; empty: nothing. It takes no more of a text than its form, so it errs both ways.
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
	case n.digits >= 4 && n.capitals >= 2 && hasIBAN(b):
		return looksIBAN
	case (n.dots == 3 || n.colons >= 2) && isIP(b, n):
		return looksIP
	case n.digits >= 8 && n.digits <= 15 && isPhone(b, n.digits):
		return looksPhone
	}
	return ""
}

// characters counts those that tell what a text cannot be.
type characters struct{ digits, dots, colons, capitals int }

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
		case isUpper(byte(c)):
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
		n.capitals += int(sum >> 48)
	}
	return n
}

// hasEmail finds something@host.domain anywhere in a text.
func hasEmail(b []byte) bool {
	for {
		at := bytes.IndexByte(b, '@')
		if at < 0 {
			return false
		}
		if at > 0 && isMailbox(b[at-1]) && isDomain(b[at+1:]) {
			return true
		}
		b = b[at+1:]
	}
}

func isMailbox(c byte) bool {
	return c >= 0x80 || isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

// isDomain says whether b begins with two labels and a dot between.
func isDomain(b []byte) bool {
	label, dots := 0, 0
	for _, c := range b {
		switch {
		case c == '.' && label > 0:
			dots++
			label = 0
		case c >= 0x80 || isDigit(c) || c == '-' || 'a' <= c|0x20 && c|0x20 <= 'z':
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

// hasCard finds 13 to 19 digits, possibly in groups, that begin as those of a card scheme and pass Luhn's check.
func hasCard(b []byte) bool {
	var run [20]byte
	for i := 0; i < len(b); {
		if !isDigit(b[i]) || i > 0 && isWord(b[i-1]) {
			i++
			continue
		}
		n := 0
		for i < len(b) && (isDigit(b[i]) || (b[i] == ' ' || b[i] == '-') && i+1 < len(b) && isDigit(b[i+1])) {
			if isDigit(b[i]) && n < len(run) {
				run[n] = b[i] - '0'
				n++
			}
			i++
		}
		if (i == len(b) || !isWord(b[i])) && isCard(run[:n]) {
			return true
		}
	}
	return false
}

func isWord(c byte) bool { return isDigit(c) || c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }

// isCard knows the first digits of ISO/IEC 7812 that payment cards have: Visa 4, Mastercard 51-55 and 2221-2720, American Express 34 and
// 37, and Discover, Diners, JCB, Maestro and UnionPay under 30, 35, 36, 38, 39, 50, 56-69.
func isCard(d []byte) bool {
	if len(d) < 13 || len(d) > 19 {
		return false
	}
	two := int(d[0])*10 + int(d[1])
	four := two*100 + int(d[2])*10 + int(d[3])
	known := d[0] == 4 || 50 <= two && two <= 69 || 2221 <= four && four <= 2720 ||
		two == 30 || 34 <= two && two <= 39
	return known && luhn(d)
}

// luhn is the check of ISO/IEC 7812-1, annex B.
func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		n := int(d[len(d)-1-i])
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// hasIBAN finds an IBAN, possibly in groups of four, anywhere in a text.
func hasIBAN(b []byte) bool {
	for i := 0; i+15 <= len(b); i++ {
		if isUpper(b[i]) && isUpper(b[i+1]) && isDigit(b[i+2]) && isDigit(b[i+3]) && (i == 0 || !isWord(b[i-1])) && isIBAN(b[i:]) {
			return true
		}
	}
	return false
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// isIBAN checks as ISO 13616 has it: the first four characters at the end, letters as 10 to 35, and the remainder by 97 is 1.
func isIBAN(b []byte) bool {
	var text [34]byte
	n := 0
	for i, c := range b {
		switch {
		case isDigit(c) || isUpper(c):
			if n == len(text) {
				return false
			}
			text[n] = c
			n++
			continue
		case c == ' ' && i+1 < len(b) && isWord(b[i+1]) && n%4 == 0:
			continue
		}
		break
	}
	if n < 15 {
		return false
	}
	rest := 0
	for i := range n {
		c := text[(i+4)%n]
		if isDigit(c) {
			rest = (rest*10 + int(c-'0')) % 97
		} else {
			rest = (rest*100 + int(c-'A') + 10) % 97
		}
	}
	return rest == 1
}

// isIP says whether the whole text is an address, possibly with a port or a prefix length.
func isIP(b []byte, n characters) bool {
	if colon := bytes.LastIndexByte(b, ':'); n.dots == 3 && n.colons == 1 && colon > 0 {
		b = b[:colon]
	}
	if end := bytes.IndexAny(b, "/%"); end > 0 { // a prefix length, or a zone
		b = b[:end]
	}
	if len(b) > 45 || bytes.ContainsFunc(b, func(r rune) bool { return r >= 0x80 || r != '.' && r != ':' && !isHex(byte(r)) }) {
		return false
	}
	_, err := netip.ParseAddr(asString(b))
	return err == nil
}

// isPhone takes international numbers, +49 151 23456789 and 0049…, and (555) 123-4567, 555-123-4567 and 555.123.4567.
func isPhone(b []byte, digits int) bool {
	if len(b) > 24 {
		return false
	}
	var form [24]byte
	for i, c := range b {
		switch {
		case isDigit(c):
			form[i] = 'd'
		case c == '+' && i == 0, c == ' ', c == '-', c == '.', c == '(', c == ')', c == '/':
			form[i] = c
		default:
			return false
		}
	}
	switch shape := string(form[:len(b)]); shape {
	case "(ddd) ddd-dddd", "ddd-ddd-dddd", "ddd.ddd.dddd":
		return true
	default:
		return shape[0] == '+' || b[0] == '0' && b[1] == '0' && digits >= 10 && len(b) < 20
	}
}

// personalNames are words in the names of fields that hold personal things, each with the words that must stand before it, if any.
var personalNames = map[string]string{
	"email": "", "mail": "", "phone": "", "telephone": "", "mobile": "", "msisdn": "", "fax": "", "ssn": "", "iban": "", "pan": "",
	"cvv": "", "cvc": "", "surname": "", "lastname": "", "firstname": "", "fullname": "", "forename": "", "username": "", "nickname": "",
	"birthday": "", "birthdate": "", "dob": "", "passport": "", "street": "", "zip": "", "postcode": "", "ipaddress": "", "password": "",
	"passwd": "", "cardnumber": "", "creditcard": "", "cardholder": "", "taxid": "", "latitude": "", "longitude": "",
	"name": "first last full middle given family holder user customer contact person",
	"date": "birth", "birth": "of", "born": "", "number": "card account phone passport tax insurance license", "code": "postal zip",
	"address": "", "ip": "", "id": "tax",
}

// personalName says which word makes the name of a field look personal; empty: none.
func personalName(name string) string {
	words := nameWords(name)
	for i, word := range words {
		before, known := personalNames[word]
		if known && (before == "" || i > 0 && hasWord(before, words[i-1])) {
			return "a name: " + name
		}
	}
	return ""
}

func hasWord(list, word string) bool {
	for w := range strings.FieldsSeq(list) {
		if w == word {
			return true
		}
	}
	return false
}

// nameWords parts user_eMail, userEmail and user-email into words of lower case.
func nameWords(name string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	lower := false
	for _, r := range name {
		if !unicode.IsLetter(r) {
			end()
			lower = false
			continue
		}
		if unicode.IsUpper(r) && lower {
			end()
		}
		lower = unicode.IsLower(r)
		word = append(word, r)
	}
	end()
	return words
}
