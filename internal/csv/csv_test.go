package csv

import (
	"bytes"
	stdcsv "encoding/csv"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/karchive/karchive/internal/foreign"
)

// row is what Read gave, in a form to compare: quoted fields begin with a quote.
type row struct {
	line   int64
	fields []string
}

func readAll(r *Reader) (rows []row, err error) {
	for {
		fields, line, err := r.Read()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		got := row{line: line}
		for _, f := range fields {
			text := string(f.Text)
			if f.Quoted {
				text = `"` + text
			}
			got.fields = append(got.fields, text)
		}
		rows = append(rows, got)
	}
}

func TestReaderTellsQuotedFromPlainFields(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []row
	}{
		{"nothing", "", nil},
		{"plain", "a,b\nc,d\n", []row{{1, []string{"a", "b"}}, {2, []string{"c", "d"}}}},
		{"no line break at the end", "a,b", []row{{1, []string{"a", "b"}}}},
		{"empty and quoted empty", `,"",` + "\n", []row{{1, []string{"", `"`, ""}}}},
		{"only a quoted empty field", `""`, []row{{1, []string{`"`}}}},
		{"empty lines", "\n\r\na\n\n\nb", []row{{3, []string{"a"}}, {6, []string{"b"}}}},
		{"windows lines", "a,b\r\n\"c\",d\r\n", []row{{1, []string{"a", "b"}}, {2, []string{`"c`, "d"}}}},
		{"carriage return at the end", "a\r", []row{{1, []string{"a"}}}},
		{"carriage returns are kept in quotes", "\"a\r\nb\",c\nd", []row{{1, []string{"\"a\r\nb", "c"}}, {3, []string{"d"}}}},
		{"doubled quotes", `"a""b","""",""""""`, []row{{1, []string{`"a"b`, `""`, `"""`}}}},
		{"doubled quotes over lines", "\"a\"\"\n\"\"b\",c\n", []row{{1, []string{"\"a\"\n\"b", "c"}}}},
		{"comma in quotes", `"a,b",c`, []row{{1, []string{`"a,b`, "c"}}}},
		{"spaces are text", ` a ,"b"`, []row{{1, []string{" a ", `"b`}}}},
		{"carriage returns alone", "a,b\r\"c\nd\",\"e\rf\"\r\rg,h\r", []row{{1, []string{"a", "b"}}, {2, []string{"\"c\nd", "\"e\rf"}}, {5, []string{"g", "h"}}}},
		{"a carriage return among line feeds", "a\rb,c\nd,e\n", []row{{1, []string{"a\rb", "c"}}, {2, []string{"d", "e"}}}},
		{"a line that tells another comma than was asked for", "sep=;\na,b\n", []row{{2, []string{"a", "b"}}}},
		{"other bytes", "\xff,\x00", []row{{1, []string{"\xff", "\x00"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readAll(NewReader(strings.NewReader(c.text), ',', 0))
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
		})
	}
}

func TestReaderGoesOnBehindABadRow(t *testing.T) {
	for _, c := range []struct {
		name, text string
		line       int64
		want       error
		rest       []row
	}{
		{"bare quote", "a\nb\"c,d\ne\n", 2, ErrBareQuote, []row{{3, []string{"e"}}}},
		{"text behind a quote", "\"a\"b\nc", 1, ErrAfterQuote, []row{{2, []string{"c"}}}},
		{"line feed among carriage returns", "a" + strings.Repeat("\r", 1<<18) + "b\nc\rd", 1<<18 + 1, ErrLineFeed, []row{{1<<18 + 2, []string{"d"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := NewReader(strings.NewReader(c.text), ',', 0)
			_, err := readAll(r)
			bad, ok := errors.AsType[*RowError](err)
			if !ok || bad.Line != c.line || !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v in line %d", err, c.want, c.line)
			}
			if rest, err := readAll(r); err != nil || !reflect.DeepEqual(rest, c.rest) {
				t.Errorf("behind it got %v, %v, want %v", rest, err, c.rest)
			}
		})
	}
}

func TestAQuoteThatNothingClosesEndsTheFile(t *testing.T) {
	_, err := readAll(NewReader(strings.NewReader("a\n\"b\nc\n"), ',', 0))
	if _, bad := errors.AsType[*RowError](err); bad || !errors.Is(err, ErrNotClosed) || !strings.HasPrefix(err.Error(), "line 2: ") {
		t.Errorf("got %v", err)
	}
}

func TestTheFirstLineMayTellTheComma(t *testing.T) {
	for _, text := range []string{"sep=;\na;b\n", "\"sep=;\"\r\na;b\r\n", "sep=;\ra;b\r"} {
		got, err := readAll(NewReader(strings.NewReader(text), 0, 0))
		if want := []row{{2, []string{"a", "b"}}}; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	if got, err := readAll(NewReader(strings.NewReader("sep=x\na,b\n"), 0, 0)); err != nil || len(got) != 2 {
		t.Errorf("a letter: got %v, %v", got, err)
	}
}

func TestARowThatNothingEndsIsRefusedWithinItsLimit(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("a\n"), io.LimitReader(zeros{}, 4<<20), strings.NewReader("\nb\n"))
	r := NewReader(endless, ',', 3<<20)
	_, err := readAll(r)
	if limit, ok := errors.AsType[*foreign.LimitError](err); !ok || limit.Limit != foreign.RowLimit {
		t.Fatalf("got %v", err)
	}
	if rest, err := readAll(r); err != nil || !reflect.DeepEqual(rest, []row{{3, []string{"b"}}}) {
		t.Errorf("behind it got %v, %v", rest, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestFieldsAreQuotedWhereEncodingCSVQuotes(t *testing.T) {
	for _, text := range []string{"", "a", " a", "\ta", "a ", "a,b", `a"b`, "a\nb", "a\rb", `\.`, `\N`, "\u00a0x", "\xff"} {
		var want bytes.Buffer
		w := stdcsv.NewWriter(&want)
		w.Write([]string{text, "x"})
		w.Flush()
		if got := string(AppendField(nil, []byte(text), ',', false)) + ",x\n"; got != want.String() {
			t.Errorf("%q: got %q, want %q", text, got, want.String())
		}
	}
	if got := string(AppendField(nil, nil, ',', true)); got != `""` {
		t.Errorf("empty and quoted: got %s", got)
	}
}

// FuzzReader compares with encoding/csv, where the two are to agree: everywhere but at carriage returns.
func FuzzReader(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readAll(NewReader(bytes.NewReader(data), ',', 0))
		if bytes.IndexByte(data, '\r') >= 0 || sepLine.Match(data) {
			return
		}
		other := stdcsv.NewReader(bytes.NewReader(data))
		other.FieldsPerRecord = -1
		for i := 0; ; i++ {
			fields, otherErr := other.Read()
			if i == len(got) {
				if (otherErr == io.EOF) != (err == nil) {
					t.Fatalf("row %d: got %v, encoding/csv %v", i, err, otherErr)
				}
				return
			}
			var plain []string
			for _, field := range got[i].fields {
				plain = append(plain, strings.TrimPrefix(field, `"`))
			}
			if line, _ := other.FieldPos(0); otherErr != nil || !reflect.DeepEqual(plain, fields) || int64(line) != got[i].line {
				t.Fatalf("row %d: got %v, encoding/csv %q, %v", i, got[i], fields, otherErr)
			}
		}
	})
}

// FuzzRoundTrip writes two fields and reads them back, with everything told apart.
func FuzzRoundTrip(f *testing.F) {
	f.Fuzz(func(t *testing.T, a, b string, quote bool) {
		line := AppendField(nil, []byte(a), ';', true)
		line = AppendField(append(line, ';'), []byte(b), ';', quote)
		fields, _, err := NewReader(bytes.NewReader(append(line, '\n')), ';', 0).Read()
		if err != nil || len(fields) != 2 || string(fields[0].Text) != a || string(fields[1].Text) != b {
			t.Fatalf("%q and %q as %q: got %v, %v", a, b, line, fields, err)
		}
		if !fields[0].Quoted || quote && !fields[1].Quoted {
			t.Errorf("%q: the quotes are lost", line)
		}
	})
}
