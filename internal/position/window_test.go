package position

import (
	"errors"
	"reflect"
	"testing"

	"github.com/karchive/karchive/format"
)

func TestAWindowIsFromAStartToAnEnd(t *testing.T) {
	at := func(ms int64) *int64 { return &ms }
	for _, c := range []struct {
		from, until string
		want        format.Window
	}{
		{"beginning", "end", format.Window{}},
		{"offset:3", "offset:9", format.Window{FromOffset: 3, UntilOffset: 9}},
		{"@100", "@200", format.Window{FromMs: at(100), UntilMs: at(200)}},
		{"offset:3", "-2h", format.Window{FromOffset: 3, UntilMs: at(now.UnixMilli() - 7_200_000)}},
	} {
		got, err := Window(c.from, c.until, now)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("from %s until %s: got %+v, %v, want %+v", c.from, c.until, got, err, c.want)
		}
	}
}

func TestAWindowThatCannotHaveRecordsIsRefused(t *testing.T) {
	for _, c := range []struct {
		from, until, want string
		invalid           bool
	}{
		{"end", "end", "from end: an archive has no records after its end", false},
		{"beginning", "beginning", "until beginning: there are no records before it", false},
		{"beginning", "offset:0", "until offset:0: there are no records before it", false},
		{"noon", "end", `from "noon": ` + ErrInvalid.Error(), true},
		{"beginning", "noon", `until "noon": ` + ErrInvalid.Error(), true},
	} {
		_, err := Window(c.from, c.until, now)
		if err == nil || err.Error() != c.want || errors.Is(err, ErrInvalid) != c.invalid {
			t.Errorf("from %s until %s: got %v, want %s", c.from, c.until, err, c.want)
		}
	}
}
