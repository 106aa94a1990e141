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
		"a\rb\r\rc":           {"a", "b", "", "c"},
		"a\r":                 {"a"},
		long + "\n" + long:    {long, long},
		"a\n" + long + "\r\n": {"a", long},
	} {
		if got := readAll(t, NewReader(strings.NewReader(text), 0)); !reflect.DeepEqual(got, want) {
			t.Errorf("%.20q: got %.60q", text, got)
		}
	}
}

func TestALineThatIsTooLongIsLeftOut(t *testing.T) {
	r := NewReader(io.MultiReader(strings.NewReader("a\n"), io.LimitReader(zeros{}, 4<<20), strings.NewReader("\nb\n")), 3<<20)
	r.Next()
	_, _, err := r.Next()
	if long, ok := errors.AsType[*Error](err); !ok || long.Line != 2 || err.Error() != "a line of more than 3 MiB" {
		t.Fatalf("got %v", err)
	}
	if line, n, err := r.Next(); string(line) != "b" || n != 3 || err != nil {
		t.Errorf("behind it got %q, %d, %v", line, n, err)
	}
}

func TestTheErrorOfTheSourceIsReturned(t *testing.T) {
	broken := errors.New("broken")
	r := NewReader(io.MultiReader(strings.NewReader("a\nb"), failing{broken}), 0)
	r.Next()
	if _, _, err := r.Next(); err != broken {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
