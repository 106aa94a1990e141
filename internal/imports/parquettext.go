package imports

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/internal/foreign"
)

// How the values of Parquet's types are spelled: numbers as JSON has them, times as RFC 3339, text and bytes as they are.

func boolText(v bool) cell { return cell{boolCell, strconv.AppendBool(nil, v)} }

// localTime is a time that is told without a zone.
const localTime = "2006-01-02T15:04:05.999999999"

func timeText(t time.Time, utc bool) cell {
	if utc {
		return cell{textCell, t.UTC().AppendFormat(nil, time.RFC3339Nano)}
	}
	return cell{textCell, t.UTC().AppendFormat(nil, localTime)}
}

// clockText is a time of day.
func clockText(v int64, unit schema.TimeUnitType) cell {
	return cell{textCell, timestamp(v, unit).UTC().AppendFormat(nil, "15:04:05.999999999")}
}

// floatText spells what JSON cannot as text.
func floatText(v float64, bits int) cell {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return cell{textCell, strconv.AppendFloat(nil, v, 'g', -1, bits)}
	}
	return cell{numberCell, strconv.AppendFloat(nil, v, 'g', -1, bits)}
}

func integerText[T int32 | int64](d *schema.Column) func(T) cell {
	switch l := d.LogicalType().(type) {
	case schema.TimestampLogicalType:
		return func(v T) cell { return timeText(timestamp(int64(v), l.TimeUnit()), l.IsAdjustedToUTC()) }
	case schema.TimeLogicalType:
		return func(v T) cell { return clockText(int64(v), l.TimeUnit()) }
	case schema.DateLogicalType:
		return func(v T) cell {
			return cell{textCell, time.Unix(int64(v)*86400, 0).UTC().AppendFormat(nil, "2006-01-02")}
		}
	case schema.DecimalLogicalType:
		return func(v T) cell { return decimalText(big.NewInt(int64(v)), int(l.Scale())) }
	case schema.IntLogicalType:
		if !l.IsSigned() {
			return func(v T) cell { return cell{numberCell, strconv.AppendUint(nil, unsigned(v), 10)} }
		}
	}
	return func(v T) cell { return cell{numberCell, strconv.AppendInt(nil, int64(v), 10)} }
}

func unsigned[T int32 | int64](v T) uint64 {
	if small, ok := any(v).(int32); ok {
		return uint64(uint32(small))
	}
	return uint64(v)
}

func timestamp(v int64, unit schema.TimeUnitType) time.Time {
	switch unit {
	case schema.TimeUnitMicros:
		return time.UnixMicro(v)
	case schema.TimeUnitNanos:
		return time.Unix(v/1e9, v%1e9)
	}
	return time.UnixMilli(v)
}

func bytesText(d *schema.Column) func([]byte) cell {
	switch l := d.LogicalType().(type) {
	case schema.JSONLogicalType:
		return jsonText
	case schema.DecimalLogicalType:
		return func(v []byte) cell {
			if len(v) > maxDecimalBytes {
				return cell{textCell, v}
			}
			return decimalText(signed(v), int(l.Scale()))
		}
	case schema.UUIDLogicalType:
		return func(v []byte) cell {
			id, err := uuid.FromBytes(v)
			if err != nil {
				return cell{textCell, v}
			}
			return cell{textCell, []byte(id.String())}
		}
	case schema.Float16LogicalType:
		return func(v []byte) cell { return floatText(float64(float16.FromLEBytes(v).Float32()), 32) }
	case schema.IntervalLogicalType:
		return intervalText
	}
	return func(v []byte) cell { return cell{textCell, v} }
}

// jsonText is JSON, or text where it is none.
func jsonText(v []byte) cell {
	if gjson.ValidBytes(v) {
		return cell{jsonCell, v}
	}
	return cell{textCell, v}
}

// signed reads a two's complement number, high bytes first.
func signed(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// A decimal of the widest type of any program, 256 bits, has 76 digits. More digits would take memory by a number in the footer, and more
// bytes the time of their square.
const (
	maxDecimalScale = 100
	maxDecimalBytes = 64
)

// checkType refuses a type that is not read, and a decimal whose digits would be out of all proportion.
func checkType(d *schema.Column) error {
	switch l := d.LogicalType().(type) {
	case schema.DecimalLogicalType:
		if l.Scale() > maxDecimalScale {
			return &foreign.UnsupportedError{What: fmt.Sprintf("a decimal of %d digits after the point is not read", l.Scale())}
		}
	case schema.BSONLogicalType, schema.GeometryLogicalType, schema.GeographyLogicalType:
		return &foreign.UnsupportedError{What: "its type " + d.LogicalType().String() + " is not read"}
	}
	return nil
}

// intervalText spells months, days and milliseconds as a duration of ISO 8601.
func intervalText(v []byte) cell {
	if len(v) != 12 {
		return cell{textCell, v}
	}
	ms := binary.LittleEndian.Uint32(v[8:])
	seconds := strconv.FormatFloat(float64(ms)/1000, 'f', -1, 64)
	return cell{textCell, fmt.Appendf(nil, "P%dM%dDT%sS", binary.LittleEndian.Uint32(v), binary.LittleEndian.Uint32(v[4:]), seconds)}
}

// decimalText spells n / 10^scale.
func decimalText(n *big.Int, scale int) cell {
	digits := new(big.Int).Abs(n).String()
	if scale > 0 {
		if pad := scale + 1 - len(digits); pad > 0 {
			digits = strings.Repeat("0", pad) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if n.Sign() < 0 {
		digits = "-" + digits
	}
	return cell{numberCell, []byte(digits)}
}
