package reshape

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// ErrNotJSON is wrapped by errors about payloads that are not strictly JSON.
var ErrNotJSON = errors.New("not JSON")

// maxDepth bounds the nesting of a document.
const maxDepth = 1000

// CheckJSON says whether b is strictly JSON, as RFC 8259 has it: one value, in UTF-8, without two equal names in an object, at most
// 1,000 levels deep. Its error wraps ErrNotJSON.
func CheckJSON(b []byte) error { return NewChecker().Check(b) }

// Checker checks many documents of one kind, which is faster once it knows what names they have. It is for one goroutine.
type Checker struct{ walker }

// NewChecker returns a Checker that knows nothing yet.
func NewChecker() *Checker { return &Checker{walker{root: newRoot(nil, false)}} }

// Check is CheckJSON.
func (c *Checker) Check(b []byte) error { return c.walk(b) }

// syntax is a place in a document where strict JSON ends.
type syntax struct {
	at   int
	what string
}

func (e *syntax) Error() string { return fmt.Sprintf("%v: %s at byte %d", ErrNotJSON, e.what, e.at) }

func (e *syntax) Unwrap() error { return ErrNotJSON }

// The causes of errors.
var (
	errEnd     = errors.New("it ends too early")
	errAfter   = errors.New("something follows its end")
	errValue   = errors.New("no value")
	errNumber  = errors.New("no number")
	errString  = errors.New("a bad string")
	errUTF8    = errors.New("a string that is not UTF-8")
	errName    = errors.New("no name")
	errColon   = errors.New("no colon")
	errComma   = errors.New("no comma")
	errTwice   = errors.New("a name that is there twice")
	errTooDeep = errors.New("nested too deeply")
)

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// zeroBytes has the high bit of the lowest byte that is zero in x, if there is one. Bits above that mean nothing.
func zeroBytes(x uint64) uint64 { return (x - ones) & ^x & highs }

// scanString reads over the string whose quote is at b[i]. It returns the index after its closing quote, and whether it has escapes.
func scanString(b []byte, i int) (end int, escaped bool, err error) {
	start, high := i+1, uint64(0)
	for i = start; ; {
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			stop := zeroBytes(x^ones*'"') | zeroBytes(x^ones*'\\') | (x-ones*0x20)&^x&highs
			if stop != 0 {
				n := bits.TrailingZeros64(stop)
				high |= x & (1<<n - 1)
				i += n >> 3
				break
			}
			high |= x
			i += 8
		}
		if i >= len(b) {
			return i, escaped, errEnd
		}
		switch c := b[i]; {
		case c == '"':
			if high&highs != 0 && !utf8.Valid(b[start:i]) {
				return i, escaped, errUTF8
			}
			return i + 1, escaped, nil
		case c == '\\':
			n := escapeLength(b[i:])
			if n == 0 {
				return i, escaped, errString
			}
			escaped = true
			i += n
		case c < 0x20:
			return i, escaped, errString
		default:
			high |= uint64(c)
			i++
		}
	}
}

// escapeLength is the length of the escape at the start of b; 0: it is none.
func escapeLength(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && isHex(b[2]) && isHex(b[3]) && isHex(b[4]) && isHex(b[5]) {
			return 6
		}
	}
	return 0
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// scanNumber reads over the number at b[i].
func scanNumber(b []byte, i int) (end int, ok bool) {
	if i < len(b) && b[i] == '-' {
		i++
	}
	first := i
	if i = skipDigits(b, i); i == first || b[first] == '0' && i > first+1 {
		return i, false
	}
	if i < len(b) && b[i] == '.' {
		point := i + 1
		if i = skipDigits(b, point); i == point {
			return i, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		first := i
		if i = skipDigits(b, i); i == first {
			return i, false
		}
	}
	return i, true
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	return i
}

// scanWord reads over true, false or null at b[i].
func scanWord(b []byte, i int, word string) (end int, ok bool) {
	end = i + len(word)
	return end, end <= len(b) && string(b[i:end]) == word
}
