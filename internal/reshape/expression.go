package reshape

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// want is something that an expression looks up in a record. The expression gets a variable for each, so that nothing is decoded that
// it does not look at, and no map is built to look up one name.
type want struct {
	root   Root    // key, value or headers
	steps  pattern // into the JSON; empty: all of it
	header string
	exists bool // whether it is there, and not what it is
	in     bool // as the operator in asks: of an array, whether it is an element
	parent int  // of one that may exist: what it would be in; -1: the whole document
}

const wantPrefix = "@" // no name of CEL begins so

// variable is the name of a want in the rewritten expression.
func variable(i int) string { return wantPrefix + strconv.Itoa(i) }

func (f *filter) variables() []cel.EnvOption {
	var out []cel.EnvOption
	for i, w := range f.wants {
		t := cel.DynType
		if w.exists {
			t = cel.BoolType
		}
		out = append(out, cel.Variable(variable(i), t))
	}
	return out
}

// text spells a want for messages.
func (w *want) text() string {
	if w.root == HeadersRoot {
		return fmt.Sprintf("headers[%q]", w.header)
	}
	var b strings.Builder
	b.WriteString(w.root.String())
	for _, s := range w.steps {
		if s.kind == elementStep {
			fmt.Fprintf(&b, "[%d]", s.index)
		} else if name := "." + escapeName(s.text); strings.Contains(name, `\`) || s.text == "" {
			fmt.Fprintf(&b, "[%q]", s.text)
		} else {
			b.WriteString(name)
		}
	}
	return b.String()
}

// rewriter puts variables in the place of what an expression looks up.
type rewriter struct {
	filter *filter
	make   celast.ExprFactory
	local  []string // names of comprehensions around the place of now
}

func rewriteExpression(f *filter, tree *celast.AST) {
	r := rewriter{filter: f, make: celast.NewExprFactory()}
	r.rewrite(tree.Expr(), false)
}

// rewrite replaces what it can of e. Inside says that something is looked up in e.
func (r *rewriter) rewrite(e celast.Expr, inside bool) {
	if w, ok := r.lookup(e, inside); ok {
		e.SetKindCase(r.make.NewIdent(e.ID(), r.filter.want(w)))
		return
	}
	switch e.Kind() {
	case celast.SelectKind:
		r.rewrite(e.AsSelect().Operand(), true)
	case celast.CallKind:
		r.rewriteCall(e.AsCall())
	case celast.ListKind:
		for _, item := range e.AsList().Elements() {
			r.rewrite(item, false)
		}
	case celast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			r.rewrite(entry.AsMapEntry().Key(), false)
			r.rewrite(entry.AsMapEntry().Value(), false)
		}
	case celast.StructKind:
		for _, field := range e.AsStruct().Fields() {
			r.rewrite(field.AsStructField().Value(), false)
		}
	case celast.ComprehensionKind:
		r.rewriteComprehension(e.AsComprehension())
	}
}

func (r *rewriter) rewriteCall(c celast.CallExpr) {
	if c.IsMemberFunction() {
		r.rewrite(c.Target(), false)
	}
	for i, arg := range c.Args() {
		r.rewrite(arg, looksInto(c.FunctionName(), i))
	}
}

// looksInto says whether a function looks something up in its argument number i.
func looksInto(function string, i int) bool {
	switch function {
	case operators.Index, operators.OptIndex, operators.OptSelect:
		return i == 0
	case operators.In, operators.OldIn:
		return i == 1
	}
	return false
}

func (r *rewriter) rewriteComprehension(c celast.ComprehensionExpr) {
	r.rewrite(c.IterRange(), true)
	r.rewrite(c.AccuInit(), false)
	outside := r.local
	r.local = append(outside[:len(outside):len(outside)], c.AccuVar(), c.IterVar(), c.IterVar2())
	r.rewrite(c.LoopCondition(), false)
	r.rewrite(c.LoopStep(), false)
	r.rewrite(c.Result(), false)
	r.local = outside
}

// lookup says what e looks up, if it is nothing but a path into a record.
func (r *rewriter) lookup(e celast.Expr, inside bool) (want, bool) {
	switch e.Kind() {
	case celast.IdentKind:
		root, ok := r.root(e)
		return want{root: root}, ok && inside && root != HeadersRoot
	case celast.SelectKind:
		s := e.AsSelect()
		return r.step(s.Operand(), step{kind: memberStep, text: s.FieldName(), index: -1}, s.IsTestOnly())
	case celast.CallKind:
		return r.lookupCall(e.AsCall())
	}
	return want{}, false
}

func (r *rewriter) lookupCall(c celast.CallExpr) (want, bool) {
	args := c.Args()
	if len(args) != 2 || c.IsMemberFunction() {
		return want{}, false
	}
	switch c.FunctionName() {
	case operators.Index:
		s, ok := literalStep(args[1])
		if !ok {
			return want{}, false
		}
		return r.step(args[0], s, false)
	case operators.In:
		s, ok := literalStep(args[0])
		if _, isRoot := r.root(args[1]); !ok || !isRoot || s.kind != memberStep {
			return want{}, false
		}
		w, ok := r.step(args[1], s, true)
		w.in = w.root != HeadersRoot
		return w, ok
	}
	return want{}, false
}

// literalStep is the step to a literal name or number.
func literalStep(e celast.Expr) (step, bool) {
	if e.Kind() != celast.LiteralKind {
		return step{}, false
	}
	switch v := e.AsLiteral().(type) {
	case types.String:
		return step{kind: memberStep, text: string(v), index: -1}, true
	case types.Int:
		return step{kind: elementStep, index: int(v)}, v >= 0 && v < 1<<31
	}
	return step{}, false
}

// step is one step further than what in looks up.
func (r *rewriter) step(in celast.Expr, s step, exists bool) (want, bool) {
	if root, ok := r.root(in); ok && root == HeadersRoot {
		return want{root: root, header: s.text, exists: exists}, s.kind == memberStep
	}
	w, ok := r.lookup(in, true)
	if !ok || w.exists || w.root == HeadersRoot {
		return want{}, false
	}
	w.steps = append(w.steps[:len(w.steps):len(w.steps)], s)
	w.exists = exists
	return w, true
}

// parentText spells what a want would be in.
func (f *filter) parentText(i int) string {
	w := f.wants[i]
	if w.root != HeadersRoot && len(w.steps) > 0 {
		w.steps = w.steps[:len(w.steps)-1]
	}
	return w.text()
}

// root says whether e is the name of a part of the record that something can be looked up in, and not that of a comprehension.
func (r *rewriter) root(e celast.Expr) (Root, bool) {
	if e.Kind() != celast.IdentKind {
		return 0, false
	}
	root, ok := findRoot(e.AsIdent())
	if !ok || root > HeadersRoot {
		return 0, false
	}
	for _, name := range r.local {
		if name == e.AsIdent() {
			return 0, false
		}
	}
	return root, true
}

// want is the variable of a want, new or known.
func (f *filter) want(w want) string {
	if i := f.find(&w); i >= 0 {
		return variable(i)
	}
	if w.parent = -1; w.exists && w.root != HeadersRoot && len(w.steps) > 1 {
		f.want(want{root: w.root, steps: w.steps[:len(w.steps)-1]})
		w.parent = f.find(&want{root: w.root, steps: w.steps[:len(w.steps)-1]})
	}
	f.wants = append(f.wants, w)
	return variable(len(f.wants) - 1)
}

func (f *filter) find(w *want) int {
	for i := range f.wants {
		if f.wants[i].equal(w) {
			return i
		}
	}
	return -1
}

func (w *want) equal(o *want) bool {
	if w.root != o.root || w.header != o.header || w.exists != o.exists || w.in != o.in || len(w.steps) != len(o.steps) {
		return false
	}
	for i := range w.steps {
		if w.steps[i] != o.steps[i] {
			return false
		}
	}
	return true
}

// findPatterns makes the patterns of wants that are about a place in the JSON.
func (f *filter) findPatterns() {
	for i, w := range f.wants {
		switch {
		case len(w.steps) == 0:
		case w.root == KeyRoot:
			f.key, f.keyWant = append(f.key, w.steps), append(f.keyWant, i)
		default:
			f.value, f.valueWant = append(f.value, w.steps), append(f.valueWant, i)
		}
	}
}

// looksAtJSON says whether a part of an expression needs a document.
func (f *filter) looksAtJSON(e celast.Expr) bool {
	found := false
	celast.PreOrderVisit(e, celast.NewExprVisitor(func(e celast.Expr) {
		if e.Kind() != celast.IdentKind {
			return
		}
		if number, ok := strings.CutPrefix(e.AsIdent(), wantPrefix); ok {
			if i, err := strconv.Atoi(number); err == nil && i < len(f.wants) && f.wants[i].root != HeadersRoot {
				found = true
			}
		}
	}))
	return found
}

// friendly words a message of the parser or checker.
func friendly(message string) string {
	if name, ok := strings.CutPrefix(message, "undeclared reference to '"); ok {
		name, _, _ = strings.Cut(name, "'")
		return name + " is not known" + nearest(name, append([]string{"size", "has"}, rootNames...))
	}
	if m := noMatch.FindStringSubmatch(message); m != nil {
		return functionName(m[1]) + " does not take " + typeNames(m[2], m[3])
	}
	for _, odd := range []string{"'@", `'\`, "'#", "'$"} {
		if strings.Contains(message, "token recognition error at: "+odd) {
			return message + `; a name with such characters is written value["@type"]`
		}
	}
	return message
}

// noMatch is how CEL says that a function is not there for types: of a receiver, if it has one, and of arguments.
var noMatch = regexp.MustCompile(`^found no matching overload for '(.+)' applied to '(?:(.*)\.)?\((.*)\)'$`)

// typeWords are CEL's types in the words of reasons that a filter cannot be decided. What is not here is spelled as CEL does.
var typeWords = strings.NewReplacer("google.protobuf.Timestamp", "a time", "timestamp", "a time", "google.protobuf.Duration", "a duration", "duration", "a duration",
	"uint", "a whole number", "int", "a whole number", "double", "a number with a fraction", "string", "a string", "bool", "true or false", "bytes", "bytes", "null_type", "null", "dyn", "a JSON value")

func typeNames(receiver, arguments string) string {
	all := arguments
	if receiver != "" {
		all = strings.TrimSuffix(receiver+", "+arguments, ", ")
	}
	if strings.Contains(all, "(") { // of a list or map, which may have commas of its own
		return all
	}
	if i := strings.LastIndex(all, ", "); i >= 0 {
		all = all[:i] + " and " + all[i+len(", "):]
	}
	return typeWords.Replace(all)
}

// checkLiterals refuses numbers in an expression that would not be compared as they are written.
func checkLiterals(text string, tree *celast.AST) (at int64, err error) {
	runes := []rune(text)
	celast.PreOrderVisit(tree.Expr(), celast.NewExprVisitor(func(e celast.Expr) {
		if e.Kind() != celast.LiteralKind || err != nil {
			return
		}
		f, ok := e.AsLiteral().(types.Double)
		offset, known := tree.SourceInfo().GetOffsetRange(e.ID())
		if !ok || !known || int(offset.Start) >= len(runes) {
			return
		}
		written := string(runes[offset.Start:])
		written = written[:len(written)-len(strings.TrimLeft(written, "+-0123456789.eE"))]
		if wrong := checkLiteral(written, float64(f)); wrong != nil {
			at, err = e.ID(), wrong
		}
	}))
	return at, err
}
