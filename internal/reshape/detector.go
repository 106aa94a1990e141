package reshape

import (
	"bytes"
	"maps"
	"slices"
	"unicode/utf8"
)

// look is what a detector knows about a place.
type look struct {
	asked  bool
	byName string // why its name looks personal; empty: it does not
	suspicions
}

// suspicions counts records by what a field of them looks like.
type suspicions struct {
	record uint64 // the last one that counted
	counts map[string]int64
}

func (s *suspicions) add(record uint64, looks string) {
	if s.record == record {
		return
	}
	s.record = record
	if s.counts == nil {
		s.counts = map[string]int64{}
	}
	s.counts[looks]++
}

// detector looks for fields of a record that look personal and have no rule.
type detector struct {
	record uint64                 // number of the record, from 1
	found  bool                   // the record has such a field
	plain  map[string]*suspicions // by path, of what is not in a document
	names  map[string]string      // what is known about names of headers
	text   []byte
}

// leaf looks at a string or number of a document.
func (d *detector) leaf(data []byte, s *shape, from, to int) {
	raw := data[from:to]
	if raw[0] == '"' {
		if raw = raw[1 : len(raw)-1]; bytes.IndexByte(raw, '\\') >= 0 {
			d.text = appendUnescaped(d.text[:0], data[from:to])
			raw = d.text
		}
	}
	if !s.look.asked {
		s.look.asked, s.look.byName = true, personalName(s.fieldName())
	}
	looks := looksLike(raw)
	if looks == "" && len(raw) > 0 {
		looks = s.look.byName
	}
	if looks != "" {
		d.found = true
		s.look.add(d.record, looks)
	}
}

// payload looks at a whole key, value or header value as text. Name is that of a header.
func (d *detector) payload(root Root, name string, b []byte) {
	looks := ""
	if utf8.Valid(b) {
		looks = looksLike(b)
	}
	if looks == "" && len(b) > 0 && root == HeadersRoot {
		looks = d.headerName(name)
	}
	if looks == "" {
		return
	}
	d.found = true
	path := root.String()
	if root == HeadersRoot {
		path += "." + escapeHeader(name)
	}
	if d.plain == nil {
		d.plain = map[string]*suspicions{}
	}
	if d.plain[path] == nil {
		d.plain[path] = &suspicions{}
	}
	d.plain[path].add(d.record, looks)
}

// headerName is personalName, remembered for the names that come again.
func (d *detector) headerName(name string) string {
	looks, known := d.names[name]
	if known {
		return looks
	}
	looks = personalName(name)
	if d.names == nil {
		d.names = map[string]string{}
	}
	if len(d.names) < maxShapes {
		d.names[name] = looks
	}
	return looks
}

// fieldName is the name that a value goes by: its own, or that of the array around it.
func (s *shape) fieldName() string {
	for s.parent != nil && s.name == "#" && !s.learned() {
		s = s.parent
	}
	if s.parent == nil {
		return ""
	}
	return s.name
}

// suspects appends what was found at a place and below it.
func (s *shape) suspects(to []Suspect, topic, rootName string) []Suspect {
	to = s.look.suspects(to, topic, s.path(rootName))
	for _, list := range [][]*shape{s.children, s.others, s.elements} {
		for _, c := range list {
			to = c.suspects(to, topic, rootName)
		}
	}
	return to
}

func (s *suspicions) suspects(to []Suspect, topic, path string) []Suspect {
	for _, looks := range slices.Sorted(maps.Keys(s.counts)) {
		to = append(to, Suspect{Topic: topic, Path: path, Looks: looks, Records: s.counts[looks]})
	}
	return to
}
