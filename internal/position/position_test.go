package position

import (
	"errors"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestParseReadsEverySpelling(t *testing.T) {
	for text, want := range map[string]Position{
		"beginning":                 {},
		"end":                       {Kind: End},
		"offset:0":                  {Kind: Offset},
		"offset:1200":               {Kind: Offset, Offset: 1200},
		"@1700000000000":            {Kind: Time, Ms: 1700000000000},
		"@-5":                       {Kind: Time, Ms: -5},
		"2026-03-01":                {Kind: Time, Ms: now.Add(-12 * time.Hour).UnixMilli()},
		"2026-03-01T13:00:00+01:00": {Kind: Time, Ms: now.UnixMilli()},
		"2026-03-01T12:00:00.0001Z": {Kind: Time, Ms: now.UnixMilli() + 1},
		"-2h":                       {Kind: Time, Ms: now.Add(-2 * time.Hour).UnixMilli(), Relative: true},
		"-1h30m":                    {Kind: Time, Ms: now.Add(-90 * time.Minute).UnixMilli(), Relative: true},
		"2026-03-01 12:00":          {Kind: Time, Ms: now.UnixMilli()},
		"2026-03-01T12:00":          {Kind: Time, Ms: now.UnixMilli()},
		"2026-03-01 12:00:00.0001":  {Kind: Time, Ms: now.UnixMilli() + 1},
		"2026-03-01T12:00:00":       {Kind: Time, Ms: now.UnixMilli()},
		"2026-03-01 13:00+01:00":    {Kind: Time, Ms: now.UnixMilli()},
		"-1d12h":                    {Kind: Time, Ms: now.Add(-36 * time.Hour).UnixMilli(), Relative: true},
		"-7d":                       {Kind: Time, Ms: now.Add(-7 * 24 * time.Hour).UnixMilli(), Relative: true},
	} {
		got, err := Parse(text, now)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestParseRefusesWhatIsNoPosition(t *testing.T) {
	for _, text := range []string{"", "start", "offset:", "offset:-1", "offset:x", "@", "@1.5", "--2h", "-", "-2", "-xd", "12:00", "2026-13-01", "2h", "offset:9223372036854775808"} {
		if got, err := Parse(text, now); !errors.Is(err, ErrInvalid) {
			t.Errorf("Parse(%q) = %+v, %v, want ErrInvalid", text, got, err)
		}
	}
}

func TestStringIsReadBackAsTheSamePoint(t *testing.T) {
	for _, want := range []Position{
		{}, {Kind: End}, {Kind: Offset, Offset: 7}, {Kind: Time, Ms: 1}, {Kind: Time, Ms: -1},
		{Kind: Time, Ms: 1700000000123}, {Kind: Time, Ms: 1700000000000000}, {Kind: Time, Ms: -99999999999999},
	} {
		got, err := Parse(want.String(), now)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", want.String(), got, err, want)
		}
	}
}
