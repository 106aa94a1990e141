package reshape

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// comparison takes the place of ==, !=, <, <=, >, >= and in, of which CEL's own compare numbers as doubles and say false, and so also
// true for !=, of what cannot be compared.
type comparison struct {
	interpreter.InterpretableCall
	left, right interpreter.InterpretableV2
	do          func(a, b ref.Val) ref.Val
}

var comparisons = map[string]func(a, b ref.Val) ref.Val{
	operators.Equals:        equal,
	operators.NotEquals:     func(a, b ref.Val) ref.Val { return negate(equal(a, b)) },
	operators.Less:          func(a, b ref.Val) ref.Val { return ordered(a, b, func(n int) bool { return n < 0 }) },
	operators.LessEquals:    func(a, b ref.Val) ref.Val { return ordered(a, b, func(n int) bool { return n <= 0 }) },
	operators.Greater:       func(a, b ref.Val) ref.Val { return ordered(a, b, func(n int) bool { return n > 0 }) },
	operators.GreaterEquals: func(a, b ref.Val) ref.Val { return ordered(a, b, func(n int) bool { return n >= 0 }) },
	operators.In:            contains,
	operators.OldIn:         contains,
}

// OverloadID is part of interpreter.InterpretableCall. It is none of CEL's, which would have in replaced by a look-up in a set.
func (c *comparison) OverloadID() string { return "compare" + c.Function() }

// Eval is part of interpreter.Interpretable.
func (c *comparison) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, c.Exec)
}

// Exec is part of interpreter.InterpretableV2.
func (c *comparison) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	left := c.left.Exec(frame)
	if types.IsUnknownOrError(left) {
		return left
	}
	right := c.right.Exec(frame)
	if types.IsUnknownOrError(right) {
		return right
	}
	out := c.do(left, right)
	if costs := frame.CostTracker(); costs != nil {
		costs.EvalBinary(frame, c.ID(), c, left, right, out)
	}
	return out
}

// call says which types a function does not take.
type call struct{ interpreter.InterpretableCall }

// Eval is part of interpreter.Interpretable.
func (c *call) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, c.Exec)
}

// Exec is part of interpreter.InterpretableV2.
func (c *call) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	out := c.InterpretableCall.Exec(frame)
	if err, ok := out.(*types.Err); !ok || !strings.HasPrefix(err.Error(), noOverload) {
		return out
	}
	var args []ref.Val
	for _, arg := range c.Args() {
		v := arg.Exec(frame)
		if types.IsUnknownOrError(v) {
			return out
		}
		args = append(args, v)
	}
	return types.WrapErr(errUndecided(functionName(c.Function()) + " does not take " + kinds(args)))
}

const noOverload = "no such overload"

// functionName is how a function or an operator is written.
func functionName(function string) string {
	if symbol, ok := operators.FindReverse(function); ok && symbol != "" {
		return symbol
	}
	return function + "()"
}

func kinds(all []ref.Val) string {
	var text string
	for i, v := range all {
		switch {
		case i > 0 && i == len(all)-1:
			text += " and "
		case i > 0:
			text += ", "
		}
		text += kind(v)
	}
	return text
}

// decorate puts our nodes into the plan of an expression.
func decorate(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	c, ok := i.(interpreter.InterpretableCall)
	if !ok {
		return i, nil
	}
	if do, ok := comparisons[c.Function()]; ok && len(c.Args()) == 2 {
		return &comparison{c, c.Args()[0], c.Args()[1], do}, nil
	}
	return &call{c}, nil
}

func negate(v ref.Val) ref.Val {
	if b, ok := v.(types.Bool); ok {
		return !b
	}
	return v
}

// equal says whether two values are. Null equals null alone; of others, those of two kinds cannot be compared.
func equal(a, b ref.Val) ref.Val {
	switch x := a.(type) {
	case *types.Err:
		return a
	case types.Null:
		_, null := b.(types.Null)
		return types.Bool(null)
	case types.String:
		switch y := b.(type) {
		case types.String:
			return types.Bool(x == y)
		case types.Bytes:
			return types.Bool(string(x) == string(y))
		}
	case types.Bytes:
		if y, ok := b.(types.String); ok {
			return types.Bool(string(x) == string(y))
		}
	case traits.Lister:
		if y, ok := b.(traits.Lister); ok {
			return equalLists(x, y)
		}
	case traits.Mapper:
		if y, ok := b.(traits.Mapper); ok {
			return equalMaps(x, y)
		}
	}
	if _, null := b.(types.Null); null {
		return types.False
	}
	return equalScalars(a, b)
}

