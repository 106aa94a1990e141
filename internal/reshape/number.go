package reshape

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Numbers of a filter compare by what is written and not by what a double makes of it. A double stands for its shortest decimal, as a
// literal of an expression does and most JSON has it; so any two numbers are compared exactly, as fractions where need be.

var (
	errWide  = types.WrapErr(errUndecided("a whole number is beyond 64 bits")).(*types.Err)
	errRange = types.WrapErr(errUndecided("a number is beyond what a double holds")).(*types.Err)
)

// The most that is worked out of a number with more digits than a double holds.
const (
	maxDigits   = 1000
	maxExponent = 400
)

// celNumber is a JSON number as CEL has it: an int, a uint beyond that, a double where its shortest decimal is what is written, and else
// a decimal. What is larger than all of these is an error.
func celNumber(raw string) ref.Val {
	if !strings.ContainsAny(raw, ".eE") {
		if n, err := strconv.ParseInt(raw, 10, 64); err == nil {
			return types.Int(n)
		}
		if n, err := strconv.ParseUint(raw, 10, 64); err == nil {
			return types.Uint(n)
		}
		return errWide
	}
	f, err := strconv.ParseFloat(raw, 64)
	switch {
	case err != nil:
		return errRange
	case isShortest(raw, f):
		return types.Double(f)
	}
	n := readNumeral(raw)
	if len(n.digits) > maxDigits || n.exponent > maxExponent || n.exponent < -maxExponent {
		return errRange
	}
	value, ok := new(big.Rat).SetString(raw)
	if !ok {
		return errRange
	}
	return decimal{raw, value}
}

// numeral is a decimal number without its sign: 0.digits times ten to the exponent, with no zero at either end of the digits.
type numeral struct {
	digits   string
	exponent int
}

func readNumeral(s string) numeral {
	mantissa, power, _ := strings.Cut(strings.ToLower(strings.TrimLeft(s, "+-")), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	n := numeral{whole + fraction, len(whole)}
	exponent, err := strconv.Atoi(power)
	if err != nil && power != "" {
		exponent = math.MaxInt32
		if power[0] == '-' {
			exponent = math.MinInt32
		}
	}
	n.exponent += exponent
	trimmed := strings.TrimLeft(n.digits, "0")
	n.exponent -= len(n.digits) - len(trimmed)
	if n.digits = strings.TrimRight(trimmed, "0"); n.digits == "" {
		n.exponent = 0
	}
	return n
}

// isShortest says that a number that was read as f is written as the shortest decimal of f, zeros and exponents aside.
func isShortest(raw string, f float64) bool {
	var buf [32]byte
	return readNumeral(raw) == readNumeral(asString(strconv.AppendFloat(buf[:0], f, 'e', -1, 64)))
}

// decimal is a number with more digits than a double keeps. It compares, and double() rounds it; nothing else takes it.
type decimal struct {
	raw   string
	value *big.Rat
}

var decimalType = types.NewOpaqueType("decimal")

func (d decimal) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("a decimal has no native type")
}

func (d decimal) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.DoubleType:
		f, _ := strconv.ParseFloat(d.raw, 64)
		return types.Double(f)
	case types.StringType:
		return types.String(d.raw)
	case types.TypeType:
		return decimalType
	}
	return types.NewErr("no such overload")
}

func (d decimal) Equal(other ref.Val) ref.Val { return equal(d, other) }

func (d decimal) Type() ref.Type { return decimalType }

func (d decimal) Value() any { return d.value }

func isNumeric(v ref.Val) bool {
	switch v.(type) {
	case types.Int, types.Uint, types.Double, decimal:
		return true
	}
	return false
}

// compareNumbers is below, equal to or above zero; not ok: one of them is none.
func compareNumbers(a, b ref.Val) (order int, ok bool) {
	if x, isInt := a.(types.Int); isInt {
		if y, isInt := b.(types.Int); isInt {
			return compareOrdered(x, y), true
		}
	}
	x, exactX := asFloat(a)
	y, exactY := asFloat(b)
	switch {
	case math.IsNaN(x) || math.IsNaN(y):
		return 0, false
	case exactX && exactY, math.IsInf(x, 0), math.IsInf(y, 0):
		return compareOrdered(x, y), true
	}
	return asRat(a).Cmp(asRat(b)), true
}

func compareOrdered[T types.Int | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// asFloat is a number as a double, and whether that compares with all others that are exact as the number does.
func asFloat(v ref.Val) (f float64, exact bool) {
	const most = 1 << 53
	switch v := v.(type) {
	case types.Double:
		return float64(v), math.Abs(float64(v)) <= most
	case types.Int:
		return float64(v), -most <= v && v <= most
	case types.Uint:
		return float64(v), v <= most
	case decimal:
		f, _ := v.value.Float64()
		return f, false
	}
	return math.NaN(), false
}

func asRat(v ref.Val) *big.Rat {
	switch v := v.(type) {
	case types.Int:
		return new(big.Rat).SetInt64(int64(v))
	case types.Uint:
		return new(big.Rat).SetUint64(uint64(v))
	case decimal:
		return v.value
	case types.Double:
		if r, ok := new(big.Rat).SetString(strconv.FormatFloat(float64(v), 'e', -1, 64)); ok {
			return r
		}
	}
	return new(big.Rat)
}

// checkLiteral refuses a number in an expression that a double does not hold.
func checkLiteral(text string, f float64) error {
	if isShortest(text, f) {
		return nil
	}
	return fmt.Errorf("%s has more digits than a double keeps: write %s", text, strconv.FormatFloat(f, 'g', -1, 64))
}
