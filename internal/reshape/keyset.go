package reshape

import (
	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// keySet is the keys that a filter may be true of; nil: any. A record with another key, or none, is left out, whatever else the filter
// asks.
type keySet map[string]bool

// keysOf finds the keys that a part of a filter asks for: key == "a", "a" == key, or key in ["a", "b"].
func keysOf(e celast.Expr) keySet {
	if e.Kind() != celast.CallKind || len(e.AsCall().Args()) != 2 {
		return nil
	}
	left, right := e.AsCall().Args()[0], e.AsCall().Args()[1]
	switch e.AsCall().FunctionName() {
	case operators.Equals:
		if isKey(right) {
			left, right = right, left
		}
		if isKey(left) {
			return keySet{}.with(right)
		}
	case operators.In, operators.OldIn:
		if isKey(left) && right.Kind() == celast.ListKind {
			return keySet{}.with(right.AsList().Elements()...)
		}
	}
	return nil
}

// isKey says whether an expression is the whole key.
func isKey(e celast.Expr) bool { return e.Kind() == celast.IdentKind && e.AsIdent() == "key" }

// with adds literals; nil: one is no text.
func (s keySet) with(literals ...celast.Expr) keySet {
	for _, e := range literals {
		if e.Kind() != celast.LiteralKind {
			return nil
		}
		text, ok := literalText(e.AsLiteral())
		if !ok {
			return nil
		}
		s[text] = true
	}
	return s
}

func literalText(v ref.Val) (string, bool) {
	switch v := v.(type) {
	case types.String:
		return string(v), true
	case types.Bytes:
		return string(v), true
	}
	return "", false
}

// MatchesKey is how to tell by its key that the filter leaves a record out: false says so, also of every record without a key. It is nil
// where keys alone do not tell.
func (p *Pipeline) MatchesKey() func(key []byte) bool {
	if p == nil {
		return nil
	}
	keys := p.keys()
	if keys == nil {
		return nil
	}
	return func(key []byte) bool { return keys[string(key)] }
}

// keys are those that the filter may be true of; nil: any. What a schema makes of a key is another one.
func (p *Pipeline) keys() keySet {
	if p.filter == nil || p.schemas != nil {
		return nil
	}
	return p.filter.keys
}

// LeaveOut counts records that MatchesKey says the filter leaves out, and that no worker is shown.
func (p *Pipeline) LeaveOut(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unseen += n
}
