package reshape

import (
	"errors"
	"fmt"
	"strings"
)

// ErrPath is wrapped for text that is no path. What it is wrapped with says how the path is spelled, as far as that is known.
var ErrPath = errors.New("not a path")

// Root is the part of a record that a path begins with.
type Root uint8

// The roots.
const (
	ValueRoot Root = iota
	KeyRoot
	HeadersRoot
	TimestampRoot
	PartitionRoot
	OffsetRoot
	TopicRoot
)

var rootNames = []string{"value", "key", "headers", "timestamp", "partition", "offset", "topic"}

// String is the root's name in a path.
func (r Root) String() string { return rootNames[r] }

// Path names a part of a record: value, key and header values, whole or the JSON in the first two, and timestamp (milliseconds),
// partition, offset and topic. It is immutable.
//
// Behind "value" and "key" stand steps into their JSON: .name, .0 for an element, .# for every element, and * and ? in names for rules.
// A name with other characters than letters, digits and the likes of _ - $ : stands in brackets and quotes, as a filter has it too:
// value["order.id"]; or each of them behind a backslash: value.order\.id. Behind "headers." stands the name of a header, dots included,
// or headers["NAME"]; of several headers of a name the last one counts, as in Kafka's lastHeader. payload|json.id leads into the JSON in a
// string, and value|json.id into that of a value that is such a string.
type Path struct {
	root Root
	rest string // behind the root, with backslashes and without brackets; empty: all of it
	name string // of a header, without escapes
}

// ParsePath reads a path. Its error wraps ErrPath.
func ParsePath(s string) (Path, error) {
	p, err := parsePath(s)
	if err != nil {
		return Path{}, badPath(s, err.Error()+respelled(s))
	}
	return p, nil
}

func parsePath(s string) (Path, error) {
	end := strings.IndexAny(s, ".[|")
	if end < 0 {
		end = len(s)
	}
	root, ok := findRoot(s[:end])
	switch {
	case !ok:
		return Path{}, errors.New("it begins with value, key, headers.NAME, timestamp, partition, offset or topic")
	case root == HeadersRoot && end == len(s):
		return Path{}, errors.New("write headers.NAME")
	case root > HeadersRoot && end < len(s):
		return Path{}, errors.New(root.String() + " has no fields")
	}
	rest, err := readSteps(s[end:], root == HeadersRoot)
	p := Path{root: root, rest: rest}
	if root == HeadersRoot {
		p.name = unescapePath(rest)
	}
	return p, err
}

// ParseField reads a path that leads to one thing, or with # to an array of things, and so has no * and ?. Unlike in a rule, #(…)
// chooses elements by what is in them, as in gjson. Its error wraps ErrPath.
func ParseField(s string) (Path, error) {
	p, err := ParsePath(s)
	if err == nil && p.isGlob() {
		return Path{}, badPath(s, "* and ? stand for any number of fields, and one is wanted here: name each field, or write # for every element")
	}
	return p, err
}

func (p Path) isGlob() bool {
	for rest, more := p.rest, p.rest != ""; more; {
		var component string
		component, rest, more = cutComponent(rest)
		if !isQuery(component) && strings.ContainsAny(withoutEscapes(component), "*?") {
			return true
		}
	}
	return false
}

// badPath quotes the path in front of an error of its own, which a caller that has quoted it already can unwrap.
func badPath(s, why string) error { return fmt.Errorf("%q: %w", s, fmt.Errorf("%w: %s", ErrPath, why)) }

func findRoot(name string) (Root, bool) {
	for i, n := range rootNames {
		if n == name {
			return Root(i), true
		}
	}
	return 0, false
}

// unescapePath takes the backslashes out of a name in a path.
func unescapePath(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Root is the part of the record that the path begins with.
func (p Path) Root() Root { return p.root }

// Rest is what follows the root, with backslashes and without brackets: a gjson path, or a header's name. Empty: the whole of the root.
func (p Path) Rest() string { return p.rest }

// Plain is Rest without backslashes: the name of a field, or names with dots between them.
func (p Path) Plain() string { return unescapePath(p.rest) }

// HeaderName is the name of the header that the path is about, without escapes; empty for other roots.
func (p Path) HeaderName() string { return p.name }

// String spells the path as ParsePath reads it.
func (p Path) String() string {
	if p.rest == "" {
		return p.root.String()
	}
	if strings.HasPrefix(p.rest, insideName) {
		return p.root.String() + p.rest
	}
	return p.root.String() + "." + p.rest
}

// gjson is what is behind the root as gjson spells it, which knows another word for the document in a string.
func (p Path) gjson() string {
	const inside = "|@fromstr"
	if !strings.Contains(p.rest, insideName) {
		return p.rest
	}
	var b strings.Builder
	for rest, more := p.rest, true; more; {
		var component string
		component, rest, more = cutComponent(rest)
		name, times := cutInside(component)
		b.WriteString(name + strings.Repeat(inside, times))
		switch {
		case more && times > 0:
			b.WriteByte('|')
		case more:
			b.WriteByte('.')
		}
	}
	return strings.TrimPrefix(b.String(), "|")
}
