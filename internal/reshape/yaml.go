package reshape

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// FileError is an error in a rules file, at a line of it.
type FileError struct {
	File string
	Line int
	Err  error
}

func (e *FileError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

func (e *FileError) Unwrap() error { return e.Err }

// ParseRules reads a rules file; name is for messages. Its keys are those of the flags, and table and endpoints. A rule is text, as the
// flag takes it, or a mapping, which can also say for which topics it is:
//
//	filter: topic == "orders" && value.amount > 100
//	sample: 5%
//	sample-by: [value.user.id, {path: key, topics: users}]
//	mask:
//	  - value.user.email=hash
//	  - {path: value.card, action: fixed, fixed: "0000", topics: [payments-*]}
//	mask-key: env:MASK_KEY
//	table: [{path: value.tenant, file: tenants.csv, else: redact}]
//	endpoints: [{from: "*.prod.example.com", to: "*.test.example.com", in: [value.url, headers.*]}]
//	set: value.env=test
//	rename: [value.mail=email]
//	remove: [value.debug, {path: headers.trace, topics: orders}]
//
// Unknown keys, keys given twice, aliases, tags and empty lists are errors, with their line. Errors are *FileError but for text that is no YAML.
func ParseRules(name string, data []byte) (Rules, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	switch err := decoder.Decode(&doc); {
	case err == io.EOF:
		return Rules{}, nil
	case err != nil:
		return Rules{}, fmt.Errorf("%s: %w", name, err)
	}
	if decoder.Decode(&more) != io.EOF {
		return Rules{}, &FileError{name, max(more.Line, 1), errors.New("a second document: rules are one")}
	}
	var r Rules
	err := checkPlain(doc.Content[0])
	if err == nil {
		err = r.read(doc.Content[0])
	}
	var at *lineError
	if errors.As(err, &at) {
		return Rules{}, &FileError{name, at.line, at.err}
	}
	return r, err
}

// checkPlain refuses what makes a file mean something else than it looks like.
func checkPlain(n *yaml.Node) error {
	switch {
	case n.Kind == yaml.AliasNode:
		return atLine(n, errors.New("aliases are not taken here"))
	case n.Style&yaml.TaggedStyle != 0:
		return atLine(n, errors.New("tags are not taken here"))
	}
	for _, inner := range n.Content {
		if err := checkPlain(inner); err != nil {
			return err
		}
	}
	return nil
}

// lineError is a FileError that does not know its file yet.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return e.err.Error() }

func atLine(n *yaml.Node, err error) error {
	var at *lineError
	if err == nil || errors.As(err, &at) {
		return err
	}
	return &lineError{n.Line, err}
}

// keys are the names that a mapping may have, and how to read what stands there.
type keys map[string]func(*yaml.Node) error

func (r *Rules) read(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	return readMapping(n, keys{
		"filter":           each(&r.Filter, readExpression),
		"strict":           boolean(&r.Strict),
		"sample":           textOf(&r.Sample.Rate, ParseRate),
		"sample-by":        r.Sample.read,
		"mask":             each(&r.Mask, readMask),
		"mask-key":         textOf(&r.MaskKey, sameText),
		"unmaskable":       textOf(&r.Unmaskable, ParseUnmaskable),
		"require-match":    boolean(&r.RequireMatch),
		"require-coverage": boolean(&r.RequireCoverage),
		"table":            each(&r.Tables, readTable),
		"endpoints":        each(&r.Endpoints, readEndpoint),
		"set":              each(&r.Set, readSet),
		"rename":           each(&r.Rename, readRename),
		"remove":           each(&r.Remove, readRemove),
		"key":              each(&r.Key, readSelector),
		"value":            each(&r.Value, readSelector),
	})
}

func readMapping(n *yaml.Node, known keys) error {
	if n.Kind != yaml.MappingNode {
		return atLine(n, errors.New("a mapping of keys to values is wanted here"))
	}
	names := slices.Sorted(maps.Keys(known))
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, ok := known[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !ok:
			return atLine(key, fmt.Errorf("unknown key%s: use %s", likely(key.Value, names), strings.Join(names, ", ")))
		case read == nil:
			return atLine(key, fmt.Errorf("key %q is there twice", key.Value))
		}
		known[key.Value] = nil
		if err := read(value); err != nil {
			return atLine(value, err)
		}
	}
	return nil
}

// each reads one thing or a list of them.
func each[T any](to *[]T, read func(*yaml.Node) (T, error)) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		all := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			if all = n.Content; len(all) == 0 {
				return atLine(n, errors.New("a list of nothing: leave it out"))
			}
		}
		for _, item := range all {
			one, err := read(item)
			if err != nil {
				return atLine(item, err)
			}
			*to = append(*to, one)
		}
		return nil
	}
}

func readText(n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return "", atLine(n, errors.New("text is wanted here"))
	}
	return n.Value, nil
}

