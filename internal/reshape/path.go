package reshape

import (
	"errors"
	"fmt"
	"strings"
)

// ErrPath is wrapped for text that is no path.
var ErrPath = errors.New("not a path: use value, key, headers.NAME, timestamp, partition, offset or topic, and behind value and key " +
	"what leads into their JSON, such as value.order.id")

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
// Behind "value." and "key." stands a gjson path (order.id, items.0.price, items.#.price, a\.b for a name with a dot), in which
// payload|json.id leads into the JSON in a string, and value|json.id into that of a value that is such a string. Behind
// "headers." stands the name of a header, dots included; of several headers of a name the last one counts, as in Kafka's lastHeader.
type Path struct {
	root Root
	rest string // behind the root, as it was written; empty: all of it
	name string // of a header, without escapes
}

// ParsePath reads a path. Its error wraps ErrPath.
func ParsePath(s string) (Path, error) {
	first, rest, more := strings.Cut(s, ".")
	first, inside := strings.CutSuffix(first, insideName)
	root, ok := findRoot(first)
	switch {
	case !ok:
		return Path{}, badPath(s, nearest(first, rootNames))
	case more && rest == "":
		return Path{}, badPath(s, ": nothing follows the dot")
	case inside && (root > KeyRoot || !more):
		return Path{}, badPath(s, ": "+insideName+" leads from a string into the JSON in it")
	case root == HeadersRoot && !more:
		return Path{}, badPath(s, ": write headers.NAME")
	case root > HeadersRoot && more:
		return Path{}, badPath(s, ": "+root.String()+" has no fields")
	}
	p := Path{root: root, rest: rest}
	if inside {
		p.rest = insideName + "." + rest
	}
	if root == HeadersRoot {
		p.name = unescapePath(rest)
	}
	return p, nil
}

// badPath quotes the path in front of an error of its own, which a caller that has quoted it already can unwrap.
func badPath(s, why string) error { return fmt.Errorf("%q: %w", s, fmt.Errorf("%w%s", ErrPath, why)) }

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

// Rest is what follows the root, as it was written: a gjson path, or a header's name. Empty: the whole of the root.
func (p Path) Rest() string { return p.rest }

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
