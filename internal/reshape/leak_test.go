package reshape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/seeds"
)

// leaves collects the texts below a value, and its names.
func leaves(v any, into map[string]int) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			into[name]++
			leaves(member, into)
		}
	case []any:
		for _, element := range v {
			leaves(element, into)
		}
	case string:
		into[v]++
	case json.Number:
		into[v.String()]++
	}
}

// below collects the texts that a path of names, numbers, * and # leads to, by another reading of it than the rules have.
func below(v any, steps []string, into map[string]int) {
	if len(steps) == 0 {
		leaves(v, into)
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if steps[0] == "*" || steps[0] == name {
				below(member, steps[1:], into)
			}
		}
	case []any:
		for i, element := range v {
			if steps[0] == "*" || steps[0] == "#" || steps[0] == strconv.Itoa(i) {
				below(element, steps[1:], into)
			}
		}
	}
}

func decoded(b []byte) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return v, d.Decode(&v) == nil
}

// FuzzLeak masks what is at any path of any document, with other rules beside it, and looks for the originals in all that goes out: in the
// value, the key, headers, and in what is reported.
func FuzzLeak(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, path, action, others string, doc []byte) {
		if strings.ContainsAny(path, `\|[?="'@!{#(`) && !strings.Contains(path, ".#.") || action == string(Keep) || strings.Contains(others, "fixed") || strings.Contains(others, "set:") {
			return // the other reading knows no more of paths, and constants may say anything
		}
		rules, err := ParseRules("r.yaml", []byte(others))
		if err != nil || rules.Resolve(testSources(map[string]string{"t.csv": ""})) != nil {
			return
		}
		mask := Mask{Selector: Selector{Path: "value." + path}, Action: Action(action), Fixed: TextConstant("-")}
		rules.Mask, rules.secret = append([]Mask{mask}, rules.Mask...), testSecret
		p, err := Compile(rules)
		if err != nil {
			return
		}
		r := &Record{Topic: "t", Record: format.Record{Key: []byte("k"), Value: bytes.Clone(doc), Headers: []format.Header{{Key: "h", Value: []byte("v")}}}}
		w := p.Worker()
		if verdict, err := w.Apply(r); err != nil || verdict != Pass || rules.Unmaskable == PassOn && CheckJSON(doc) != nil {
			return
		}
		w.Close()
		v, ok := decoded(doc)
		if !ok {
			t.Fatalf("%q passed a mask of %s and is not JSON", doc, mask)
		}
		originals, all := map[string]int{}, map[string]int{}
		below(v, strings.Split(path, "."), originals)
		leaves(v, all)
		out := string(r.Key) + "\n" + string(r.Value) + "\n" + fmt.Sprintf("%+v", p.Report())
		for _, h := range r.Headers {
			out += h.Key + "\n" + string(h.Value) + "\n"
		}
		if v, ok := decoded(r.Value); ok {
			out += fmt.Sprint(v)
		}
		for text, n := range originals {
			if len(text) < 6 || all[text] > n || occursIn(all, originals, text) || strings.Contains(path+action+others, text) {
				continue // it also stands elsewhere, or is too short to be told
			}
			if strings.Contains(out, text) {
				t.Errorf("%s with %q on %q leaves %q in %q", mask, others, doc, text, out)
			}
		}
	})
}

// occursIn says that a text is part of another one that no rule is about.
func occursIn(all, originals map[string]int, text string) bool {
	for other, n := range all {
		if strings.Contains(other, text) && other != text && n > originals[other] {
			return true
		}
	}
	return false
}
