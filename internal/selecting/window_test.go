package selecting

import (
	"reflect"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/selection"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func window(t *testing.T, from, until string, archives ...*format.Archive) (format.Window, error) {
	t.Helper()
	start, err := selection.ParsePosition(from)
	if err != nil {
		t.Fatal(err)
	}
	end, err := selection.ParsePosition(until)
	if err != nil {
		t.Fatal(err)
	}
	return Window(start, end, now, archives...)
}

func at(ms int64) *int64 { return &ms }

func TestAWindowIsFromAStartToAnEnd(t *testing.T) {
	for _, c := range []struct {
		from, until string
		want        format.Window
	}{
		{"beginning", "end", format.Window{}},
		{"offset:3", "offset:9", format.Window{FromOffset: 3, UntilOffset: 9}},
		{"@100", "@200", format.Window{FromMs: at(100), UntilMs: at(200)}},
		{"offset:3", "-2h", format.Window{FromOffset: 3, UntilMs: at(now.UnixMilli() - 7_200_000)}},
	} {
		got, err := window(t, c.from, c.until)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("from %s until %s: got %+v, %v, want %+v", c.from, c.until, got, err, c.want)
		}
	}
	if got, err := Window(selection.Position{}, selection.Position{}, now); err != nil || got != (format.Window{}) {
		t.Errorf("got %+v, %v where nothing is given, want everything", got, err)
	}
}

func TestAWindowThatCannotHaveRecordsIsRefused(t *testing.T) {
	for _, c := range []struct{ from, until, want string }{
		{"end", "end", "from end: an archive has no records after its end"},
		{"beginning", "beginning", "until beginning: there are no records before it"},
		{"beginning", "offset:0", "until offset:0: there are no records before it"},
		{"end-1h", "end", "from end-1h: there is no record with a timestamp that it could count back from"},
	} {
		if _, err := window(t, c.from, c.until); err == nil || err.Error() != c.want {
			t.Errorf("from %s until %s: got %v, want %s", c.from, c.until, err, c.want)
		}
	}
}
