package extract

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/karchive/karchive/internal/reshape"
)

// Column is one column of the table.
type Column struct {
	Name string

	get   func(*reshape.Record) reshape.Field
	root  reshape.Root // of a column with a path
	rest  string       // the gjson path behind a root that is JSON; empty: the column is not about JSON
	aside bool         // it says nothing of whether a row has anything
}

// ParseColumn returns the column of a path, which is also its name. The error wraps reshape.ErrPath.
func ParseColumn(path string) (Column, error) { return NewColumn(path, path) }

// NewColumn returns the column of a path under another name. The error wraps reshape.ErrPath.
func NewColumn(name, path string) (Column, error) {
	if !utf8.ValidString(name) {
		return Column{}, fmt.Errorf("%q: %w: it is not UTF-8", name, reshape.ErrPath)
	}
	p, err := reshape.ParseField(path)
	if err != nil {
		return Column{}, err
	}
	c := Column{Name: name, get: p.Get, root: p.Root()}
	if c.isJSON() {
		c.rest = p.Rest()
		if hasWildcard(c.rest) {
			return Column{}, fmt.Errorf("%q: %w", path, errWildcard)
		}
	}
	return c, nil
}

var errWildcard = fmt.Errorf(`%w: * and ? would find the first name that matches and no other: name each field, or write \* for a star`, reshape.ErrPath)

// hasWildcard says whether a name in a gjson path stands for others. What stands in brackets is no name.
func hasWildcard(path string) bool {
	depth := 0
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			i++
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case '*', '?':
			if depth == 0 {
				return true
			}
		}
	}
	return false
}

// SplitPaths takes a comma list of paths apart. A comma in brackets or quotes is part of a path, and so is one behind a backslash.
func SplitPaths(s string) (paths []string) {
	depth, quoted, from := 0, false, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '"' && depth > 0:
			quoted = !quoted
		case quoted:
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
		case c == ',' && depth <= 0:
			paths, from = append(paths, s[from:i]), i+1
		}
	}
	return append(paths, s[from:])
}

// WithFallback returns the column with another way to find its cell where its path leads nowhere.
func (c Column) WithFallback(get func(*reshape.Record) reshape.Field) Column {
	first := c.get
	c.get = func(r *reshape.Record) reshape.Field {
		if f := first(r); f.Kind != reshape.Missing {
			return f
		}
		return get(r)
	}
	return c
}

// Computed returns a column that has a text for every record, whatever its payload. It is aside.
func Computed(name string, get func(*reshape.Record) reshape.Field) Column {
	return Column{Name: name, get: get, root: reshape.TopicRoot, aside: true}
}

// Aside returns the column as one that goes with others: a row that has nothing but such cells is empty for SkipMissing.
func (c Column) Aside() Column {
	c.aside = true
	return c
}

func (c *Column) isJSON() bool { return c.root == reshape.ValueRoot || c.root == reshape.KeyRoot }

// Names are the names of columns.
func Names(columns []Column) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// cutArray cuts a gjson path at the first # that another component follows: the path of the array, and that in each element.
func cutArray(path string) (array, element string, ok bool) {
	for at := 0; ; {
		i := strings.Index(path[at:], "#.")
		if i < 0 {
			return "", "", false
		}
		i += at
		switch {
		case i == 0:
			return "", path[2:], true
		case path[i-1] == '.' && !escaped(path[:i-1]):
			return path[:i-1], path[i+2:], true
		}
		at = i + 2
	}
}

// escaped says that an odd number of backslashes stands at the end of s.
func escaped(s string) bool { return (len(s)-len(strings.TrimRight(s, `\`)))%2 == 1 }
