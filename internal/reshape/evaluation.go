package reshape

import (
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/format"
)

// evaluation is a record as the expressions of a filter see it: an interpreter.Activation that decodes what is asked for. It is for
// one goroutine.
type evaluation struct {
	filter   *filter
	worker   *Worker
	missing  []*types.Err // by want: why there is nothing
	closed   []*types.Err // by want: why nothing can be in it
	noTime   *types.Err
	notJSON  [2]map[string]*types.Err // by root, and by what is wrong
	nullJSON [2]*types.Err

	record *Record
	in     *captured
	found  []span        // by want
	read   [2]bool       // by root: the document was read
	failed [2]*types.Err // by root: why it could not be
	names  map[string]int
	topic  string
	topics ref.Val // topic as CEL has it
}

// span is a part of a document; none when to is 0.
type span struct{ from, to int }

// captured is what a worker knows about the documents of a topic.
type captured struct{ value, key walker }

func (f *filter) captured() *captured {
	c := &captured{}
	c.value.root, c.key.root = newRoot(f.value, false), newRoot(f.key, false)
	return c
}

func newEvaluation(w *Worker) *evaluation {
	f := w.pipeline.filter
	e := &evaluation{filter: f, worker: w, found: make([]span, len(f.wants)), names: map[string]int{}}
	for i := range f.wants {
		e.missing = append(e.missing, types.WrapErr(errUndecided(f.wants[i].text()+" is not there")).(*types.Err))
		e.closed = append(e.closed, types.WrapErr(errUndecided(f.parentText(i)+" is no object")).(*types.Err))
		e.names[variable(i)] = i
	}
	e.noTime = types.WrapErr(errUndecided("the timestamp is none, or beyond what CEL takes")).(*types.Err)
	for _, root := range []Root{ValueRoot, KeyRoot} {
		e.nullJSON[root] = types.WrapErr(errUndecided("the " + root.String() + " is null")).(*types.Err)
		e.notJSON[root] = map[string]*types.Err{}
	}
	return e
}

// begin takes the next record.
func (e *evaluation) begin(r *Record, in *captured) {
	e.record, e.in = r, in
	e.read, e.failed = [2]bool{}, [2]*types.Err{}
}

// Parent is part of interpreter.Activation.
func (e *evaluation) Parent() interpreter.Activation { return nil }

// ResolveName is part of interpreter.Activation.
func (e *evaluation) ResolveName(name string) (any, bool) {
	if name[:1] == wantPrefix {
		i, ok := e.names[name]
		if !ok {
			return nil, false
		}
		return e.resolve(i), true
	}
	r := e.record
	switch name {
	case "topic":
		if e.topics == nil || e.topic != r.Topic {
			e.topic, e.topics = r.Topic, types.String(r.Topic)
		}
		return e.topics, true
	case "key":
		return e.payload(KeyRoot), true
	case "value":
		return e.payload(ValueRoot), true
	case "partition":
		return types.Int(r.Partition), true
	case "offset":
		return types.Int(r.Offset), true
	case "size":
		return types.Int(format.CanonicalSize(&r.Record)), true
	case "timestamp":
		return e.timestamp(), true
	case "headers":
		return headerMap(r.Headers), true
	}
	return nil, false
}

// timestamp refuses what is none and what CEL's timestamps do not hold.
func (e *evaluation) timestamp() ref.Val {
	ms := e.record.TimestampMs
	t := types.Timestamp{Time: time.UnixMilli(ms).UTC()}
	if ms == format.NoTimestamp || t.Unix() < minCELTime || t.Unix() > maxCELTime {
		return e.noTime
	}
	return t
}

// The range of CEL's timestamps: the years 1 to 9999.
const (
	minCELTime = -62135596800
	maxCELTime = 253402300799
)

// resolve finds what an expression looks up.
func (e *evaluation) resolve(i int) any {
	w := &e.filter.wants[i]
	if w.root == HeadersRoot {
		f := lastHeader(e.record.Headers, w.header)
		switch {
		case w.exists:
			return types.Bool(f.Kind != Missing)
		case f.Kind == Missing:
			return e.missing[i]
		}
		return textValue(f.Raw)
	}
	if !e.read[w.root] {
		e.read[w.root] = true
		e.failed[w.root] = e.readDocument(w.root)
	}
	if err := e.failed[w.root]; err != nil {
		return err
	}
	data := e.document(w.root).data
	if len(w.steps) == 0 {
		return jsonValue(data[skipSpace(data, 0):])
	}
	at := e.found[i]
	switch {
	case w.exists:
		return e.exists(i, data)
	case at.to == 0:
		return e.missing[i]
	}
	return jsonValue(data[at.from:at.to])
}

