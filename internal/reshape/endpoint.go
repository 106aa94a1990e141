package reshape

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// endpointChange rewrites the host names in a text.
type endpointChange struct {
	from *regexp.Regexp
	to   []string // what stands between the stars
	port bool     // the pattern is about the port too
}

func newEndpointChange(e Endpoint) (*endpointChange, error) {
	for _, s := range []string{e.From, e.To} {
		if s == "" || strings.Trim(s, hostCharacters+"*:") != "" || strings.Count(s, ":") > 1 {
			return nil, fmt.Errorf("%w: %q is no host name, with * and a port where you like", ErrRule, s)
		}
	}
	if strings.Count(e.To, "*") > strings.Count(e.From, "*") {
		return nil, fmt.Errorf("%w: %q has more * than %q", ErrRule, e.To, e.From)
	}
	quoted := strings.ReplaceAll(regexp.QuoteMeta(e.From), `\*`, "("+hostClass+"*)")
	return &endpointChange{
		from: regexp.MustCompile("^(?:" + quoted + ")$"), to: strings.Split(e.To, "*"), port: strings.Contains(e.From, ":"),
	}, nil
}

const (
	hostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	hostClass      = "[A-Za-z0-9._-]"
)

var hostTable = func() (t [256]bool) {
	for i := range len(hostCharacters) {
		t[hostCharacters[i]] = true
	}
	return t
}()

// inJSON rewrites a string, or every string in an object or array.
func (c *endpointChange) inJSON(w *Worker, dst, raw []byte) ([]byte, error) {
	if raw[0] == '"' {
		return c.rewrite(dst, raw, true), nil
	}
	return c.document(w, dst, raw)
}

// document rewrites every string but names.
func (c *endpointChange) document(w *Worker, dst, b []byte) ([]byte, error) {
	texts := texts{each: func(begin, end int) {}}
	from := 0
	texts.each = func(begin, end int) {
		dst = append(dst, b[from:begin]...)
		dst = c.rewrite(dst, b[begin:end], true)
		from = end
	}
	w.strings.looks = &texts
	err := w.strings.walk(b)
	w.strings.looks = nil
	return append(dst, b[from:]...), err
}

// texts is an observer of strings.
type texts struct{ each func(begin, end int) }

func (t *texts) name(*walker, *shape, []byte, int, int) telling { return telling{} }
func (t *texts) inside(*walker, int, int) bool                  { return false }
func (t *texts) unread(*walker, *shape, int, int)               {}
func (t *texts) leaf(w *walker, _ *shape, begin, end int) {
	if w.data[begin] == '"' {
		t.each(begin, end)
	}
}

func (c *endpointChange) inPayload(w *Worker, dst, b []byte) ([]byte, error) {
	if !utf8.Valid(b) {
		return dst, errUTF8
	}
	return c.rewrite(dst, b, false), nil
}

// rewrite goes from host name to host name. In JSON it leaves escapes alone.
func (c *endpointChange) rewrite(dst, b []byte, escapes bool) []byte {
	for i := 0; i < len(b); {
		n := 1
		switch {
		case escapes && b[i] == '\\':
			n = escapeLength(b[i:])
		case hostTable[b[i]]:
			name, port := cutHost(b[i:])
			dst = c.host(dst, name, port)
			i += len(name) + len(port)
			continue
		}
		dst = append(dst, b[i:i+n]...)
		i += n
	}
	return dst
}

// cutHost cuts the longest run of characters of host names from the start of b, without the dots at its end, which may be those of a
// sentence, and its port with the colon before it, if there is one.
func cutHost(b []byte) (name, port []byte) {
	end := 0
	for end < len(b) && hostTable[b[end]] {
		end++
	}
	name = bytes.TrimRight(b[:end], ".")
	if len(name) == 0 {
		return b[:end], nil
	}
	if len(name) == end && end < len(b) && b[end] == ':' {
		if digits := skipDigits(b, end+1); digits > end+1 {
			port = b[end:digits]
		}
	}
	return name, port
}

// host rewrites one host name and its port, which begins with a colon or is empty.
func (c *endpointChange) host(dst, name, port []byte) []byte {
	subject := name
	if c.port {
		subject = name[:len(name)+len(port)]
	}
	found := c.from.FindSubmatchIndex(subject)
	if found == nil {
		return append(append(dst, name...), port...)
	}
	for i, between := range c.to {
		if i > 0 {
			dst = append(dst, subject[found[2*i]:found[2*i+1]]...)
		}
		dst = append(dst, between...)
	}
	if !c.port {
		dst = append(dst, port...)
	}
	return dst
}
