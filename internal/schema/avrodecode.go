package schema

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/karchive/karchive/internal/jsonl"
)

// Reasons why bytes are no value of a schema. They say nothing of the contents.
var (
	errShort     = errors.New("it ends too early")
	errRest      = errors.New("something follows its end")
	errVarint    = errors.New("a whole number is too long")
	errRange     = errors.New("a whole number is out of range")
	errBoolean   = errors.New("a boolean is neither 0 nor 1")
	errLength    = errors.New("a length is not possible")
	errBranch    = errors.New("a branch of a union is not there")
	errSymbol    = errors.New("a symbol of an enum is not there")
	errText      = errors.New("a string is not UTF-8")
	errKeyTwice  = errors.New("a map has a key twice")
	errTooDeep   = errors.New("nested too deeply")
	errTooLarge  = errors.New("it takes too much memory as JSON")
	errLongScale = errors.New("a decimal is too long")
)

// Limits of a document. A byte of a record becomes some tens of JSON where it says that a field with a long name is null; what becomes
// more is made to use up memory.
const (
	maxDepth      = 1000
	leastDocument = 1 << 20
	mostPerByte   = 64
	maxDecimal    = 4096 // bytes
)

// avroDecoder reads one value at a time. It is for one goroutine.
type avroDecoder struct {
	in    []byte
	at    int
	depth int
	limit int // of the document, in bytes

	scratch []byte
	parts   int // of arrays and maps, so far
}

// appendJSON appends the JSON of a value that takes all of in.
func (d *avroDecoder) appendJSON(dst []byte, t *avroType, in []byte) ([]byte, error) {
	d.in, d.at, d.depth, d.limit = in, 0, 0, len(dst)+leastDocument+mostPerByte*len(in)
	dst, err := d.value(dst, t)
	if err == nil && d.at < len(in) {
		err = errRest
	}
	return dst, err
}

func (d *avroDecoder) value(dst []byte, t *avroType) ([]byte, error) {
	switch t.kind {
	case avroNull:
		return append(dst, "null"...), nil
	case avroString:
		b, err := d.bytes()
		if err != nil {
			return dst, err
		}
		return appendText(dst, b)
	case avroInt:
		n, err := d.long()
		if err == nil && n != int64(int32(n)) {
			err = errRange
		}
		return strconv.AppendInt(dst, n, 10), err
	case avroLong:
		n, err := d.long()
		return strconv.AppendInt(dst, n, 10), err
	case avroRecord:
		return d.record(dst, t)
	case avroUnion:
		b, err := d.branch(t)
		if err != nil {
			return dst, err
		}
		return d.inside(dst, b)
	case avroArray, avroMap:
		return d.blocks(dst, t)
	}
	return d.scalar(dst, t)
}

// scalar is value for types that are rarer.
func (d *avroDecoder) scalar(dst []byte, t *avroType) ([]byte, error) {
	switch t.kind {
	case avroBoolean:
		return d.boolean(dst)
	case avroFloat:
		b, err := d.take(4)
		if err != nil {
			return dst, err
		}
		return appendFloat(dst, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), 32), nil
	case avroDouble:
		b, err := d.take(8)
		if err != nil {
			return dst, err
		}
		return appendFloat(dst, math.Float64frombits(binary.LittleEndian.Uint64(b)), 64), nil
	case avroEnum:
		n, err := d.long()
		if err == nil && (n < 0 || n >= int64(len(t.spelled))) {
			err = errSymbol
		}
		if err != nil {
			return dst, err
		}
		return append(dst, t.spelled[n]...), nil
	}
	b, err := d.sized(t)
	if err != nil {
		return dst, err
	}
	switch t.kind {
	case avroDecimal:
		return appendDecimal(dst, b, t.scale)
	case avroUUID:
		return append(append(append(dst, '"'), uuid.UUID(b).String()...), '"'), nil
	}
	return appendLatin1(dst, b), nil
}

func (d *avroDecoder) boolean(dst []byte) ([]byte, error) {
	b, err := d.take(1)
	switch {
	case err != nil:
		return dst, err
	case b[0] == 0:
		return append(dst, "false"...), nil
	case b[0] == 1:
		return append(dst, "true"...), nil
	}
	return dst, errBoolean
}

// branch reads which branch of a union a value is of.
func (d *avroDecoder) branch(t *avroType) (*avroType, error) {
	n, err := d.long()
	if err == nil && (n < 0 || n >= int64(len(t.branches))) {
		err = errBranch
	}
	if err != nil {
		return nil, err
	}
	return t.branches[n], nil
}

// inside reads a value within another one.
func (d *avroDecoder) inside(dst []byte, t *avroType) ([]byte, error) {
	if d.depth++; d.depth > maxDepth {
		return dst, errTooDeep
	}
	dst, err := d.value(dst, t)
	d.depth--
	if err == nil && len(dst) > d.limit {
		err = errTooLarge
	}
	return dst, err
}

