package speedscale

import (
	"fmt"
	"strings"
	"time"
)

type tokenKind uint8

const (
	endToken tokenKind = iota
	openToken
	closeToken
	wordToken // outside quotes
	textToken // in quotes
)

// token is a piece of a filter. A word may have a key in square brackets behind it.
type token struct {
	kind   tokenKind
	text   string // between the quotes as it is written
	key    string // header[KEY]
	keyed  bool
	column int // in bytes, from 1
}

// tokenize cuts a filter into tokens.
func tokenize(s string) (tokens []token, err error) {
	for i := 0; ; {
		i += len(s[i:]) - len(strings.TrimLeft(s[i:], " \t\r\n"))
		t, end := token{column: i + 1}, i+1
		switch {
		case i == len(s):
			return append(tokens, t), nil
		case s[i] == '(':
			t.kind, t.text = openToken, "("
		case s[i] == ')':
			t.kind, t.text = closeToken, ")"
		case s[i] == '"':
			end, err = t.quoted(s, i)
		default:
			end, err = t.word(s, i)
		}
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		i = end
	}
}

func (t *token) quoted(s string, at int) (end int, err error) {
	for i := at + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			t.kind, t.text = textToken, s[at+1:i]
			return i + 1, nil
		}
	}
	return 0, fmt.Errorf("%w: column %d: a quote that nothing closes", ErrFilter, t.column)
}

func (t *token) word(s string, at int) (end int, err error) {
	end = at + strings.IndexAny(s[at:]+" ", " \t\r\n()[\"")
	t.kind, t.text = wordToken, s[at:end]
	if end == len(s) || s[end] != '[' {
		return end, nil
	}
	n := strings.IndexByte(s[end:], ']')
	if n < 0 {
		return 0, fmt.Errorf("%w: column %d: a [ that nothing closes", ErrFilter, end+1)
	}
	t.key, t.keyed = s[end+1:end+n], true
	return end + n + 1, nil
}

// unescaped is the text of a value, where a backslash takes the character behind it for itself.
func (t token) unescaped() string {
	return t.without(func(byte) bool { return true })
}

// pattern is the regular expression of a value, whose backslashes are its own but before a quote.
func (t token) pattern() string {
	return t.without(func(next byte) bool { return next == '"' })
}

func (t token) without(drop func(next byte) bool) string {
	if t.kind != textToken || !strings.Contains(t.text, `\`) {
		return t.text
	}
	var b strings.Builder
	for i := 0; i < len(t.text); i++ {
		if t.text[i] == '\\' && i+1 < len(t.text) {
			if !drop(t.text[i+1]) {
				b.WriteByte('\\')
			}
			i++
		}
		b.WriteByte(t.text[i])
	}
	return b.String()
}

func (t token) time() (time.Time, error) {
	at, err := time.Parse(time.RFC3339, t.unescaped())
	if err != nil {
		return at, fmt.Errorf("%w: column %d: %q is no time such as 2026-03-01T12:00:00Z", ErrFilter, t.column, t.text)
	}
	return at, nil
}
