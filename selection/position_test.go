package selection

import (
	"errors"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestEverySpellingOfAPositionIsRead(t *testing.T) {
	for text, want := range map[string]Position{
		"beginning":                 Beginning,
		"end":                       End,
		"offset:0":                  AtOffset(0),
		"offset:1200":               AtOffset(1200),
		"@1700000000000":            AtTime(time.UnixMilli(1700000000000)),
		"@-5":                       AtTime(time.UnixMilli(-5)),
		"2026-03-01":                AtTime(now.Add(-12 * time.Hour)),
		"2026-03-01T13:00:00+01:00": AtTime(now),
		"2026-03-01T12:00:00.0001Z": AtTime(now.Add(time.Millisecond)),
		"-2h":                       Ago(2 * time.Hour),
		"-1h30m":                    Ago(90 * time.Minute),
		"2026-03-01 12:00":          AtTime(now),
		"2026-03-01T12:00":          AtTime(now),
		"2026-03-01 12:00:00.0001":  AtTime(now.Add(time.Millisecond)),
		"2026-03-01T12:00:00":       AtTime(now),
		"2026-03-01 13:00+01:00":    AtTime(now),
		"-1d12h":                    Ago(36 * time.Hour),
		"-7d":                       Ago(7 * 24 * time.Hour),
		"end-10m":                   BeforeEnd(10 * time.Minute),
		"end-1d":                    BeforeEnd(24 * time.Hour),
	} {
		got, err := ParsePosition(text)
		if err != nil || got.String() != text || !same(got, want) {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
		}
	}
}

// same says whether positions are the same point, however they were spelled.
func same(a, b Position) bool {
	a.spelled, b.spelled = "", ""
	return a == b
}

func TestWhatIsNoPositionIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "start", "offset:", "offset:-1", "offset:x", "@", "@1.5", "--2h", "-", "-2", "-xd", "12:00", "2026-13-01", "2h", "offset:9223372036854775808",
		"end-", "end-2", "end--2h", "end+2h", "end-offset:3",
	} {
		if got, err := ParsePosition(text); !errors.Is(err, ErrPosition) || !got.IsZero() {
			t.Errorf("%q: got %+v, %v, want ErrPosition", text, got, err)
		}
	}
}

func TestAPositionThatWasMadeIsReadBackAsTheSamePoint(t *testing.T) {
	for _, want := range []Position{
		Beginning, End, AtOffset(7), AtTime(time.UnixMilli(1)), AtTime(time.UnixMilli(-1)), AtTime(now), Ago(90 * time.Minute), BeforeEnd(1500 * time.Millisecond),
		AtTime(time.UnixMilli(1700000000000000)), AtTime(time.UnixMilli(-99999999999999)),
	} {
		got, err := ParsePosition(want.String())
		if err != nil || !same(got, want) {
			t.Errorf("%q: got %+v, %v, want %+v", want, got, err, want)
		}
	}
	if s := (Position{}).String(); s != "" {
		t.Errorf("got %q for a position that is not given, want nothing", s)
	}
}

func TestDistancesCountBackFromNow(t *testing.T) {
	for text, want := range map[string]int64{"-2h": now.UnixMilli() - 7_200_000, "@17": 17} {
		p, _ := ParsePosition(text)
		if got, ok := p.TimestampMs(now); got != want || !ok {
			t.Errorf("%s: got %d, %t, want %d", text, got, ok, want)
		}
	}
	for _, p := range []Position{{}, Beginning, End, AtOffset(4), BeforeEnd(time.Hour)} {
		if got, ok := p.TimestampMs(now); ok {
			t.Errorf("%s: got the time %d, want none", p, got)
		}
	}
}
