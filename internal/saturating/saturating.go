// Package saturating calculates with integers that stop at the ends of int64 where others would turn over.
package saturating

import (
	"math"
	"math/bits"
	"time"
)

// MulDiv is a*b/c, rounded down, computed in 128 bits; math.MaxInt64 when it is more than that. a is not negative and c is not 0.
func MulDiv(a int64, b, c uint64) int64 {
	high, low := bits.Mul64(uint64(a), b)
	if high >= c {
		return math.MaxInt64
	}
	q, _ := bits.Div64(high, low, c)
	return int64(min(q, math.MaxInt64))
}

// RootOfProduct is the square root of a*b, rounded down, computed in 128 bits. Neither is negative.
func RootOfProduct(a, b int64) int64 {
	high, low := bits.Mul64(uint64(a), uint64(b))
	var root uint64
	for bit := uint64(1) << 62; bit > 0; bit >>= 1 { // the product is below 2^126
		try := root | bit
		if h, l := bits.Mul64(try, try); h < high || h == high && l <= low {
			root = try
		}
	}
	return int64(root)
}

// Add is a+b, and the nearest int64 when that is beyond.
func Add[T ~int64](a, b T) T {
	switch sum := a + b; {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	default:
		return sum
	}
}

// Distance is to-from, or 0 when that is negative, or the largest int64 when it is beyond.
func Distance(from, to int64) int64 {
	if to <= from {
		return 0
	}
	if d := to - from; d > 0 {
		return d
	}
	return math.MaxInt64
}

// Milliseconds is a duration in milliseconds, rounded up.
func Milliseconds(d time.Duration) int64 {
	return int64(d/time.Millisecond) + min(1, int64(d%time.Millisecond))
}
