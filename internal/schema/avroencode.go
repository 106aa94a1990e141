package schema

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/google/uuid"
)

// FitError is a value that the type of its place cannot hold. It says nothing of the contents.
type FitError struct {
	Path string // within the document, with * for the keys of maps and # for elements; empty: all of it
	Type string
	What string // what cannot be held
}

func (e *FitError) Error() string {
	at := "it"
	if e.Path != "" {
		at = e.Path
	}
	return fmt.Sprintf("%s is of type %s in its schema, which cannot hold %s", at, e.Type, e.What)
}

// at puts a step in front of the path of an error.
func (e *FitError) at(step string) *FitError {
	if e != nil && e.Path != "" {
		step += "." + e.Path
	}
	if e == nil {
		return nil
	}
	return &FitError{step, e.Type, e.What}
}

// avroEncoder makes values of JSON. Of a value that was there before it keeps the bytes of every part that JSON leaves the same, and with
// them which branch of a union it is of.
type avroEncoder struct {
	old     avroDecoder
	scratch []byte
	steps   int // that may still be taken
}

// stepsPerByte bounds the attempts at unions of records that look alike.
const stepsPerByte = 64

// encode appends the value of a JSON text. Before is the value whose JSON was changed into it; nil: there was none.
func (e *avroEncoder) encode(dst []byte, t *avroType, before, text []byte) ([]byte, error) {
	n, err := parseJSON(text)
	if err != nil {
		return dst, err
	}
	var old *avroValue
	if before != nil {
		e.old = avroDecoder{in: before, limit: math.MaxInt}
		if old, err = e.old.tree(t); err != nil {
			return dst, err
		}
	}
	e.steps = stepsPerByte * (len(text) + 64)
	out, fit := e.value(dst, t, old, n)
	if fit != nil {
		return dst, fit
	}
	return out, nil
}

func (e *avroEncoder) value(dst []byte, t *avroType, old *avroValue, n *node) ([]byte, *FitError) {
	if e.steps--; e.steps < 0 {
		return dst, &FitError{Type: t.name, What: "what fits too many branches of unions"}
	}
	switch t.kind {
	case avroRecord:
		return e.record(dst, t, old, n)
	case avroUnion:
		return e.union(dst, t, old, n)
	case avroArray:
		return e.array(dst, t, old, n)
	case avroMap:
		return e.entries(dst, t, old, n)
	}
	if old != nil && e.same(t, old, n) {
		return append(dst, old.raw...), nil
	}
	out, ok := appendAvroScalar(dst, t, n)
	if !ok {
		return dst, &FitError{Type: t.name, What: n.what()}
	}
	return out, nil
}

// same says that a value without parts has not changed.
func (e *avroEncoder) same(t *avroType, old *avroValue, n *node) bool {
	d := avroDecoder{in: old.raw, limit: math.MaxInt}
	var err error
	if e.scratch, err = d.value(e.scratch[:0], t); err != nil {
		return false
	}
	was, err := parseJSON(e.scratch)
	return err == nil && was.kind == n.kind && was.text == n.text
}

func (e *avroEncoder) record(dst []byte, t *avroType, old *avroValue, n *node) ([]byte, *FitError) {
	if n.kind != '{' {
		return dst, &FitError{Type: t.name, What: n.what()}
	}
	known := 0
	for i := range t.fields {
		f := &t.fields[i]
		m := n.member(f.name, i)
		if m == nil {
			var ok bool
			if dst, ok = f.appendMissing(dst); !ok {
				return dst, &FitError{f.name, f.typ.name, "that it is missing"}
			}
			continue
		}
		known++
		var fit *FitError
		if dst, fit = e.value(dst, f.typ, old.part(i), m); fit != nil {
			return dst, fit.at(f.name)
		}
	}
	if known < len(n.children) {
		return dst, &FitError{Type: t.name, What: "a field that it does not have"}
	}
	return dst, nil
}

// appendMissing appends what stands for a field that is not there: its default, or null where it can be that.
func (f *avroField) appendMissing(dst []byte) ([]byte, bool) {
	if f.missing != nil {
		return append(dst, f.missing...), true
	}
	return f.typ.appendNull(dst)
}

func (t *avroType) appendNull(dst []byte) ([]byte, bool) {
	if t.kind == avroNull {
		return dst, true
	}
	if t.kind == avroUnion {
		for i, b := range t.branches {
			if b.kind == avroNull {
				return binary.AppendVarint(dst, int64(i)), true
			}
		}
	}
	return dst, false
}

func (e *avroEncoder) array(dst []byte, t *avroType, old *avroValue, n *node) ([]byte, *FitError) {
	if n.kind != '[' {
		return dst, &FitError{Type: t.name, What: n.what()}
	}
	if old != nil && len(old.parts) != len(n.children) {
		old = nil // nobody can say which element was which
	}
	return e.blocks(dst, n, func(dst []byte, i int) ([]byte, *FitError) {
		dst, fit := e.value(dst, t.of, old.part(i), &n.children[i].node)
		return dst, fit.at("#")
	})
}

