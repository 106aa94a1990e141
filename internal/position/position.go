// Package position parses points in a log or in time, as the command line spells them:
//
//	beginning  end  offset:1200  @1700000000000  2026-03-01  2026-03-01 12:00  2026-03-01T12:00:00Z  -2h  -7d  -1d12h
//
// A start is inclusive and an end is exclusive, so that one run's end is the next one's start. Values are plain and may be shared.
package position

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/karchive/karchive/internal/units"
)

// Kind says what a Position is measured in.
type Kind int

// The kinds of a Position. The zero value is the beginning.
const (
	Beginning Kind = iota // the first record there is
	End                   // past the last record there is
	Offset                // a log offset
	Time                  // a record timestamp
)

// Position is a point in a log. The zero value is the beginning.
type Position struct {
	Kind     Kind
	Offset   int64 // for kind Offset
	Ms       int64 // for kind Time: milliseconds since the Unix epoch
	Relative bool  // for kind Time: it was given as a distance from now
}

// ErrInvalid is wrapped for text that is no position.
var ErrInvalid = errors.New("not a position: use beginning, end, offset:N, @MILLISECONDS, a date, an RFC 3339 time or -2h")

// Parse reads a position. Distances count back from now; a date without a time is its midnight in UTC. Times are rounded up to the
// millisecond, Kafka's unit, which keeps "at or after" and "before" exact.
func Parse(s string, now time.Time) (Position, error) {
	switch {
	case s == "beginning":
		return Position{}, nil
	case s == "end":
		return Position{Kind: End}, nil
	case strings.HasPrefix(s, "offset:"):
		n, err := strconv.ParseUint(s[len("offset:"):], 10, 63)
		return Position{Kind: Offset, Offset: int64(n)}, invalid(s, err)
	case strings.HasPrefix(s, "@"):
		n, err := strconv.ParseInt(s[1:], 10, 64)
		return Position{Kind: Time, Ms: n}, invalid(s, err)
	case strings.HasPrefix(s, "-"):
		d, err := units.ParseDuration(s[1:])
		return Position{Kind: Time, Ms: ceilMilli(now.Add(-d)), Relative: true}, invalid(s, err)
	}
	t, err := parseTime(s)
	return Position{Kind: Time, Ms: ceilMilli(t)}, invalid(s, err)
}

// String spells the position as Parse reads it; a distance becomes the time that it meant.
func (p Position) String() string {
	switch p.Kind {
	case End:
		return "end"
	case Offset:
		return "offset:" + strconv.FormatInt(p.Offset, 10)
	case Time:
		return p.timeString()
	}
	return "beginning"
}

// timeString falls back to milliseconds for years that RFC 3339 cannot spell.
func (p Position) timeString() string {
	t := time.UnixMilli(p.Ms).UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return "@" + strconv.FormatInt(p.Ms, 10)
	}
	return t.Format(time.RFC3339Nano)
}

// layouts are the spellings of a time without a zone, which is one in UTC.
var layouts = []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02 15:04Z07:00"}

func parseTime(s string) (time.Time, error) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Parse(time.RFC3339Nano, s)
}

func ceilMilli(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		ms++
	}
	return ms
}

func invalid(s string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%q: %w", s, ErrInvalid)
}
