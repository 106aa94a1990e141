package diff

import (
	"errors"
	"strings"
)

// pattern is a path into JSON by its components. A component # is each element of an array.
type pattern []string

// parsePattern reads what follows key. or value. in a path: names, numbers of elements and #, divided by dots; a backslash goes before a dot
// in a name.
func parsePattern(rest string) (pattern, error) {
	var p pattern
	var name strings.Builder
	for i := 0; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && i+1 < len(rest):
			i++
			name.WriteByte(rest[i])
		case rest[i] == '.':
			p = append(p, name.String())
			name.Reset()
		case strings.IndexByte("*?|@", rest[i]) >= 0:
			return nil, errors.New("it chooses by what is there, and a place is needed: names, numbers of elements or #, divided by dots")
		default:
			name.WriteByte(rest[i])
		}
	}
	if p = append(p, name.String()); contains(p, "") {
		return nil, errors.New("a name in it is empty")
	}
	return p, nil
}

func contains(p pattern, component string) bool {
	for _, c := range p {
		if c == component {
			return true
		}
	}
	return false
}

// covers says whether at is the place of the pattern or below it.
func (p pattern) covers(at []step) bool {
	if len(at) < len(p) {
		return false
	}
	for i, c := range p {
		if c != at[i].name && (c != "#" || !at[i].element) {
			return false
		}
	}
	return true
}

// step is a component of the way to a place: the name of a member, or the number of an element.
type step struct {
	name    string
	element bool
}

// spell is the path of a place, as ParsePath reads it, and general that of every place which differs from it by numbers of elements.
func spell(root string, at []step) (path, general string) {
	path, general = root, root
	for _, s := range at {
		name := escapeName(s.name)
		path += "." + name
		if s.element {
			name = "#"
		}
		general += "." + name
	}
	return path, general
}

// escapeName escapes what has a meaning in a path.
func escapeName(name string) string {
	if !strings.ContainsAny(name, `.\*?|#@!{}[]()=<>%"+-/:~`) && name != "" {
		return name
	}
	return escaper.Replace(name)
}

var escaper = strings.NewReplacer(`\`, `\\`, `.`, `\.`, `*`, `\*`, `?`, `\?`, `|`, `\|`, `#`, `\#`, `@`, `\@`)
