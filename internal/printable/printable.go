// Package printable makes text that somebody else wrote safe to show: in names, messages and contents nobody but karchive moves the
// cursor, begins a line, turns the direction of writing or hides a letter.
//
// Text for people is spelled by [Text], or by [Fprintf] and [Cells], which do it with everything that they are given; JSON by
// [AppendJSON], which leaves its meaning as it is. [Writer] stands before a terminal for what escaped all of them.
//
// The functions are safe for concurrent use.
package printable

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// hidden are the characters that a terminal obeys or does not show: controls, and those that Unicode calls formats and separators of
// lines and paragraphs, zero-width and bidirectional ones among them.
var hidden = []*unicode.RangeTable{unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp}

// leads says of the first byte of a character in UTF-8 whether it may be a hidden one.
var leads = func() (t [256]bool) {
	for _, table := range hidden {
		for _, r := range table.R16 {
			markLeads(&t, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range table.R32 {
			markLeads(&t, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return t
}()

func markLeads(t *[256]bool, low, high, stride rune) {
	for r := low; r <= high; r += stride {
		t[string(r)[0]] = true
	}
}

// Hidden says whether a terminal obeys r, or does not show it.
func Hidden(r rune) bool { return unicode.In(r, hidden...) }

// MayHide says whether a character that begins with this byte of UTF-8 may be hidden. Those of most languages do not.
func MayHide(first byte) bool { return leads[first] }

// Text is s with everything escaped that is not to be seen as itself: \n, \r and \t for these, \xNN for bytes that are not UTF-8, \uNNNN
// or \UNNNNNNNN for the rest. A backslash stays one.
func Text(s string) string {
	if plain(s) {
		return s
	}
	return string(appendText(nil, s, ""))
}

func plain(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsGraphic(r) || Hidden(r) {
			return false
		}
	}
	return true
}

// appendText appends s, with the characters in keep as they are.
func appendText(dst []byte, s, keep string) []byte {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = fmt.Appendf(dst, `\x%02x`, s[i])
		case strings.ContainsRune(keep, r), unicode.IsGraphic(r) && !Hidden(r):
			dst = append(dst, s[i:i+size]...)
		case r == '\n' || r == '\r' || r == '\t':
			dst = append(dst, '\\', map[rune]byte{'\n': 'n', '\r': 'r', '\t': 't'}[r])
		default:
			dst = appendEscape(dst, r)
		}
		i += size
	}
	return dst
}

func appendEscape(dst []byte, r rune) []byte {
	if r > 0xFFFF {
		return fmt.Appendf(dst, `\U%08x`, r)
	}
	return fmt.Appendf(dst, `\u%04x`, r)
}

// AppendJSON appends a JSON text with its hidden characters as \u escapes, which mean the same. White space between tokens stays; bytes
// that are not UTF-8, which no JSON text has, become U+FFFD.
func AppendJSON(dst, text []byte) []byte {
	start := 0
	for i := 0; i < len(text); {
		if c := text[i]; c >= ' ' && c < 0x7f || c == '\n' || c == '\r' || c == '\t' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if !Hidden(r) && (r != utf8.RuneError || size > 1) {
			i += size
			continue
		}
		dst = append(dst, text[start:i]...)
		dst = AppendJSONEscape(dst, r)
		i += size
		start = i
	}
	return append(dst, text[start:]...)
}

// AppendJSONEscape appends a character as JSON escapes it, in one \uNNNN or, beyond U+FFFF, two.
func AppendJSONEscape(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	units := []rune{r}
	if r > 0xFFFF {
		r -= 0x10000
		units = []rune{0xD800 + r>>10, 0xDC00 + r&0x3FF}
	}
	for _, u := range units {
		dst = append(dst, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
	}
	return dst
}

// Cells are the cells of a row for text/tabwriter, which Fprintf separates by tabs.
type Cells []string

// Fprintf is fmt.Fprintf, with Text made of every argument that is text, an error or something that tells its own. What stands in the
// format is the program's and goes out as it is.
func Fprintf(w io.Writer, format string, args ...any) (int, error) {
	shown := make([]any, len(args))
	for i, a := range args {
		shown[i] = argument(a)
	}
	return fmt.Fprintf(w, format, shown...)
}

func argument(a any) any {
	switch a := a.(type) {
	case Cells:
		return a.text()
	case error, fmt.Stringer, []string:
		return Text(fmt.Sprint(a))
	case []byte:
		return Text(string(a))
	}
	switch v := reflect.ValueOf(a); v.Kind() {
	case reflect.String:
		return Text(v.String())
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16,
		reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return a
	}
	return Text(fmt.Sprint(a))
}

func (c Cells) text() string {
	shown := make([]string, len(c))
	for i, cell := range c {
		shown[i] = Text(cell)
	}
	return strings.Join(shown, "\t")
}

// writer is what NewWriter returns.
type writer struct{ to io.Writer }

// NewWriter returns a writer of text for people, a whole number of characters each time. Line feeds and tabs go out as they are, everything
// else as Text spells it.
func NewWriter(to io.Writer) io.Writer { return writer{to} }

// Write implements io.Writer.
func (w writer) Write(p []byte) (int, error) {
	if _, err := w.to.Write(appendText(make([]byte, 0, len(p)), string(p), "\n\t")); err != nil {
		return 0, err
	}
	return len(p), nil
}