func equalScalars(a, b ref.Val) ref.Val {
	switch {
	case types.IsUnknownOrError(b):
		return b
	case isNumeric(a) && isNumeric(b):
		order, ok := compareNumbers(a, b)
		return types.Bool(ok && order == 0)
	case a.Type().TypeName() == b.Type().TypeName():
		return a.Equal(b)
	}
	return incomparable(a, b)
}

func incomparable(a, b ref.Val) ref.Val {
	return types.WrapErr(errUndecided(kinds([]ref.Val{a, b}) + " cannot be compared"))
}

// equalLists is false where one element tells, and undecided where none does and one cannot be compared.
func equalLists(a, b traits.Lister) ref.Val {
	if a.Size() != b.Size() {
		return types.False
	}
	var all conjunctionOf
	for i := types.Int(0); i < a.Size().(types.Int); i++ {
		if all.add(equal(a.Get(i), b.Get(i))) {
			break
		}
	}
	return all.result()
}

func equalMaps(a, b traits.Mapper) ref.Val {
	if a.Size() != b.Size() {
		return types.False
	}
	var all conjunctionOf
	for it := a.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		other, ok := b.Find(key)
		if !ok {
			return types.False
		}
		value, _ := a.Find(key)
		if all.add(equal(value, other)) {
			break
		}
	}
	return all.result()
}

// conjunctionOf is true when all that was added is, false when one is not, and else the first error.
type conjunctionOf struct {
	no  bool
	err ref.Val
}

// add says whether the result stands.
func (c *conjunctionOf) add(v ref.Val) bool {
	switch {
	case v == types.False:
		c.no = true
	case v != types.True && c.err == nil:
		c.err = v
	}
	return c.no
}

func (c *conjunctionOf) result() ref.Val {
	switch {
	case c.no:
		return types.False
	case c.err != nil:
		return c.err
	}
	return types.True
}

// contains says whether a is an element of an array or the name of a member of an object.
func contains(a, in ref.Val) ref.Val {
	switch in := in.(type) {
	case traits.Lister:
		return containsAny(a, in.Iterator())
	case traits.Mapper:
		if name, ok := a.(types.String); ok {
			_, found := in.Find(name)
			return types.Bool(found)
		}
		return containsAny(a, in.Iterator())
	}
	return types.WrapErr(errUndecided("in does not look into " + kind(in)))
}

func containsAny(a ref.Val, it traits.Iterator) ref.Val {
	var none conjunctionOf
	for it.HasNext() == types.True {
		if none.add(negate(equal(a, it.Next()))) {
			break
		}
	}
	return negate(none.result())
}

func ordered(a, b ref.Val, is func(int) bool) ref.Val {
	if isNumeric(a) && isNumeric(b) {
		order, ok := compareNumbers(a, b)
		if !ok {
			return types.WrapErr(errUndecided("what is no number has no order"))
		}
		return types.Bool(is(order))
	}
	if x, ok := a.(traits.Comparer); ok && a.Type().TypeName() == b.Type().TypeName() {
		if order, ok := x.Compare(b).(types.Int); ok {
			return types.Bool(is(int(order)))
		}
	}
	return incomparable(a, b)
}

// kind names the type of a value as JSON would.
func kind(v ref.Val) string {
	switch v.(type) {
	case types.Null:
		return "null"
	case types.Bool:
		return "a boolean"
	case types.String:
		return "a string"
	case types.Bytes:
		return "bytes"
	case traits.Lister:
		return "an array"
	case traits.Mapper:
		return "an object"
	}
	if _, long := v.(decimal); long {
		return "a number with more digits than a double keeps"
	}
	if isNumeric(v) {
		return "a number"
	}
	return fmt.Sprintf("a %s", v.Type().TypeName())
}
