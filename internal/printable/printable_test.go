package printable

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// hostile are texts that a terminal would obey, and how Text spells them.
var hostile = map[string]string{
	"plain ä 漢字 👍 a\\b":                            "plain ä 漢字 👍 a\\b",
	"\x1b[2J\x1b]0;title\x07":                      `\u001b[2J\u001b]0;title\u0007`,
	"a\nkarchive: all masks applied":               `a\nkarchive: all masks applied`,
	"a\rb\tc\x00\x7f":                              `a\rb\tc\u0000\u007f`,
	"\u009b31m\u0085":                              `\u009b31m\u0085`,
	"\x9b31m\xff":                                  `\x9b31m\xff`,
	"a\u202egpj.exe\u2066\u061c":                   `a\u202egpj.exe\u2066\u061c`,
	"a\u200b\u200d\u2060\ufeff\u00adb\u2028\u2029": `a\u200b\u200d\u2060\ufeff\u00adb\u2028\u2029`,
	"\U000e0041":                                   `\U000e0041`,
	"\ufffd":                                       "\ufffd",
}

func TestTextShowsWhatATerminalWouldObeyOrHide(t *testing.T) {
	for in, want := range hostile {
		if got := Text(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestEveryArgumentIsMadePrintableAndTheFormatIsNot(t *testing.T) {
	type name string
	var b strings.Builder
	Fprintf(&b, "a\t%s|%v|%s|%s|%d|%s\n", "x\ny", errors.New("\x1b"), name("\r"), []byte("\x00"), 7, Cells{"a\tb", "c"})
	if got, want := b.String(), "a\t"+`x\ny|\u001b|\r|\u0000|7|a\tb`+"\tc\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWriterLetsLinesAndTabsThroughAndNothingElse(t *testing.T) {
	var b bytes.Buffer
	in := "a\tb\n\x1b[0m\r\u009b\xff"
	if n, err := NewWriter(&b).Write([]byte(in)); n != len(in) || err != nil {
		t.Errorf("wrote %d, %v, want %d", n, err, len(in))
	}
	if got, want := b.String(), "a\tb\n"+`\u001b[0m\r\u009b\xff`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzTextAndJSONHideNothingAndJSONStaysTheSame(f *testing.F) {
	for in := range hostile {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range Text(s) {
			if Hidden(r) {
				t.Fatalf("%q: %U is in the text", s, r)
			}
		}
		plain, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		escaped := AppendJSON(nil, plain)
		for _, r := range string(escaped) {
			if Hidden(r) {
				t.Fatalf("%q: %U is in the JSON", s, r)
			}
		}
		var got, want string
		if err := errors.Join(json.Unmarshal(escaped, &got), json.Unmarshal(plain, &want)); err != nil || got != want {
			t.Fatalf("%q: escaped %s means %q, want %q, %v", s, escaped, got, want, err)
		}
		if !utf8.Valid(AppendJSON(nil, []byte(s))) {
			t.Fatalf("%q: not UTF-8", s)
		}
	})
}

func TestEveryHiddenCharacterIsFoundByItsFirstByte(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if Hidden(r) && !MayHide(string(r)[0]) {
			t.Errorf("%U is hidden, and its first byte does not say so", r)
		}
	}
}
