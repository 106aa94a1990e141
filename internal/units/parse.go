package units

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Errors wrapped for text that is not what it should be. Each says what would be.
var (
	ErrSize     = errors.New("not a size: use bytes or a number with B, KB, MB, GB, TB (1000) or KiB, MiB, GiB, TiB (1024)")
	ErrCount    = errors.New("not a count: use a whole number, possibly with k, M or G (1000)")
	ErrDuration = errors.New("not a duration: use a number with ms, s, m, h or d, such as 90s or 1d12h")
	ErrRate     = errors.New("not a rate: use a count and a unit of time, such as 800/s, 50k/s or 3000/min")
	ErrByteRate = errors.New("not a bandwidth: use a size and a unit of time, such as 20MB/s")
)

var sizeUnits = map[string]float64{
	"": 1, "b": 1,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}

// ParseSize reads a number of bytes, such as 64MiB, 1.5GB or 4096. Units are all in upper or all in lower case, but for the i, and kB: Mb are
// megabits elsewhere, and refused.
func ParseSize(s string) (int64, error) {
	if _, unit := splitUnit(s); strings.HasSuffix(unit, "b") && strings.ToLower(unit) != unit {
		return 0, fmt.Errorf("%q: %w%s", s, ErrSize, smallB)
	}
	return scaled(s, sizeUnits, true, ErrSize)
}

// smallB says why a unit is refused.
const smallB = "; a small b may stand for bits"

var countUnits = map[string]float64{"": 1, "k": 1e3, "m": 1e6, "g": 1e9}

// ParseCount reads a number of things, such as 250000, 250k or 1.5M.
func ParseCount(s string) (int64, error) {
	return scaled(s, countUnits, true, ErrCount)
}

// scaled reads a number and its unit. The product must be a whole number where whole is set, and fit.
func scaled(s string, units map[string]float64, whole bool, invalid error) (int64, error) {
	number, unit := splitUnit(s)
	factor, ok := units[strings.ToLower(unit)]
	if !ok {
		return 0, fmt.Errorf("%q: %w", s, invalid)
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil && factor == 1 && n >= 0 {
		return n, nil // exact beyond 2^53
	}
	f, err := strconv.ParseFloat(number, 64)
	if f *= factor; err != nil || f < 0 || f >= math.MaxInt64 || whole && f != math.Trunc(f) {
		return 0, fmt.Errorf("%q: %w", s, invalid)
	}
	return int64(f), nil
}

// splitUnit cuts a number from what follows it.
func splitUnit(s string) (number, unit string) {
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.') {
		end++
	}
	return s[:end], strings.TrimSpace(s[end:])
}

// ParseDuration reads a duration that is not negative, as Go spells them and with days: 500ms, 90s, 1h30m, 7d, 1d12h.
func ParseDuration(s string) (time.Duration, error) {
	var days uint64
	rest := s
	if number, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(number, 10, 15) // 32,767 days fit
		if err != nil {
			return 0, fmt.Errorf("%q: %w", s, ErrDuration)
		}
		days, rest = n, after
	}
	d := time.Duration(days) * 24 * time.Hour
	if rest == "" && d > 0 {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	if err != nil || more < 0 || d+more < d {
		return 0, fmt.Errorf("%q: %w", s, ErrDuration)
	}
	return d + more, nil
}

// perUnits are the units of time of a rate.
var perUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "min": time.Minute, "h": time.Hour}

// ParseRate reads a count per unit of time, exactly: 800/s, 50k/s and 3000/min are 800 and 50,000 per second and 3,000 per minute, 0.5/s
// is 5 per ten seconds. Both are more than 0.
func ParseRate(s string) (count uint64, per time.Duration, err error) {
	text, unit, ok := strings.Cut(s, "/")
	per = perUnits[strings.ToLower(strings.TrimSpace(unit))]
	number, suffix := splitUnit(strings.TrimSpace(text))
	factor := countUnits[strings.ToLower(suffix)]
	n, denominator, err := parseDecimal(number)
	if !ok || per == 0 || factor == 0 || err != nil || n == 0 || n > maxRate {
		return 0, 0, fmt.Errorf("%q: %w", s, ErrRate)
	}
	return n * uint64(factor), per * time.Duration(denominator), nil
}

// maxRate keeps a count with its largest suffix in 64 bits.
const maxRate = 1e9

// ParseByteRate reads a size per unit of time: 20MB/s, 512KiB/s, 1GB/min. Both are more than 0. The B is a capital: 20Mb/s and 20mb/s are bits
// where speeds of networks are told, and refused.
func ParseByteRate(s string) (bytes int64, per time.Duration, err error) {
	size, unit, ok := strings.Cut(s, "/")
	if strings.HasSuffix(strings.TrimSpace(size), "b") {
		return 0, 0, fmt.Errorf("%q: %w%s", s, ErrByteRate, smallB)
	}
	per = perUnits[strings.ToLower(strings.TrimSpace(unit))]
	bytes, err = ParseSize(strings.TrimSpace(size))
	if !ok || per == 0 || err != nil || bytes == 0 {
		return 0, 0, fmt.Errorf("%q: %w", s, ErrByteRate)
	}
	return bytes, per, nil
}

// ErrDecimal is returned for text that is no plain decimal number.
var ErrDecimal = errors.New("not a number: use digits, possibly with a point and up to 6 digits after it, such as 10 or 0.25")

// ParseDecimal reads a decimal number that is not negative as an exact fraction: 2.5 is 25 and 10. It has at most 9 digits before the
// point and 6 after it.
func ParseDecimal(s string) (numerator, denominator uint64, err error) {
	if numerator, denominator, err = parseDecimal(s); err != nil {
		return 0, 0, fmt.Errorf("%q: %w", s, err)
	}
	return numerator, denominator, nil
}

func parseDecimal(s string) (numerator, denominator uint64, err error) {
	whole, fraction, _ := strings.Cut(s, ".")
	fraction = strings.TrimRight(fraction, "0")
	digits := whole + fraction
	if len(whole) > 9 || len(fraction) > 6 {
		return 0, 0, ErrDecimal
	}
	denominator = 1
	for range fraction {
		denominator *= 10
	}
	if numerator, err = strconv.ParseUint(digits, 10, 64); err != nil {
		return 0, 0, ErrDecimal
	}
	return numerator, denominator, nil
}

// SplitList splits at commas, drops the space around the parts and leaves empty ones out.
func SplitList(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
