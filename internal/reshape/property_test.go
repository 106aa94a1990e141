package reshape

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/format"
)

// generator makes documents whose spelling is as odd as JSON allows. Names in an object differ.
type generator struct {
	*rand.Rand
	b       strings.Builder
	secrets []string // put into fields that are called secret
}

func (g *generator) space() {
	for g.IntN(4) == 0 {
		g.b.WriteByte(" \t\r\n"[g.IntN(4)])
	}
}

// text spells a string, with some characters escaped.
func (g *generator) text(s string) {
	g.b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\' || r < 0x20 || g.IntN(8) == 0 && r < 0x10000:
			fmt.Fprintf(&g.b, `\u%04x`, r)
		default:
			g.b.WriteRune(r)
		}
	}
	g.b.WriteByte('"')
}

var numbers = []string{"0", "-0", "1.50", "1e5", "-12.0E-3", "12345678901234567890", "100000000000000000001"}

func (g *generator) value(depth int) {
	g.space()
	defer g.space()
	switch n := g.IntN(9); {
	case n < 2 && depth > 0:
		g.object(depth)
	case n == 2 && depth > 0:
		g.b.WriteByte('[')
		for i := range g.IntN(4) {
			if i > 0 {
				g.b.WriteByte(',')
			}
			g.value(depth - 1)
		}
		g.b.WriteByte(']')
	case n < 5:
		g.b.WriteString(numbers[g.IntN(len(numbers))])
	case n == 5:
		g.b.WriteString([]string{"true", "false", "null"}[g.IntN(3)])
	default:
		g.text([]string{"", "plain", "é😀", "a\"b\\c\n", "{}[],:", "***"}[g.IntN(6)])
	}
}

func (g *generator) object(depth int) {
	g.b.WriteByte('{')
	g.space()
	names := g.Perm(6)[:g.IntN(6)]
	for i, n := range names {
		if i > 0 {
			g.b.WriteByte(',')
			g.space()
		}
		name := []string{"a", "b", "é", "x.y", "secret", "list"}[n]
		g.text(name)
		g.space()
		g.b.WriteByte(':')
		if name != "secret" {
			g.value(depth - 1)
			continue
		}
		s := fmt.Sprintf("S3CRET%d-%d", len(g.secrets), g.Uint64())
		g.secrets = append(g.secrets, s)
		g.space()
		g.text(s)
		g.space()
	}
	g.b.WriteByte('}')
}

func (g *generator) document() string {
	g.b.Reset()
	g.secrets = nil
	g.space()
	g.object(4)
	g.space()
	return g.b.String()
}

// deep masks a name at every depth that the generator makes, in members and elements.
func deep(action string) []string {
	var out []string
	for path := "value"; strings.Count(path, ".") < 6; path += ".*" {
		out = append(out, path+".secret="+action)
	}
	return out
}

func TestMaskedOutputHoldsNoOriginal(t *testing.T) {
	for _, action := range []string{"redact", "hash", "drop", "fixed=x"} {
		w := pipelineOf(t, maskRules(t, deep(action)...)).Worker()
		g := &generator{Rand: rand.New(rand.NewPCG(1, 2))}
		found := 0
		for range 3000 {
			doc := g.document()
			r := valueRecord(doc)
			if verdict, err := w.Apply(r); verdict != Pass || err != nil {
				t.Fatalf("%s: %v, %v", doc, verdict, err)
			}
			if err := CheckJSON(r.Value); err != nil {
				t.Fatalf("%s on %s gives %s: %v", action, doc, r.Value, err)
			}
			text := unescapedText(t, r.Value)
			for _, s := range g.secrets {
				found++
				if strings.Contains(text, s) {
					t.Fatalf("%s on %s leaves %s in %s", action, doc, s, r.Value)
				}
			}
		}
		if found < 1000 {
			t.Fatalf("only %d secrets were tried", found)
		}
	}
}

// unescapedText is a document without escapes, by another decoder.
func unescapedText(t *testing.T, b []byte) string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return fmt.Sprint(v)
}

func TestEditsLeaveEverythingElseByteForByte(t *testing.T) {
	const mark = "\x01MARK\x02" // in no document, so that what was put in can be told from what was there
	rules := Rules{}
	for _, m := range deep("fixed=x") {
		one, err := ParseMask(m)
		if err != nil {
			t.Fatal(err)
		}
		one.Fixed = Constant{raw: mark, text: mark}
		rules.Mask = append(rules.Mask, one)
	}
	w := pipelineOf(t, rules).Worker()
	g := &generator{Rand: rand.New(rand.NewPCG(3, 4))}
	edited := 0
	for range 3000 {
		doc := g.document()
		r := valueRecord(doc)
		if verdict, _ := w.Apply(r); verdict != Pass {
			t.Fatalf("%s: %v", doc, verdict)
		}
		parts := strings.Split(string(r.Value), mark)
		if len(parts) != len(g.secrets)+1 {
			t.Fatalf("%d secrets in %s, %d marks in %s", len(g.secrets), doc, len(parts)-1, r.Value)
		}
		rest := doc
		for i, part := range parts {
			if !strings.HasPrefix(rest, part) {
				t.Fatalf("%q is not what is next in %q, of %q", part, rest, doc)
			}
			rest = rest[len(part):]
			if i == len(parts)-1 {
				continue
			}
			edited++
			end, _, err := scanString([]byte(rest), 0)
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[end:]
		}
		if rest != "" {
			t.Fatalf("%q is missing at the end of %q", rest, r.Value)
		}
	}
	if edited < 1000 {
		t.Fatalf("only %d fields were edited", edited)
	}
}

