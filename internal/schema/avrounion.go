package schema

import "encoding/binary"

// union keeps the branch of the value before where it can. Otherwise the first that can hold the value is taken, and if none can, that
// which the only member of an object names, as Avro's own JSON has it.
func (e *avroEncoder) union(dst []byte, t *avroType, old *avroValue, n *node) ([]byte, *FitError) {
	refused := &FitError{Type: t.spellBranches(), What: n.what()}
	if old != nil && t.branches[old.branch].mayHold(n) {
		if out, fit := e.of(dst, t, old.branch, &old.parts[0], n); fit == nil || !t.anotherMayHold(old.branch, n) {
			return out, fit
		}
	}
	for i, b := range t.branches {
		if !b.mayHold(n) {
			continue
		}
		out, fit := e.of(dst, t, i, nil, n)
		if fit == nil {
			return out, nil
		}
		refused = fit
	}
	if n.kind == '{' && len(n.children) == 1 {
		for i, b := range t.branches {
			if b.name == n.children[0].name && b.mayHold(&n.children[0].node) {
				return e.of(dst, t, i, nil, &n.children[0].node)
			}
		}
	}
	return dst, refused
}

// of writes a value as one of a branch.
func (e *avroEncoder) of(dst []byte, t *avroType, branch int, old *avroValue, n *node) ([]byte, *FitError) {
	return e.value(binary.AppendVarint(dst, int64(branch)), t.branches[branch], old, n)
}

func (t *avroType) anotherMayHold(branch int, n *node) bool {
	for i, b := range t.branches {
		if i != branch && b.mayHold(n) {
			return true
		}
	}
	return false
}

// mayHold says whether a value looks like one of a type, without a look at its parts.
func (t *avroType) mayHold(n *node) bool {
	switch t.kind {
	case avroArray:
		return n.kind == '['
	case avroMap:
		return n.kind == '{'
	case avroUnion:
		return true
	case avroRecord:
		return t.mayBe(n)
	}
	_, ok := appendAvroScalar(nil, t, n)
	return ok
}

// mayBe says whether an object has the fields of a record.
func (t *avroType) mayBe(n *node) bool {
	known := 0
	for i := range t.fields {
		switch f := &t.fields[i]; {
		case n.member(f.name, i) != nil:
			known++
		case f.missing == nil && !f.typ.isNullable():
			return false
		}
	}
	return n.kind == '{' && known == len(n.children)
}

func (t *avroType) isNullable() bool {
	_, ok := t.appendNull(nil)
	return ok
}

// spellBranches names the branches of a union.
func (t *avroType) spellBranches() string {
	out := "union of "
	for i, b := range t.branches {
		if i > 0 {
			out += ", "
		}
		out += b.name
	}
	return out
}
