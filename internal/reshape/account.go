package reshape

import "strings"

// What stands between groups of digits: in any number, and in one whose groups are as long as those of a card.
const (
	plainSeparators = " -./"
	oddSeparators   = "_|:*,;\\'()\t\r\n"
)

// maxSeparators are as many as may stand between two groups of one number.
const maxSeparators = 5

// digitGroups reads groups of digits.
type digitGroups struct {
	run     [24]byte // the digits so far
	n, read int
}

// next reads on to the end of the next group, behind which no hexadecimal number goes on. It returns the digits so far, and how many of
// them are of that group.
func (g *digitGroups) next(b []byte, separators string) (digits []byte, group int, ok bool) {
	i := g.read
	for i > 0 && i < len(b) && i < g.read+maxSeparators && strings.IndexByte(separators, b[i]) >= 0 {
		i++
	}
	if i == g.read && i > 0 {
		return nil, 0, false
	}
	for ; i < len(b) && isDigit(b[i]); i, group = i+1, group+1 {
		if g.n == len(g.run) {
			return nil, 0, false
		}
		g.run[g.n] = b[i]
		g.n++
	}
	g.read = i
	return g.run[:g.n], group, group > 0 && (i == len(b) || !isHex(b[i]))
}

// hasCard finds 13 to 19 digits, possibly in groups, that begin as those of a card scheme and pass Luhn's check.
func hasCard(b []byte) bool {
	for i := range b {
		if isDigit(b[i]) && beginsCard(b[:i]) && isCardAt(b[i:]) {
			return true
		}
	}
	return false
}

// beginsCard says that no hexadecimal number goes on. One letter is a prefix, such as the B of a magnetic stripe.
func beginsCard(before []byte) bool {
	n := len(before)
	return n == 0 || !isHex(before[n-1]) || isLetter(before[n-1]) && (n == 1 || !isAlphanumeric(before[n-2]))
}

// isCardAt says whether a card begins at b[0]. Groups of one or two digits are part of one where all are as long: times and dates are not.
func isCardAt(b []byte) bool {
	var g digitGroups
	first, uniform, separators := 0, true, ""
	for {
		digits, group, ok := g.next(b, separators)
		if !ok || len(digits) > 19 {
			return false
		}
		if isCard(digits) {
			return true
		}
		if first == 0 {
			first = group
		}
		uniform = uniform && group == first
		switch {
		case group == 4 || group == 6:
			separators = plainSeparators + oddSeparators
		case group >= 3 || uniform:
			separators = plainSeparators
		default:
			return false
		}
	}
}

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
		if isLetter(b[i]) && isLetter(b[i+1]) && isDigit(b[i+2]) && isDigit(b[i+3]) && beginsIBAN(b[:i]) && isIBAN(b[i:]) {
			return true
		}
	}
	return false
}

func beginsIBAN(before []byte) bool {
	n := len(before)
	return n == 0 || !isAlphanumeric(before[n-1]) || n >= 4 && strings.EqualFold(asString(before[n-4:]), "iban")
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
		case strings.IndexByte(plainSeparators+oddSeparators, c) < 0:
			return false
		}
	}
	return n == size && (i == len(b) || !isAlphanumeric(b[i])) && remainder97(text[:n]) == 1
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