func TestRulesThatMatchNothingGiveTheSameBytes(t *testing.T) {
	rules := maskRules(t, "value.none=redact", "value.*.none=drop", "value.#.none=hash")
	rules.Rename = []Rename{{Selector{Path: "value.none"}, "other"}}
	rules.Remove = []Selector{{Path: "value.none.x"}}
	w := pipelineOf(t, rules).Worker()
	g := &generator{Rand: rand.New(rand.NewPCG(5, 6))}
	for range 2000 {
		doc := g.document()
		r := valueRecord(doc)
		if verdict, _ := w.Apply(r); verdict != Pass || string(r.Value) != doc {
			t.Fatalf("%v: %q became %q", verdict, doc, r.Value)
		}
	}
}

func TestStrictCheckAgreesWithOtherDecoders(t *testing.T) {
	g := &generator{Rand: rand.New(rand.NewPCG(7, 8))}
	valid := 0
	for range 6000 {
		doc := []byte(g.document())
		if g.IntN(2) == 0 && len(doc) > 0 { // damage it
			doc[g.IntN(len(doc))] = byte(g.IntN(256))
		}
		err := CheckJSON(doc)
		want := json.Valid(doc)
		if want && err != nil && !allowedRefusal(err) {
			t.Fatalf("%q is valid elsewhere: %v", doc, err)
		}
		if !want && err == nil {
			t.Fatalf("%q is valid here alone", doc)
		}
		if err == nil {
			valid++
		}
	}
	if valid < 2000 {
		t.Fatalf("only %d documents were valid", valid)
	}
}

// allowedRefusal is where this package is stricter: encoding/json takes equal names and what is not UTF-8.
func allowedRefusal(err error) bool {
	text := err.Error()
	return strings.Contains(text, errTwice.Error()) || strings.Contains(text, errUTF8.Error())
}

func TestPlainPatternsFindWhatGjsonFinds(t *testing.T) {
	g := &generator{Rand: rand.New(rand.NewPCG(9, 10))}
	paths := []string{"a", "a.b", "b.a", "list.0", "list.1.a", "secret", "é", `x\.y`, `a.x\.y.b`, "list.0.list", "list.2"}
	walkers := map[string]*walker{}
	for _, path := range paths {
		p, err := ParsePath("value." + path)
		if err != nil {
			t.Fatal(err)
		}
		steps, err := p.pattern()
		if err != nil {
			t.Fatal(err)
		}
		walkers[path] = &walker{root: newRoot(patterns{steps}, false)}
	}
	found := 0
	for range 4000 {
		doc := g.document()
		for path, w := range walkers {
			if err := w.walk([]byte(doc)); err != nil {
				t.Fatal(err)
			}
			want := gjson.Get(doc, path)
			switch {
			case len(w.hits) > 1 || (len(w.hits) == 1) != want.Exists():
				t.Fatalf("%s in %s: got %d places, gjson has %q", path, doc, len(w.hits), want.Raw)
			case len(w.hits) == 1 && doc[w.hits[0].from:w.hits[0].to] != want.Raw:
				t.Fatalf("%s in %s: got %q, gjson has %q", path, doc, doc[w.hits[0].from:w.hits[0].to], want.Raw)
			}
			found += len(w.hits)
		}
	}
	if found < 2000 {
		t.Fatalf("only %d places were compared", found)
	}
}

func TestResultsDoNotDependOnWhatAWorkerSawBefore(t *testing.T) {
	rules := maskRules(t, append(deep("hash"), "key=hash", "headers.*=redact")...)
	p := pipelineOf(t, rules)
	used := p.Worker()
	g := &generator{Rand: rand.New(rand.NewPCG(11, 12))}
	for i := range 1500 {
		doc := g.document()
		make := func() *Record {
			r := valueRecord(doc)
			r.Key = []byte(strconv.Itoa(i))
			r.Headers = []format.Header{{Key: "h" + strconv.Itoa(i%90), Value: []byte("v")}}
			return r
		}
		got, want := make(), make()
		v1, _ := used.Apply(got)
		v2, _ := p.Trial().Apply(want)
		if v1 != v2 || spell(got) != spell(want) {
			t.Fatalf("%s: %v %s, a fresh worker has %v %s", doc, v1, spell(got), v2, spell(want))
		}
	}
}
