package diff

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"

	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/reshape"
)

// compareJSON compares two documents by meaning. Both are strictly JSON. Numbers are compared exactly, whatever their size: a library that
// reads them as doubles takes 9223372036854775807 and 9223372036854775808 for equal.
func (p *payload) compareJSON(l *changes, a, b []byte) {
	(&walk{p, l, nil}).compare(decode(a), decode(b))
}

func decode(b []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	d.Decode(&v) // it was checked
	return v
}

// walk goes through two documents at once.
type walk struct {
	*payload
	changes *changes
	at      []step
}

// absent is the value of what is not there.
type absent struct{}

func (w *walk) compare(a, b any) {
	if w.mayDiffer() {
		return
	}
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			w.members(x, y)
			return
		}
	case []any:
		if y, ok := b.([]any); ok {
			w.elements(x, y)
			return
		}
	case json.Number:
		if y, ok := b.(json.Number); ok && w.near(x, y) {
			return
		}
	case string, bool, nil:
		if a == b {
			return
		}
	}
	path, general := spell(w.root, w.at)
	w.changes.add(Change{path, spelled(a), spelled(b), general})
}

func (w *walk) members(a, b map[string]any) {
	names := slices.AppendSeq(make([]string, 0, max(len(a), len(b))), maps.Keys(a))
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		w.step(step{name: name}, member(a, name), member(b, name))
	}
}

func member(of map[string]any, name string) any {
	if v, ok := of[name]; ok {
		return v
	}
	return absent{}
}

func (w *walk) elements(a, b []any) {
	for i := range max(len(a), len(b)) {
		w.step(step{strconv.Itoa(i), true}, element(a, i), element(b, i))
	}
}

func element(of []any, i int) any {
	if i < len(of) {
		return of[i]
	}
	return absent{}
}

func (w *walk) step(s step, a, b any) {
	w.at = append(w.at, s)
	w.compare(a, b)
	w.at = w.at[:len(w.at)-1]
}

// spelled is a value as JSON; nothing where there is none.
func spelled(v any) string {
	if _, none := v.(absent); none {
		return ""
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(v) // it was decoded from JSON
	return string(printable.AppendJSON(nil, bytes.TrimSuffix(b.Bytes(), []byte("\n"))))
}

// near says whether two numbers are equal, or differ by no more than is tolerated here.
func (w *walk) near(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, ok := rational(a)
	y, ok2 := rational(b)
	if !ok || !ok2 {
		return false
	}
	by := 0.0
	for _, t := range w.tolerance {
		if t.covers(w.at) {
			by = max(by, t.by)
		}
	}
	difference := new(big.Rat).Sub(x, y)
	return difference.Abs(difference).Cmp(new(big.Rat).SetFloat64(by)) <= 0
}

// appendMeaning appends what documents that mean the same have in common. What may differ is not in it.
func (p *payload) appendMeaning(dst, doc []byte) []byte {
	if len(p.ignored) > 0 {
		doc = []byte(spelled((&walk{p, nil, nil}).kept(decode(doc))))
	}
	f := reshape.JSONField(doc)
	return f.AppendIdentity(append(dst, byte(f.Kind)))
}

// kept is a value without what may differ.
func (w *walk) kept(v any) any {
	switch x := v.(type) {
	case map[string]any:
		maps.DeleteFunc(x, func(name string, v any) bool { return w.leaves(step{name: name}, v, func(v any) { x[name] = v }) })
	case []any:
		list := make([]any, 0, len(x))
		for i := range x {
			w.leaves(step{strconv.Itoa(i), true}, x[i], func(v any) { list = append(list, v) })
		}
		return list
	}
	return v
}

// leaves says that what is at a step may differ, or else keeps what is not to differ of it.
func (w *walk) leaves(s step, v any, keep func(any)) bool {
	w.at = append(w.at, s)
	defer func() { w.at = w.at[:len(w.at)-1] }()
	if w.mayDiffer() {
		return true
	}
	keep(w.kept(v))
	return false
}

func (w *walk) mayDiffer() bool {
	return slices.ContainsFunc(w.ignored, func(p pattern) bool { return p.covers(w.at) })
}

// maxExponent bounds the numbers that are compared by value: one of 1e999999999 has as many digits.
const maxExponent = 400

// rational is a number exactly. Those beyond maxExponent are compared by their spelling alone.
func rational(n json.Number) (*big.Rat, bool) {
	text := string(n)
	if i := bytes.IndexAny([]byte(text), "eE"); i >= 0 {
		if exponent, err := strconv.Atoi(text[i+1:]); err != nil || exponent > maxExponent || exponent < -maxExponent {
			return nil, false
		}
	}
	return new(big.Rat).SetString(text)
}