func (d *avroDecoder) record(dst []byte, t *avroType) ([]byte, error) {
	dst = append(dst, '{')
	for i := range t.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, t.fields[i].spelled...)
		var err error
		if dst, err = d.inside(dst, t.fields[i].typ); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// blocks reads an array or a map.
func (d *avroDecoder) blocks(dst []byte, t *avroType) ([]byte, error) {
	opening, closing := byte('['), byte(']')
	var keys map[string]struct{}
	if t.kind == avroMap {
		opening, closing, keys = '{', '}', map[string]struct{}{}
	}
	dst = append(dst, opening)
	for first := true; ; {
		n, err := d.block()
		if err != nil {
			return dst, err
		}
		if n == 0 {
			return append(dst, closing), nil
		}
		for ; n > 0; n-- {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			if dst, err = d.element(dst, t, keys); err != nil {
				return dst, err
			}
		}
	}
}

// element reads an element of an array, or an entry of a map, which has none of keys.
func (d *avroDecoder) element(dst []byte, t *avroType, keys map[string]struct{}) ([]byte, error) {
	if t.kind == avroMap {
		key, err := d.bytes()
		if err != nil {
			return dst, err
		}
		if _, twice := keys[string(key)]; twice {
			return dst, errKeyTwice
		}
		keys[string(key)] = struct{}{}
		if dst, err = appendText(dst, key); err != nil {
			return dst, err
		}
		dst = append(dst, ':')
	}
	return d.inside(dst, t.of)
}

// block reads the number of values of a block, and passes over its size in bytes where that is given.
func (d *avroDecoder) block() (int64, error) {
	n, err := d.long()
	if err != nil || n >= 0 {
		return n, err
	}
	if n == math.MinInt64 {
		return 0, errLength
	}
	size, err := d.long()
	if err == nil && (size < 0 || size > int64(len(d.in)-d.at)) {
		err = errLength
	}
	return -n, err
}

// sized is the bytes of a fixed, or of bytes.
func (d *avroDecoder) sized(t *avroType) ([]byte, error) {
	if t.kind == avroFixed || t.size > 0 {
		return d.take(t.size)
	}
	return d.bytes()
}

func (d *avroDecoder) bytes() ([]byte, error) {
	n, err := d.long()
	if err != nil {
		return nil, err
	}
	if n < 0 || n > int64(len(d.in)-d.at) {
		return nil, errLength
	}
	return d.take(int(n))
}

func (d *avroDecoder) take(n int) ([]byte, error) {
	if n > len(d.in)-d.at {
		return nil, errShort
	}
	d.at += n
	return d.in[d.at-n : d.at : d.at], nil
}

// long reads a zigzag varint.
func (d *avroDecoder) long() (int64, error) {
	if d.at < len(d.in) && d.in[d.at] < 0x80 {
		c := uint64(d.in[d.at])
		d.at++
		return int64(c>>1) ^ -int64(c&1), nil
	}
	c, n := binary.Uvarint(d.in[d.at:])
	switch {
	case n == 0:
		return 0, errShort
	case n < 0:
		return 0, errVarint
	}
	d.at += n
	return int64(c>>1) ^ -int64(c&1), nil
}

// appendText appends a text as a JSON string.
func appendText(dst, b []byte) ([]byte, error) {
	if !utf8.Valid(b) {
		return dst, errText
	}
	if b == nil {
		b = []byte{}
	}
	return jsonl.AppendPayload(dst, b), nil
}

// appendLatin1 appends bytes as Avro's own JSON has them: each as the character of its number.
func appendLatin1(dst, b []byte) []byte {
	text := make([]byte, 0, 2*len(b))
	for _, c := range b {
		text = utf8.AppendRune(text, rune(c))
	}
	return jsonl.AppendPayload(dst, text)
}

// appendFloat appends the shortest decimal that is read as the same float, and what JSON has no number for as text.
func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits)
}

// appendDecimal appends a decimal with all digits of its scale.
func appendDecimal(dst, b []byte, scale int) ([]byte, error) {
	if len(b) > maxDecimal || scale > maxDecimal {
		return dst, errLongScale
	}
	n := fromTwosComplement(b)
	if n.Sign() < 0 {
		dst = append(dst, '-')
		n.Neg(n)
	}
	digits := n.String()
	for len(digits) <= scale {
		digits = "0" + digits
	}
	dst = append(dst, digits[:len(digits)-scale]...)
	if scale > 0 {
		dst = append(append(dst, '.'), digits[len(digits)-scale:]...)
	}
	return dst, nil
}

func fromTwosComplement(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}