func (e *avroEncoder) entries(dst []byte, t *avroType, old *avroValue, n *node) ([]byte, *FitError) {
	if n.kind != '{' {
		return dst, &FitError{Type: t.name, What: n.what()}
	}
	return e.blocks(dst, n, func(dst []byte, i int) ([]byte, *FitError) {
		c := &n.children[i]
		dst = append(binary.AppendVarint(dst, int64(len(c.name))), c.name...)
		dst, fit := e.value(dst, t.of, old.entry(c.name, i), &c.node)
		return dst, fit.at("*")
	})
}

// blocks writes one block of all children, and the end.
func (e *avroEncoder) blocks(dst []byte, n *node, each func(dst []byte, i int) ([]byte, *FitError)) ([]byte, *FitError) {
	if len(n.children) > 0 {
		dst = binary.AppendVarint(dst, int64(len(n.children)))
	}
	for i := range n.children {
		var fit *FitError
		if dst, fit = each(dst, i); fit != nil {
			return dst, fit
		}
	}
	return append(dst, 0), nil
}

// appendAvroScalar appends a value without parts, unless its type cannot hold it.
func appendAvroScalar(dst []byte, t *avroType, n *node) ([]byte, bool) {
	switch t.kind {
	case avroNull:
		return dst, n.kind == 'n'
	case avroBoolean:
		if n.kind == 't' {
			return append(dst, 1), true
		}
		return append(dst, 0), n.kind == 'f'
	case avroInt, avroLong:
		bits := 32
		if t.kind == avroLong {
			bits = 64
		}
		v, err := strconv.ParseInt(n.text, 10, bits)
		return binary.AppendVarint(dst, v), n.kind == '0' && err == nil
	case avroFloat:
		v, ok := n.float(32)
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(v))), ok
	case avroDouble:
		v, ok := n.float(64)
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v)), ok
	case avroDecimal:
		return appendAvroDecimal(dst, t, n)
	}
	return appendAvroText(dst, t, n)
}

// appendAvroText appends a value that is text in JSON.
func appendAvroText(dst []byte, t *avroType, n *node) ([]byte, bool) {
	if n.kind != '"' {
		return dst, false
	}
	switch t.kind {
	case avroString:
		return append(binary.AppendVarint(dst, int64(len(n.text))), n.text...), true
	case avroEnum:
		for i, s := range t.symbols {
			if s == n.text {
				return binary.AppendVarint(dst, int64(i)), true
			}
		}
		return dst, false
	case avroUUID:
		id, err := uuid.Parse(n.text)
		return append(dst, id[:]...), err == nil && id.String() == n.text
	}
	b, ok := latin1(n.text)
	if t.kind == avroFixed {
		return append(dst, b...), ok && len(b) == t.size
	}
	return append(binary.AppendVarint(dst, int64(len(b))), b...), ok
}

// latin1 is the bytes of which each is a character of a text.
func latin1(text string) ([]byte, bool) {
	out := make([]byte, 0, utf8.RuneCountInString(text))
	for _, r := range text {
		if r > 0xff {
			return nil, false
		}
		out = append(out, byte(r))
	}
	return out, true
}

// float is a number, or what JSON has no number for.
func (n *node) float(bits int) (float64, bool) {
	switch {
	case n.kind == '0':
		v, err := strconv.ParseFloat(n.text, bits)
		return v, err == nil
	case n.kind != '"':
		return 0, false
	case n.text == "NaN":
		return math.NaN(), true
	case n.text == "Infinity":
		return math.Inf(1), true
	}
	return math.Inf(-1), n.text == "-Infinity"
}

// appendAvroDecimal appends a number that is a multiple of the scale's unit and has no more digits than the precision.
func appendAvroDecimal(dst []byte, t *avroType, n *node) ([]byte, bool) {
	if n.kind != '0' || len(n.text) > maxDecimal || exponentOf(n.text) > maxDecimal {
		return dst, false
	}
	v, ok := new(big.Rat).SetString(n.text)
	if !ok {
		return dst, false
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.scale)), nil)
	v.Mul(v, new(big.Rat).SetInt(unit))
	if !v.IsInt() || t.precision > 0 && len(new(big.Int).Abs(v.Num()).String()) > t.precision {
		return dst, false
	}
	b, ok := twosComplement(v.Num(), t.size)
	if t.size == 0 {
		dst = binary.AppendVarint(dst, int64(len(b)))
	}
	return append(dst, b...), ok
}

// exponentOf is the size of the exponent of a number of JSON.
func exponentOf(text string) int {
	for i := range len(text) {
		if text[i]|0x20 == 'e' {
			n, err := strconv.Atoi(text[i+1:])
			if err != nil {
				return math.MaxInt
			}
			return max(n, -n)
		}
	}
	return 0
}

// twosComplement is a number in so many bytes, or with 0 in the fewest.
func twosComplement(n *big.Int, size int) ([]byte, bool) {
	least := n.BitLen()/8 + 1
	if n.Sign() < 0 {
		least = new(big.Int).Not(n).BitLen()/8 + 1
	}
	if size == 0 {
		size = least
	}
	if least > size {
		return nil, false
	}
	whole := new(big.Int).Set(n)
	if n.Sign() < 0 {
		whole.Add(whole, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	return whole.FillBytes(make([]byte, size)), true
}
