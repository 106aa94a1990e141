package selection

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
)

func window(t *testing.T, from, until string, archives ...*format.Archive) (format.Selection, error) {
	t.Helper()
	start, err := ParsePosition(from)
	if err != nil {
		t.Fatal(err)
	}
	end, err := ParsePosition(until)
	if err != nil {
		t.Fatal(err)
	}
	return Window(start, end, now, archives...)
}

func at(ms int64) time.Time { return time.UnixMilli(ms) }

func TestAWindowIsFromAStartToAnEnd(t *testing.T) {
	for _, c := range []struct {
		from, until string
		want        format.Selection
	}{
		{"beginning", "end", format.Selection{}},
		{"offset:3", "offset:9", format.Selection{FromOffset: 3, UntilOffset: 9}},
		{"@100", "@200", format.Selection{From: at(100), Until: at(200)}},
		{"offset:3", "-2h", format.Selection{FromOffset: 3, Until: at(now.UnixMilli() - 7_200_000)}},
	} {
		got, err := window(t, c.from, c.until)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("from %s until %s: got %+v, %v, want %+v", c.from, c.until, got, err, c.want)
		}
	}
	if got, err := Window(Position{}, Position{}, now); err != nil || !reflect.DeepEqual(got, format.Selection{}) {
		t.Errorf("got %+v, %v where nothing is given, want everything", got, err)
	}
}

func TestABoundInTheYearOneIsStillABound(t *testing.T) {
	zero := time.Time{}.UnixMilli()
	w, err := window(t, fmt.Sprintf("@%d", zero), fmt.Sprintf("@%d", zero))
	if err != nil || w.From.IsZero() || w.Until.IsZero() {
		t.Errorf("got %+v, %v, want bounds", w, err)
	}
}

func TestAWindowThatCannotHaveRecordsIsRefused(t *testing.T) {
	for _, c := range []struct{ from, until, want string }{
		{"end", "end", "from end: an archive has no records after its end"},
		{"beginning", "beginning", "until beginning: there are no records before it"},
		{"beginning", "offset:0", "until offset:0: there are no records before it"},
		{"offset:10", "offset:9", "until offset:9: it is before offset:10"},
		{"2026-03-02", "2026-03-01T23:59", "until 2026-03-01T23:59: it is before 2026-03-02"},
		{"-1h", "-2h", "until -2h: it is before -1h"},
		{"end-1h", "end-2h", "until end-2h: it is before end-1h"},
		{"@99999999999999", "-2h", "until -2h: it is before @99999999999999"},
		{"end-1h", "end", "from end-1h: there is no record with a timestamp that it could count back from"},
	} {
		if _, err := window(t, c.from, c.until); err == nil || err.Error() != c.want {
			t.Errorf("from %s until %s: got %v, want %s", c.from, c.until, err, c.want)
		}
	}
}
