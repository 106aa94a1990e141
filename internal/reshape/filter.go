package reshape

import (
	"context"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
)

// FilterHelp explains the expressions of a filter to users.
const FilterHelp = `A filter is a CEL expression (https://cel.dev) about one record. A record stays if it is true.

  topic        string
  key, value   text where they stand alone: a string, bytes where they are not UTF-8, null where they are null.
               JSON where something is looked up in them: value.order.id, value["order-id"], value.items[0].sku,
               has(value.order), "id" in value, value.items.exists(i, i.price > 10)
  headers      headers["type"] or headers.type, of several of a name the last; "type" in headers. Text like key and value
  partition    int
  offset       int
  timestamp    timestamp: timestamp > timestamp("2026-03-01T00:00:00Z"), timestamp.getHours() == 12
  size         int, the bytes of key, value and headers and about 30 more

Examples:
  topic == "orders" && value.amount > 100 && headers["type"] == "created"
  value.user.email.endsWith("@example.com") || key.startsWith("test-")
  value == null || value.status in ["paid", "sent"]
  !has(value.test) && value.items.all(i, i.quantity > 0)

A name with other characters than letters, digits and _ stands in brackets and quotes, as in every path: value["order.id"].

Numbers compare exactly as they are written, whole ones and others with each other: 1 == 1.0, and 0.1 is not 0.10000000000000001. In sums
whole numbers in JSON are ints (uints from 9223372036854775808 up) and others doubles, which need int() or double() to go together.
Values of different types cannot be compared: value.id == 1 is not decided for "1"; null equals only null, and has no order.
has() and in ask objects, and in also arrays: of anything else, and where value.a is not there for has(value.a.b), they are not decided.
&& and || decide with one side where that is enough: value.id == 1 || value.id == "1".

A record about which the expression cannot be decided is left out and counted with the reason, also when the expression says not;
strictly, it is an error. That is so for a field that is not there, a value that is not strictly JSON (RFC 8259, without two equal names in
an object), types that do not go together, whole numbers beyond 64 bits, numbers beyond doubles, half of a surrogate pair, and expressions
that take too many steps. When no record at all can be decided, the exit code is 3. Reasons name places and types, never contents.
`

// FilterError is an expression that cannot be used.
type FilterError struct {
	Expression string
	FileLine   int // of the rules file where the expression begins; 0: it was a flag
	Line       int // of the expression, from 1
	Column     int // from 1
	Message    string
}

func (e *FilterError) Error() string {
	at := fmt.Sprintf("column %d", e.Column)
	if e.Line > 1 {
		at = fmt.Sprintf("line %d, column %d", e.Line, e.Column)
	}
	if e.FileLine > 0 {
		at += fmt.Sprintf(" of the one in line %d of the rules", e.FileLine)
	}
	return fmt.Sprintf("filter: %s: %s", at, e.Message)
}

// Snippet is the line of the expression that is wrong, and below it a mark at the column.
func (e *FilterError) Snippet() string {
	lines := strings.Split(e.Expression, "\n")
	line := strings.ReplaceAll(lines[min(e.Line, len(lines))-1], "\t", " ")
	return line + "\n" + strings.Repeat(" ", e.Column-1) + "^"
}

// filter is compiled expressions, all of which must hold. It is immutable.
type filter struct {
	conjuncts []conjunct // those that look at no JSON first
	wants     []want
	value     patterns // of wants in the value, and which of them
	valueWant []int
	key       patterns
	keyWant   []int
	keys      keySet // the fewest that a conjunct asks for
}

// conjunct is a part of a filter that must be true. CEL's && is commutative, also where a side is an error, so that the parts may be
// looked at in any order.
type conjunct struct {
	program cel.Program
	json    bool
	loops   bool // it has a comprehension, so that it may take long
}

// newFilter compiles expressions; nil when there are none.
func newFilter(expressions []Expression) (*filter, error) {
	if len(expressions) == 0 {
		return nil, nil
	}
	env, err := cel.NewEnv(
		cel.Variable("topic", cel.StringType), cel.Variable("key", cel.DynType), cel.Variable("value", cel.DynType),
		cel.Variable("headers", cel.MapType(cel.StringType, cel.DynType)), cel.Variable("partition", cel.IntType),
		cel.Variable("offset", cel.IntType), cel.Variable("timestamp", cel.TimestampType), cel.Variable("size", cel.IntType),
		ext.Strings(), cel.OptionalTypes(), cel.EnableErrorOnBadPresenceTest(true), cel.RegexProgramSizeLimit(maxRegexProgram),
		cel.Function("double", cel.Overload("decimal_to_double", []*cel.Type{decimalType}, cel.DoubleType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return v.ConvertToType(types.DoubleType) }))),
		cel.ASTValidators(cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals()),
	)
	if err != nil {
		return nil, err
	}
	f := &filter{}
	for _, e := range expressions {
		if err := f.add(env, e); err != nil {
			return nil, err
		}
	}
	f.findPatterns()
	return f, nil
}

