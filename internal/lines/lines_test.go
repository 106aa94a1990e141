package lines

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func readAll(t *testing.T, r *Reader) (got []string) {
	t.Helper()
	for {
		line, n, err := r.Next()
		if err == io.EOF {
			return got
		}
		if err != nil || n != int64(len(got)+1) {
			t.Fatalf("line %d: %v, %d lines before it", n, err, len(got))
		}
		got = append(got, string(line))
	}
}

func TestLinesComeWithoutWhatEndsThem(t *testing.T) {
	long := strings.Repeat("x", 1<<19)
	for text, want := range map[string][]string{
		"":                    nil,
		"\n":                  {""},
		"a\r\n\nb":            {"a", "", "b"},
		"a\rb\n":              {"a\rb"},
		long + "\n" + long:    {long, long},
		"a\n" + long + "\r\n": {"a", long},
	} {
		if got := readAll(t, NewReader(strings.NewReader(text))); !reflect.DeepEqual(got, want) {
			t.Errorf("%.20q: got %.60q", text, got)
		}
	}
}

func TestALineThatIsTooLongIsLeftOut(t *testing.T) {
	r := NewReader(io.MultiReader(strings.NewReader("a\n"), io.LimitReader(zeros{}, MaxBytes+1<<20), strings.NewReader("\nb\n")))
	r.Next()
	_, _, err := r.Next()
	if long, ok := errors.AsType[*TooLongError](err); !ok || long.Line != 2 {
		t.Fatalf("got %v", err)
	}
	if line, n, err := r.Next(); string(line) != "b" || n != 3 || err != nil {
		t.Errorf("behind it got %q, %d, %v", line, n, err)
	}
}

func TestTheErrorOfTheSourceIsReturned(t *testing.T) {
	broken := errors.New("broken")
	r := NewReader(io.MultiReader(strings.NewReader("a\nb"), failing{broken}))
	r.Next()
	if _, _, err := r.Next(); err != broken {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
