package lines

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// readValues is what Values makes of a text: the values with their lines.
func readValues(text string, only bool) string {
	v := NewValues(strings.NewReader(text), 0)
	v.OnlyElements = only
	var got []string
	for {
		value, line, err := v.Next()
		bad, isBad := errors.AsType[*Error](err)
		switch {
		case err == io.EOF:
			return strings.Join(got, " ")
		case isBad:
			got = append(got, fmt.Sprintf("%d:bad", bad.Line))
		case err != nil:
			return err.Error()
		default:
			got = append(got, fmt.Sprintf("%d:%s", line, value))
		}
	}
}

func TestValuesComeOneALineIndentedBehindEachOtherAndInArrays(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "",
		" \n\t\r\n":                             "",
		"{\"a\":1}\n\n{\"a\":2}\n":              `1:{"a":1} 3:{"a":2}`,
		"1\n\"a\"\nnull\ntrue\n-1e3":            `1:1 2:"a" 3:null 4:true 5:-1e3`,
		`{"a":1}{"b":"}"} [1] 2 "x"3`:           `1:{"a":1} 1:{"b":"}"} 1:[1] 1:2 1:"x" 1:3`,
		"{\n \"a\": [\n 1]\n}{\"b\":2}":         "1:{\n \"a\": [\n 1]\n} 4:{\"b\":2}",
		"[\n {\"id\":1},\n {\"id\":2}\n]\n":     `2:{"id":1} 3:{"id":2}`,
		`[{"id":1},{"id":2}]`:                   `1:{"id":1} 1:{"id":2}`,
		"[1,\"a\",null,[2]]\n\n":                `1:1 1:"a" 1:null 1:[2]`,
		"[]":                                    "",
		"[1]\n[2]\n":                            "1:[1] 2:[2]",
		"[\n1\n]\n[\n2\n]":                      "2:1 5:2",
		"{\"a\":1}\n[2]\n":                      `1:{"a":1} 2:[2]`,
		"[\n{\n\"a\":1\n}\n,\n{\"a\":2}]":       "2:{\n\"a\":1\n} 6:{\"a\":2}",
		"{\"l\":[\n{\"x\":1},\n{\"x\":2}\n]}\n": "1:{\"l\":[\n{\"x\":1},\n{\"x\":2}\n]}",
		"{\"a\":1}\r{\"a\":2}\r":                `1:{"a":1} 2:{"a":2}`,
		`{"a":"\"\\"}{"b":1}`:                   `1:{"a":"\"\\"} 1:{"b":1}`,
	} {
		if got := readValues(text, false); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
	if got := readValues("[1]\n[2,3]\n", true); got != "1:1 2:2 2:3" {
		t.Errorf("only elements: got %s", got)
	}
}

func TestValuesGoOnBehindWhatIsNone(t *testing.T) {
	for text, want := range map[string]string{
		"{\"a\":1}\n{\"a\":\n{\"a\":2}\n{\"a\":3}\n": `1:{"a":1} 2:bad 3:{"a":2} 4:{"a":3}`,
		"{\"a\":1\n{\"a\":2}\n":                      `1:bad 2:{"a":2}`,
		"{\"a\":\"x\n{\"a\":2}\n":                    `1:bad 2:{"a":2}`,
		"{\"a\":[1,\n{\"a\":2}\n{\"a\":3}":           `1:bad 2:{"a":2} 3:{"a":3}`,
		"{\"a\":\n{\"b\":2}":                         `1:bad 2:{"b":2}`,
		"x\ny\n3\n":                                  "1:bad 2:bad 3:3",
		"{\n \"a\": 1\n \"b\": 2\n}\n{\"c\":3}":      `1:bad 4:bad 5:{"c":3}`,
		"[{\"a\":1},\n{\"b\":2}":                     `1:{"a":1} 2:{"b":2} 2:bad`,
		"[1 2]":                                      "1:1 1:bad 1:bad",
		"{]\n1":                                      "1:bad 2:1",
		"]\n1":                                       "1:bad 2:1",
		"01\n1":                                      "1:bad 2:1",
		"{\"a\":01}\n{\"a\":1}":                      `1:bad 2:{"a":1}`,
	} {
		if got := readValues(text, false); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestAValueNestedWithoutEndIsNone(t *testing.T) {
	for _, text := range []string{strings.Repeat("[", 1<<20), strings.Repeat(`{"a":`, 1<<20), strings.Repeat("[\n", 1<<20)} {
		v := NewValues(strings.NewReader(text), 0)
		if _, _, err := v.Next(); !errors.Is(err, ErrNotJSON) {
			t.Errorf("%.10q: got %v", text, err)
		}
	}
	flat := "{\"a\":[" + strings.Repeat("[],", 5000) + "[]]}"
	if got := readValues(flat, false); got != "1:"+flat {
		t.Errorf("many brackets side by side: got %.40s", got)
	}
}

func TestAValueOverTheBoundIsLeftOut(t *testing.T) {
	v := NewValues(strings.NewReader("{\n"+strings.Repeat(" \"a\":1,\n", 1000)+"\"a\":1}\n"), 1000)
	if _, _, err := v.Next(); err == nil || !strings.Contains(err.Error(), "JSON value of more than") {
		t.Errorf("got %v", err)
	}
}

// FuzzValues takes any text: values are JSON, lines go up, and what encoding/json reads as values in a row is read the same.
func FuzzValues(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		v := NewValues(strings.NewReader(text), 1<<20)
		var got []string
		last, bad := int64(1), false
		for {
			value, line, err := v.Next()
			if err == io.EOF {
				break
			}
			if line < last {
				t.Fatalf("%q: line %d behind line %d", text, line, last)
			}
			last = line
			if _, ok := errors.AsType[*Error](err); ok {
				bad = true
				continue
			}
			if err != nil || !json.Valid(value) {
				t.Fatalf("%q: %q, %v", text, value, err)
			}
			got = append(got, string(value))
		}
		if want, ok := inARow(text); ok && !strings.ContainsRune(text, '[') && !strings.ContainsRune(text, '\r') && (bad || strings.Join(got, "\n") != strings.Join(want, "\n")) {
			t.Fatalf("%q: got %q, bad %t, want %q", text, got, bad, want)
		}
	})
}

// inARow are the values that encoding/json reads, when they are objects and strings: it takes 00 for two values.
func inARow(text string) (out []string, ok bool) {
	d := json.NewDecoder(strings.NewReader(text))
	for {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return out, err == io.EOF
		}
		if raw[0] != '{' && raw[0] != '"' {
			return nil, false
		}
		out = append(out, string(raw))
	}
}