// add compiles one expression into conjuncts.
func (f *filter) add(env *cel.Env, e Expression) error {
	parsed, issues := env.Parse(e.Text)
	if issues.Err() != nil {
		return e.wrong(issues)
	}
	if id, err := checkLiterals(e.Text, parsed.NativeRep()); err != nil {
		at := parsed.NativeRep().SourceInfo().GetStartLocation(id)
		return &FilterError{e.Text, e.line, max(at.Line(), 1), max(at.Column()+1, 1), err.Error()}
	}
	rewriteExpression(f, parsed.NativeRep())
	env, err := env.Extend(f.variables()...)
	if err != nil {
		return err
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return e.wrong(issues)
	}
	if t := checked.OutputType(); !t.IsExactType(types.BoolType) && !t.IsExactType(types.DynType) {
		return &FilterError{e.Text, e.line, 1, 1, fmt.Sprintf("it gives a %s, and should say true or false", t)}
	}
	tree := checked.NativeRep()
	for _, part := range conjunction(nil, tree.Expr()) {
		if keys := keysOf(part); keys != nil && (f.keys == nil || len(keys) < len(f.keys)) {
			f.keys = keys
		}
		options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize), cel.CustomDecoratorV2(decorate)}
		loops := hasLoop(part)
		if loops {
			options = append(options, cel.CostLimit(maxCost), cel.InterruptCheckFrequency(interruptEvery))
		}
		program, err := env.PlanProgram(celast.NewCheckedAST(celast.NewAST(part, tree.SourceInfo()), tree.TypeMap(), tree.ReferenceMap()), options...)
		if err != nil {
			return &FilterError{e.Text, e.line, 1, 1, err.Error()}
		}
		f.insert(conjunct{program, f.looksAtJSON(part), loops})
	}
	return nil
}

// What one record may cost a filter that goes over arrays, in CEL's units of some 20 to 100 ns; how many steps it goes between two looks
// at whether it is to end; and how long a regular expression may be, in instructions.
const (
	maxCost         = 5_000_000
	interruptEvery  = 256
	maxRegexProgram = 5_000
)

func hasLoop(e celast.Expr) bool {
	found := false
	celast.PreOrderVisit(e, celast.NewExprVisitor(func(e celast.Expr) { found = found || e.Kind() == celast.ComprehensionKind }))
	return found
}

// insert keeps what is cheap in front.
func (f *filter) insert(c conjunct) {
	at := len(f.conjuncts)
	if !c.json {
		for at > 0 && f.conjuncts[at-1].json {
			at--
		}
	}
	f.conjuncts = append(f.conjuncts, c)
	copy(f.conjuncts[at+1:], f.conjuncts[at:])
	f.conjuncts[at] = c
}

// conjunction appends the parts of e that && joins.
func conjunction(to []celast.Expr, e celast.Expr) []celast.Expr {
	if e.Kind() == celast.CallKind && e.AsCall().FunctionName() == operators.LogicalAnd {
		for _, arg := range e.AsCall().Args() {
			to = conjunction(to, arg)
		}
		return to
	}
	return append(to, e)
}

// wrong turns the first issue into an error that points at its column.
func (e Expression) wrong(issues *cel.Issues) error {
	all := issues.Errors()
	if len(all) == 0 {
		return &FilterError{e.Text, e.line, 1, 1, issues.Err().Error()}
	}
	first := all[0]
	return &FilterError{e.Text, e.line, max(first.Location.Line(), 1), max(first.Location.Column()+1, 1), friendly(first.Message)}
}

// decide says whether the filter is true of a record. The error comes with Rules.Strict, and when the context of the pipeline has ended.
func (w *Worker) decide(t *topicWork, r *Record) (bool, error) {
	if keys := w.pipeline.keys(); keys != nil && !keys[string(r.Key)] { // which most records are left out for
		return false, nil
	}
	e := w.filter
	if e == nil {
		e = newEvaluation(w)
		w.filter = e
	}
	e.begin(r, t.filters)
	var why error
	for i := range e.filter.conjuncts {
		pass, err := e.eval(w.pipeline.context, &e.filter.conjuncts[i])
		switch {
		case err == nil && !pass:
			return false, nil
		case err != nil && w.pipeline.context.Err() != nil:
			return false, context.Cause(w.pipeline.context)
		}
		if why == nil {
			why = err
		}
	}
	if why == nil {
		return true, nil
	}
	reason := reasonUndecided(why)
	if w.pipeline.rules.Strict {
		return false, fmt.Errorf("filter: %w", errUndecided(reason))
	}
	w.undecided(reason)
	return false, nil
}

// maxReasons bounds what messages that name values may make of a report.
const maxReasons = 32

const otherReasons = "other reasons"

func (w *Worker) undecided(why string) {
	w.why = why
	if w.counts.Undecided == nil {
		w.counts.Undecided = map[string]int64{}
	}
	if _, known := w.counts.Undecided[why]; !known && len(w.counts.Undecided) >= maxReasons {
		why = otherReasons
	}
	w.counts.Undecided[why]++
}

const errNotBool = errUndecided("it is neither true nor false")

func (e *evaluation) eval(ctx context.Context, c *conjunct) (bool, error) {
	var out ref.Val
	var err error
	if c.loops {
		out, _, err = c.program.ContextEval(ctx, e)
	} else {
		out, _, err = c.program.Eval(e)
	}
	if err != nil {
		return false, err
	}
	pass, ok := out.(types.Bool)
	if !ok {
		return false, errNotBool
	}
	return bool(pass), nil
}
