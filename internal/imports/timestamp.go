package imports

import (
	"errors"
	"fmt"
	"math"
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
var layouts = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"}

var errTime = errors.New("neither a number nor a time such as 2026-03-01T12:00:00Z")

// parseTime reads a timestamp in milliseconds since 1970. What is smaller is cut off.
func parseTime(text string, unit TimeUnit) (int64, error) {
	text = strings.TrimSpace(text)
	if ms, ok, err := parseNumber(text, unit.shift()); ok {
		return ms, err
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UnixMilli(), nil
		}
	}
	return 0, fmt.Errorf("%.40q is %w", text, errTime)
}

// parseNumber reads a decimal number and moves its point by shift places to the right. Ok is false when it is none.
func parseNumber(text string, shift int) (n int64, ok bool, err error) {
	sign, digits := "", text
	if strings.HasPrefix(text, "-") {
		sign, digits = "-", text[1:]
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, false, nil
	}
	for ; shift > 0; shift-- {
		fraction += "0"
		whole, fraction = whole+fraction[:1], fraction[1:]
	}
	lost := strings.Trim(fraction, "0") != ""
	if shift < 0 {
		cut := max(0, len(whole)+shift)
		lost = lost || strings.Trim(whole[cut:], "0") != ""
		whole = "0" + whole[:cut]
	}
	n, err = strconv.ParseInt(sign+whole, 10, 64)
	if err != nil {
		return 0, true, fmt.Errorf("%.40q does not fit into 64 bits of milliseconds", text)
	}
	if sign != "" && lost && n > math.MinInt64 {
		n-- // down, as for times after 1970
	}
	return n, true, nil
}