func textOf[T any](to *T, parse func(string) (T, error)) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		text, err := readText(n)
		if err == nil {
			*to, err = parse(text)
		}
		return err
	}
}

func sameText(s string) (string, error) { return s, nil }

func boolean(to *bool) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			return atLine(n, errors.New("true or false is wanted here"))
		}
		return n.Decode(to)
	}
}

func readExpression(n *yaml.Node) (Expression, error) {
	text, err := readText(n)
	return Expression{Text: text, line: n.Line}, err
}

func (s *Sample) read(n *yaml.Node) error {
	var by []Selector
	if err := each(&by, readSampled)(n); err != nil {
		return err
	}
	for _, one := range by {
		if err := s.ParseSampleBy(one.Path); err != nil {
			return err
		}
		if !s.Random {
			s.By[len(s.By)-1] = one
		}
	}
	return nil
}

// readSampled reads what a sample is taken by: a path, or the word random.
func readSampled(n *yaml.Node) (s Selector, err error) {
	if isText(n) {
		s.Path, err = readText(n)
		return s, err
	}
	known := s.keys()
	delete(known, "optional")
	return s, readMapping(n, known)
}

// isText says that a rule is spelled as on the command line.
func isText(n *yaml.Node) bool { return n.Kind != yaml.MappingNode }

// keys reads path, topics and optional.
func (s *Selector) keys() keys {
	return keys{"path": func(n *yaml.Node) error {
		text, err := readText(n)
		if err == nil {
			err = s.setPath(text)
		}
		return err
	}, "topics": s.readTopics, "optional": boolean(&s.Optional)}
}

func (s *Selector) readTopics(n *yaml.Node) error {
	if err := each(&s.Topics, readText)(n); err != nil {
		return err
	}
	if len(s.Topics) == 0 {
		return errors.New("topics: an empty list: leave it out to mean all")
	}
	return checkTopics(s.Topics)
}

func (k keys) with(name string, read func(*yaml.Node) error) keys {
	k[name] = read
	return k
}

func readSelector(n *yaml.Node) (s Selector, err error) {
	if isText(n) {
		return parsedRule(n, ParseSelector)
	}
	err = readMapping(n, s.keys())
	return s, err
}

// required are the keys of a rule whose path can be asked to be there.
func (s *Selector) required() keys { return s.keys().with("required", boolean(&s.Required)) }

func readRemove(n *yaml.Node) (s Selector, err error) {
	if isText(n) {
		return readSelector(n)
	}
	err = readMapping(n, s.required())
	return s, err
}

func readMask(n *yaml.Node) (m Mask, err error) {
	if isText(n) {
		return parsedRule(n, ParseMask)
	}
	var action string
	arguments := map[string]*yaml.Node{}
	if err := readMapping(n, argumentKeys(m.required().with("action", textOf(&action, sameText)), arguments)); err != nil {
		return m, err
	}
	err = m.readAction(action, arguments)
	return m, err
}

func readSet(n *yaml.Node) (s Set, err error) {
	if isText(n) {
		return parsedRule(n, ParseSet)
	}
	return s, readMapping(n, s.keys().with("to", func(n *yaml.Node) (err error) {
		s.To, err = readConstant(n)
		return err
	}))
}

func readRename(n *yaml.Node) (r Rename, err error) {
	if isText(n) {
		return parsedRule(n, ParseRename)
	}
	err = readMapping(n, r.required().with("to", textOf(&r.To, sameText)))
	return r, err
}

func readTable(n *yaml.Node) (t Table, err error) {
	otherwise := func(s string) (Else, error) {
		switch e := Else(s); e {
		case ElseWithhold, ElseKeep, ElseRedact:
			return e, nil
		}
		return "", fmt.Errorf("%q is none of %s, %s and %s", s, ElseWithhold, ElseKeep, ElseRedact)
	}
	err = readMapping(n, t.required().with("file", textOf(&t.File, sameText)).with("else", textOf(&t.Else, otherwise)))
	return t, err
}

func readEndpoint(n *yaml.Node) (e Endpoint, err error) {
	return e, readMapping(n, keys{
		"from": textOf(&e.From, sameText), "to": textOf(&e.To, sameText), "in": each(&e.In, readSelector), "optional": boolean(&e.Optional),
	})
}

func parsedRule[T any](n *yaml.Node, parse func(string) (T, error)) (T, error) {
	text, err := readText(n)
	if err != nil {
		var none T
		return none, err
	}
	return parse(text)
}

// readConstant takes numbers, booleans, null and quoted text for what they are. Plain text that JSON would read is read so too.
func readConstant(n *yaml.Node) (Constant, error) {
	switch {
	case n.Kind != yaml.ScalarNode:
		return Constant{}, atLine(n, errors.New("a plain value is wanted here: an object or a list goes into a rule of the form PATH={…}"))
	case n.Tag == "!!null":
		return ParseConstant("null"), nil
	case n.Tag == "!!str":
		return TextConstant(n.Value), nil
	}
	return ParseConstant(n.Value), nil
}
