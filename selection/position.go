package selection

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/karchive/karchive/internal/units"
)

// kind says what a Position is measured in.
type kind int

const (
	unset kind = iota
	beginning
	end
	atOffset
	atTime
	ago
	beforeEnd
)

// Position is a point in a log or in time. A start is inclusive and an end is exclusive, so that one run's end is the next one's start. The zero
// value is not given: as a start it is the beginning, as an end it is the end. Positions are plain values, and immutable.
type Position struct {
	kind    kind
	n       int64         // the offset, or milliseconds since 1970
	back    time.Duration // from now, or from the end
	spelled string        // what ParsePosition read; empty: it was made otherwise
}

// The positions that need no number.
var (
	Beginning = Position{kind: beginning} // the first record there is
	End       = Position{kind: end}       // past the last record there is
)

// AtOffset is the record with an offset, in every partition. A negative one is the first.
func AtOffset(offset int64) Position { return Position{kind: atOffset, n: max(offset, 0)} }

// AtTime is the first record with this timestamp or a later one. Times are rounded up to the millisecond, Kafka's unit, which keeps "at or
// after" and "before" exact.
func AtTime(t time.Time) Position { return Position{kind: atTime, n: ceilMilli(t)} }

// Ago is a time before the moment at which the command or the call looks.
func Ago(back time.Duration) Position { return Position{kind: ago, back: back} }

// BeforeEnd is a time before the newest record there is.
func BeforeEnd(back time.Duration) Position { return Position{kind: beforeEnd, back: back} }

// ErrPosition is wrapped for text that is no position.
var ErrPosition = errors.New("not a position: use beginning, end, offset:N, @MILLISECONDS, a date, an RFC 3339 time, -2h or end-2h")

// ParsePosition reads a position as it is typed:
//
//	beginning  end  offset:1200  @1700000000000  2026-03-01  2026-03-01 12:00  2026-03-01T12:00:00Z  -2h  -1d12h  end-10m
//
// A time without a zone is in UTC, a date without a time its midnight.
func ParsePosition(s string) (Position, error) {
	p, err := parsePosition(s)
	if err != nil {
		return Position{}, fmt.Errorf("%q: %w", s, ErrPosition)
	}
	p.spelled = s
	return p, nil
}

func parsePosition(s string) (Position, error) {
	switch {
	case s == "beginning":
		return Beginning, nil
	case s == "end":
		return End, nil
	case strings.HasPrefix(s, "offset:"):
		n, err := strconv.ParseUint(s[len("offset:"):], 10, 63)
		return AtOffset(int64(n)), err
	case strings.HasPrefix(s, "@"):
		n, err := strconv.ParseInt(s[1:], 10, 64)
		return Position{kind: atTime, n: n}, err
	case strings.HasPrefix(s, "-"):
		d, err := units.ParseDuration(s[1:])
		return Ago(d), err
	case strings.HasPrefix(s, "end-"):
		d, err := units.ParseDuration(s[len("end-"):])
		return BeforeEnd(d), err
	}
	t, err := parseTime(s)
	return AtTime(t), err
}

// String spells the position as ParsePosition reads it, and as it was read if it was. It is empty for one that is not given.
func (p Position) String() string {
	switch {
	case p.spelled != "":
		return p.spelled
	case p.kind == beginning:
		return "beginning"
	case p.kind == end:
		return "end"
	case p.kind == atOffset:
		return "offset:" + strconv.FormatInt(p.n, 10)
	case p.kind == atTime:
		return timeText(p.n)
	case p.kind == ago:
		return "-" + p.back.String()
	case p.kind == beforeEnd:
		return "end-" + p.back.String()
	}
	return ""
}

// timeText falls back to milliseconds for years that RFC 3339 cannot spell.
func timeText(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return "@" + strconv.FormatInt(ms, 10)
	}
	return t.Format(time.RFC3339Nano)
}

// IsZero says whether the position is not given.
func (p Position) IsZero() bool { return p.kind == unset }

// Or is the position, or another one when it is not given.
func (p Position) Or(other Position) Position {
	if p.IsZero() {
		return other
	}
	return p
}

// IsRelative says whether the position is another one when it is looked at later: the end, and what counts back from the end or from now.
func (p Position) IsRelative() bool { return p.kind == end || p.kind == ago || p.kind == beforeEnd }

// Offset is the offset of AtOffset; 0 for others.
func (p Position) Offset() (offset int64, ok bool) {
	if p.kind != atOffset {
		return 0, false
	}
	return p.n, true
}

// BeforeEnd is the time of BeforeEnd.
func (p Position) BeforeEnd() (back time.Duration, ok bool) { return p.back, p.kind == beforeEnd }

// TimestampMs is the time of AtTime, and of Ago as seen at the moment now, in milliseconds since 1970.
func (p Position) TimestampMs(now time.Time) (ms int64, ok bool) {
	if p.kind == ago {
		return ceilMilli(now.Add(-p.back)), true
	}
	return p.n, p.kind == atTime
}

// IsBeginning says whether the position is given and is the beginning.
func (p Position) IsBeginning() bool { return p.kind == beginning }

// IsEnd says whether the position is the end.
func (p Position) IsEnd() bool { return p.kind == end }

// layouts are the spellings of a time without a zone, which is one in UTC, and some that RFC 3339 does not have.
var layouts = []string{
	time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", time.DateTime,
	"2006-01-02 15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02 15:04Z07:00",
}

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
