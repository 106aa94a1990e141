package schema

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// node is a value of a JSON document.
type node struct {
	kind     jsontext.Kind // n, t, f, ", 0, { or [
	text     string        // of a string; a number as it is spelled
	children []child       // of an object or array, in order
}

// child is a member of an object, or an element of an array, which has no name.
type child struct {
	name string
	node
}

// parseJSON reads a document, strictly. Its error says nothing of the contents.
func parseJSON(text []byte) (*node, error) {
	d := jsontext.NewDecoder(bytes.NewReader(text))
	n, err := readNode(d)
	if err == nil {
		if _, err = d.ReadToken(); err == io.EOF {
			return n, nil
		}
	}
	return nil, errNoDocument
}

var errNoDocument = errors.New("not strictly JSON")

func readNode(d *jsontext.Decoder) (*node, error) {
	t, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	if d.StackDepth() > maxDepth {
		return nil, errTooDeep
	}
	n := &node{kind: t.Kind()}
	switch n.kind {
	case '"', '0':
		n.text = t.String()
	case '{', '[':
		n.children, err = readChildren(d, n.kind == '{')
	}
	return n, err
}

func readChildren(d *jsontext.Decoder, object bool) ([]child, error) {
	var out []child
	for d.PeekKind() != '}' && d.PeekKind() != ']' {
		var c child
		if object {
			t, err := d.ReadToken()
			if err != nil {
				return nil, err
			}
			c.name = t.String()
		}
		n, err := readNode(d)
		if err != nil {
			return nil, err
		}
		c.node = *n
		out = append(out, c)
	}
	_, err := d.ReadToken()
	return out, err
}

// member is the member of an object of a name; nil: it has none. It is most likely the one at hint.
func (n *node) member(name string, hint int) *node {
	if hint < len(n.children) && n.children[hint].name == name {
		return &n.children[hint].node
	}
	for i := range n.children {
		if n.children[i].name == name {
			return &n.children[i].node
		}
	}
	return nil
}

// equal says that two values are the same, members in the same order.
func (n *node) equal(o *node) bool {
	return n.kind == o.kind && n.text == o.text && slices.EqualFunc(n.children, o.children, func(a, b child) bool {
		return a.name == b.name && a.equal(&b.node)
	})
}

// what is a value in a word, for errors.
func (n *node) what() string {
	switch n.kind {
	case '"':
		return "text"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 'n':
		return "null"
	}
	return "a boolean"
}
