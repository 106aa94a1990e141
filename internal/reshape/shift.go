package reshape

import (
	"math"
	"strconv"
	"time"

	"github.com/karchive/karchive/internal/schema"
)

// shiftChange moves a time. A text keeps its form: RFC 3339 with T or a space, with as many digits of a second and the zone that it
// has, the same without a zone, or a date alone. A whole number counts from 1970: in what its schema says, or else in seconds up to 11
// digits, in milliseconds up to 14, in microseconds up to 17, and in nanoseconds.
type shiftChange struct{ by time.Duration }

func (c shiftChange) inJSON(w *Worker, dst, raw []byte) ([]byte, error) {
	if isNull(raw) {
		return append(dst, raw...), nil
	}
	if raw[0] != '"' {
		return c.shiftNumber(dst, raw, w.tick)
	}
	dst = append(dst, '"')
	dst, err := c.inPayload(w, dst, w.text(raw))
	return append(dst, '"'), err
}

func (c shiftChange) inPayload(_ *Worker, dst, b []byte) ([]byte, error) {
	if len(b) > 0 && len(b) <= 35 {
		if form, ok := timeForm(b); ok {
			return c.shiftText(dst, string(b), form)
		}
	}
	return c.shiftNumber(dst, b, schema.AnyTick)
}

// timeForm finds the layout of a text of 35 bytes at most: 2006-01-02, and behind a T or a space 15:04:05, a fraction, and a zone.
func timeForm(b []byte) (string, bool) {
	const date, clock = "2006-01-02", "15:04:05"
	switch {
	case len(b) == len(date):
		return date, b[4] == '-'
	case len(b) < len(date)+1+len(clock) || b[10] != 'T' && b[10] != ' ':
		return "", false
	}
	layout := date + string(b[10]) + clock
	i := len(layout)
	if i < len(b) && b[i] == '.' {
		end := skipDigits(b, i+1)
		layout += "." + zeros[:min(end-i-1, len(zeros))]
		i = end
	}
	switch rest := len(b) - i; {
	case rest == 0:
	case rest == 1 && b[i] == 'Z':
		layout += "Z"
	case rest == len("-07:00"):
		layout += "-07:00"
	case rest == len("-0700"):
		layout += "-0700"
	default:
		return "", false
	}
	return layout, true
}

const zeros = "000000000"

func (c shiftChange) shiftText(dst []byte, text, layout string) ([]byte, error) {
	t, err := time.Parse(layout, text)
	if err != nil {
		return dst, errNotATime
	}
	moved := t.Add(c.by)
	if y := moved.Year(); y < 0 || y > 9999 {
		return dst, errNotATime
	}
	return moved.AppendFormat(dst, layout), nil
}

func (c shiftChange) shiftNumber(dst, raw []byte, tick time.Duration) ([]byte, error) {
	n, err := strconv.ParseInt(asString(raw), 10, 64)
	if err != nil || tick == schema.NoMoment {
		return dst, errNotATime
	}
	if tick == schema.AnyTick {
		tick = likelyTick(n)
	}
	by := c.by / tick
	if c.by%tick < 0 { // rounded down, as the text of a date is
		by--
	}
	moved, ok := addInt64(n, int64(by))
	if !ok {
		return dst, errNotATime
	}
	return strconv.AppendInt(dst, moved, 10), nil
}

// likelyTick is what a number counts by, as its size tells.
func likelyTick(n int64) time.Duration {
	switch size := uint64(max(n, -n)); {
	case size < 1e11:
		return time.Second
	case size < 1e14:
		return time.Millisecond
	case size < 1e17:
		return time.Microsecond
	}
	return time.Nanosecond
}

func addInt64(a, b int64) (int64, bool) {
	if b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b {
		return 0, false
	}
	return a + b, true
}
