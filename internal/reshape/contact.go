package reshape

import (
	"bytes"
	"net/netip"
	"strconv"
)

// hasIP finds an address anywhere in a text, possibly with a port, a prefix length or a zone.
func hasIP(b []byte) bool {
	for i := 0; i < len(b); {
		if !isHex(b[i]) && b[i] != ':' || i > 0 && isAlphanumeric(b[i-1]) {
			i++
			continue
		}
		end := i
		for end < len(b) && (isHex(b[end]) || b[end] == ':' || b[end] == '.') {
			end++
		}
		if (end == len(b) || !isAlphanumeric(b[end])) && isIP(trimStop(b[i:end])) {
			return true
		}
		i = end
	}
	return false
}

// trimStop takes away what ends a sentence or begins a list.
func trimStop(b []byte) []byte {
	if b = bytes.TrimRight(b, "."); bytes.HasSuffix(b, []byte(":")) && !bytes.HasSuffix(b, []byte("::")) {
		return b[:len(b)-1]
	}
	return b
}

// isIP says whether a text is an address, possibly with a port. Times of day and short words are none.
func isIP(b []byte) bool {
	dots, colons := bytes.Count(b, []byte(".")), bytes.Count(b, []byte(":"))
	if dots == 3 && colons == 1 {
		b = b[:bytes.IndexByte(b, ':')]
	}
	if len(b) < 6 || len(b) > 45 || dots != 3 && colons < 2 || !bytes.ContainsAny(b, "0123456789") {
		return false
	}
	if _, err := netip.ParseAddr(asString(b)); err == nil {
		return true
	}
	return dots == 3 && isPaddedIP(b)
}

// isPaddedIP knows addresses with zeros before their numbers, as in 010.001.002.003.
func isPaddedIP(b []byte) bool {
	for part := range bytes.SplitSeq(b, []byte(".")) {
		if n, err := strconv.ParseUint(asString(part), 10, 8); err != nil || len(part) > 3 || n > 255 {
			return false
		}
	}
	return true
}

// hasPhone finds international numbers, +49 151 23456789 and 0049…, and (555) 123-4567, 1-555-123-4567 and 555.123.4567, anywhere in a
// text.
func hasPhone(b []byte) bool {
	for i, c := range b {
		switch {
		case (c == '(' || c == '[') && isAmerican(b[i:]):
			return true
		case i > 0 && isDigit(b[i-1]):
		case c == '+' && isInternational(b[i+1:], 8):
			return true
		case i > 0 && isLetter(b[i-1]):
		case i+2 < len(b) && c == '0' && b[i+1] == '0' && '1' <= b[i+2] && b[i+2] <= '9' && isInternational(b[i:], 10),
			isDigit(c) && isAmerican(b[i:]) && !goesOn(b[:i]):
			return true
		}
	}
	return false
}

func isInternational(b []byte, least int) bool {
	b = bytes.TrimLeft(b, " (")
	var g digitGroups
	for {
		switch digits, _, ok := g.next(b, plainSeparators+"()~_"); {
		case !ok || len(digits) > least+7:
			return false
		case len(digits) >= least:
			return true
		}
	}
}

// isAmerican says whether b begins as ddd ddd dddd, with any separator, or with the first three in brackets.
func isAmerican(b []byte) bool {
	bracket := !isDigit(b[0])
	if bracket {
		b = bytes.TrimLeft(b[1:], " ")
	}
	for i, size := range [...]int{3, 3, 4} {
		rest := bytes.TrimLeft(b, "0123456789")
		if len(b)-len(rest) != size {
			return false
		}
		if b = rest; i == 2 {
			break
		}
		rest = bytes.TrimLeft(b, plainSeparators+"_)]")
		gap := b[:len(b)-len(rest)]
		if len(gap) == 0 || len(gap) > 4 || bytes.ContainsAny(gap, ")]") != (bracket && i == 0) {
			return false
		}
		b = rest
	}
	return len(b) == 0 || !isHex(b[0]) && b[0] != '-'
}

// goesOn says that a number goes on behind what stands before it. The 1 of America is no part of it.
func goesOn(before []byte) bool {
	n := len(before)
	if n < 2 || before[n-1] != '.' && before[n-1] != '-' || !isDigit(before[n-2]) {
		return false
	}
	rest := bytes.TrimRight(before[:n-1], "0123456789")
	return string(before[len(rest):n-1]) != "1" || len(rest) > 0 && (isAlphanumeric(rest[len(rest)-1]) || bytes.HasSuffix(rest, []byte("-")))
}
