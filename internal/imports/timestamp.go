package imports

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// TimeUnit is what numbers in a timestamp column count.
type TimeUnit string

// The units. Text that is no number is a date or time whatever the unit.
const (
	Milliseconds TimeUnit = "ms"
	Seconds      TimeUnit = "s"
	Microseconds TimeUnit = "us"
	Nanoseconds  TimeUnit = "ns"
)

// TimeUnits lists the units, the default first.
func TimeUnits() []TimeUnit { return []TimeUnit{Milliseconds, Seconds, Microseconds, Nanoseconds} }

// shift is how many decimal places lie between the unit and milliseconds.
func (u TimeUnit) shift() int {
	switch u {
	case Seconds:
		return 3
	case Microseconds:
		return -3
	case Nanoseconds:
		return -6
	}
	return 0
}

// layouts are the forms of dates and times. Those without a zone are UTC.
var layouts = func() (out []string) {
	for _, clock := range []string{"T15:04:05", " 15:04:05", "T15:04", " 15:04"} {
		for _, zone := range []string{"Z07:00", "", "Z0700", "Z07", " Z07:00", " Z0700", " Z07"} {
			out = append(out, "2006-01-02"+clock+zone)
		}
	}
	return append(out, "2006-01-02")
}()

var (
	errTime      = errors.New("neither a number nor a time such as 2026-03-01T12:00:00Z")
	errTimeRange = errors.New("a time that does not fit into 64 bits of milliseconds")
)

// parseTime reads a timestamp in milliseconds since 1970. What is smaller is cut off.
func parseTime(text string, unit TimeUnit) (int64, error) {
	text = strings.TrimSpace(text)
	if m := decimal.FindStringSubmatch(text); m != nil {
		return parseNumber(m[1] != "", m[2], m[3], m[4], unit.shift())
	}
	text = strings.TrimSuffix(strings.TrimSuffix(text, " UTC"), " GMT")
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UnixMilli(), nil
		}
	}
	return 0, errTime
}

// decimal is a number: its sign, its digits before and behind the point, and its exponent.
var decimal = regexp.MustCompile(`^(-)?([0-9]+)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$`)

// maxExponent is beyond every number that fits.
const maxExponent = 400

// parseNumber reads a decimal number times ten to the power of its exponent and of shift, digit by digit: a float would not hold it.
func parseNumber(negative bool, whole, fraction, exponent string, shift int) (int64, error) {
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return 0, nil
	}
	point := len(digits) - len(fraction) + shift // where the point is, from the first digit
	if exponent != "" {
		e, err := strconv.Atoi(exponent)
		if err != nil || e > maxExponent || e < -maxExponent-len(digits) {
			return 0, errTimeRange
		}
		point += e
	}
	if point > maxExponent {
		return 0, errTimeRange
	}
	digits += strings.Repeat("0", max(0, point-len(digits)))
	point = max(point, 0)
	lost := strings.Trim(digits[point:], "0") != ""
	text := "0" + digits[:point]
	if negative {
		text = "-" + text
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errTimeRange
	}
	if negative && lost && n > math.MinInt64 {
		n-- // down, as for times after 1970
	}
	return n, nil
}