// exists says whether a member is there, or for the operator in of an array whether its name is an element. What is no object has none,
// which CEL does not take for a no.
func (e *evaluation) exists(i int, data []byte) ref.Val {
	w := &e.filter.wants[i]
	raw := data[skipSpace(data, 0):]
	if w.parent >= 0 {
		at := e.found[w.parent]
		if at.to == 0 {
			return e.missing[w.parent]
		}
		raw = data[at.from:at.to]
	}
	switch {
	case raw[0] == '{':
		return types.Bool(e.found[i].to > 0)
	case raw[0] == '[' && w.in:
		return contains(types.String(w.steps[len(w.steps)-1].text), jsonValue(raw))
	}
	return e.closed[i]
}

func (e *evaluation) document(root Root) *walker {
	if root == KeyRoot {
		return &e.in.key
	}
	return &e.in.value
}

// readDocument reads a whole document, once a record, and notes all that is wanted of it.
func (e *evaluation) readDocument(root Root) *types.Err {
	wants := e.filter.valueWant
	if root == KeyRoot {
		wants = e.filter.keyWant
	}
	b, _, err := e.worker.document(e.record, root)
	switch {
	case b == nil:
		return e.nullJSON[root]
	case err != nil:
		return e.unreadable(root, "the "+root.String()+": "+err.Error())
	}
	for _, i := range wants {
		e.found[i] = span{}
	}
	doc := e.document(root)
	if err := doc.walk(b); err != nil {
		return e.syntaxError(root, reasonOf(err))
	}
	for i := range doc.hits {
		h := &doc.hits[i]
		e.found[wants[h.pattern]] = span{h.from, h.to}
	}
	return nil
}

func (e *evaluation) syntaxError(root Root, what string) *types.Err {
	return e.unreadable(root, "the "+root.String()+" is "+what)
}

func (e *evaluation) unreadable(root Root, why string) *types.Err {
	err := e.notJSON[root][why]
	if err == nil {
		err = types.WrapErr(errUndecided(why)).(*types.Err)
		if len(e.notJSON[root]) < maxReasons {
			e.notJSON[root][why] = err
		}
	}
	return err
}

// payload is a whole key or value. One that is a text by its schema is that text.
func (e *evaluation) payload(root Root) ref.Val {
	b, bySchema, err := e.worker.document(e.record, root)
	if err == nil && bySchema && b[0] == '"' {
		return jsonValue(b)
	}
	return textValue(*e.record.payload(root))
}

// textValue is a payload as text.
func textValue(b []byte) ref.Val {
	switch {
	case b == nil:
		return types.NullValue
	case utf8.Valid(b):
		return types.String(asString(b))
	}
	return types.Bytes(b)
}

// headerMap is all headers by name, of several of a name the last.
func headerMap(headers []format.Header) ref.Val {
	m := make(map[ref.Val]ref.Val, len(headers))
	for i := range headers {
		m[types.String(headers[i].Key)] = textValue(headers[i].Value)
	}
	return types.NewRefValMap(types.DefaultTypeAdapter, m)
}

// jsonValue is a JSON value as CEL has it. Raw is valid JSON, and may be followed by something.
func jsonValue(raw []byte) ref.Val { return celValue(gjson.Parse(asString(raw))) }

func celValue(v gjson.Result) ref.Val {
	switch v.Type {
	case gjson.String:
		if hasLoneSurrogate(asBytes(v.Raw)) {
			return errNotUnicode
		}
		return types.String(v.Str)
	case gjson.Number:
		return celNumber(v.Raw)
	case gjson.True:
		return types.True
	case gjson.False:
		return types.False
	case gjson.JSON:
		return celStructure(v)
	}
	return types.NullValue
}

var errNotUnicode = types.WrapErr(errUndecided("a text has half of a surrogate pair")).(*types.Err)

// celStructure is an array or object. A member that cannot be read stands in it as an error, a name is one of all of it.
func celStructure(v gjson.Result) ref.Val {
	if v.IsArray() {
		var list []ref.Val
		v.ForEach(func(_, item gjson.Result) bool {
			list = append(list, celValue(item))
			return true
		})
		return types.NewRefValList(types.DefaultTypeAdapter, list)
	}
	m := map[ref.Val]ref.Val{}
	readable := true
	v.ForEach(func(name, item gjson.Result) bool {
		readable = !hasLoneSurrogate(asBytes(name.Raw))
		m[types.String(name.Str)] = celValue(item)
		return readable
	})
	if !readable {
		return errNotUnicode
	}
	return types.NewRefValMap(types.DefaultTypeAdapter, m)
}
