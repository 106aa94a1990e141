package units

import (
	"fmt"
	"strconv"
	"time"
)

// Size spells a number of bytes with three digits: 999 B, 1.21 MiB, 12.4 GiB.
func Size(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, i := float64(n)/1024, 0
	for ; f >= 999.5 && i < len(sizeNames)-1; i++ {
		f /= 1024
	}
	return threeDigits(f) + " " + sizeNames[i]
}

var sizeNames = []string{"KiB", "MiB", "GiB", "TiB", "PiB"}

func threeDigits(f float64) string {
	switch {
	case f < 9.995:
		return strconv.FormatFloat(f, 'f', 2, 64)
	case f < 99.95:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'f', 0, 64)
}

// Count spells a number with commas between thousands.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Of spells a count with its noun, in the plural where it belongs: 1 record, 2,000 records.
func Of(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(n) + " " + noun + "s"
}

// Duration spells a duration in at most two units, as precisely as is of use to a person: 312ms, 4.2s, 3m20s, 1d4h.
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// Fine spells a duration with three digits in the unit that suits it, for what is measured: 87µs, 1.24ms, 3.1s, and as Duration from a
// minute on.
func Fine(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return strconv.FormatInt(d.Microseconds(), 10) + "µs"
	case d < time.Second:
		return threeDigits(float64(d)/float64(time.Millisecond)) + "ms"
	case d < time.Minute:
		return threeDigits(d.Seconds()) + "s"
	}
	return Duration(d)
}

// Rate is n per second of d, 0 where no time has passed.
func Rate(n int64, d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64(float64(n) / d.Seconds())
}

// Time spells a record's timestamp in UTC, as milliseconds where its year has not four digits.
func Time(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return "@" + strconv.FormatInt(ms, 10)
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}
