package schema

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/karchive/karchive/format"
)

// Part says which of a record's payloads is meant.
type Part uint8

// The parts.
const (
	Value Part = iota
	Key
)

func (p Part) String() string {
	if p == Key {
		return "key"
	}
	return "value"
}

// Headers with the name of a schema, beside a payload that then has no frame.
const (
	valueHeader = "__value_schema_id"
	keyHeader   = "__key_schema_id"
)

// Bytes that begin a name of a schema.
const (
	magicID   = 0 // 4 bytes follow, of the id
	magicGUID = 1 // 16 bytes follow, of the GUID
)

// Name is the name of a schema in a registry.
type Name struct {
	ID   int32 // 0: it goes by its GUID
	GUID uuid.UUID
}

func (n Name) String() string {
	if n.ID == 0 {
		return "schema " + n.GUID.String()
	}
	return fmt.Sprintf("schema %d", n.ID)
}

// Frame is how a payload names its schema.
type Frame struct {
	Name
	size   int    // of the frame in front of the payload; 0: a header has it
	header []byte // what is behind the name in a header
}

// InFront says that the payload begins with the name, which no header has.
func (f *Frame) InFront() bool { return f.size > 0 }

// FindFrame finds the name of the schema of a payload; false where nothing is like one. Bytes that only look like a frame may be found too: a
// number in 8 bytes can begin with those of an id.
func FindFrame(part Part, b []byte, headers []format.Header) (Frame, bool) {
	name := valueHeader
	if part == Key {
		name = keyHeader
	}
	for i := len(headers) - 1; i >= 0; i-- {
		if headers[i].Key == name {
			f, ok := readName(headers[i].Value)
			f.header, f.size = headers[i].Value[min(f.size, len(headers[i].Value)):], 0
			return f, ok
		}
	}
	if len(b) < 5 || b[0] != magicID {
		return Frame{}, false
	}
	return readName(b)
}

// readName reads the name that b begins with.
func readName(b []byte) (Frame, bool) {
	switch {
	case len(b) >= 5 && b[0] == magicID:
		id := int32(binary.BigEndian.Uint32(b[1:]))
		return Frame{Name: Name{ID: id}, size: 5}, id > 0
	case len(b) >= 17 && b[0] == magicGUID:
		return Frame{Name: Name{GUID: uuid.UUID(b[1:17])}, size: 17}, true
	}
	return Frame{}, false
}

var errIndexes = errors.New("the numbers of its message are broken")

// appendIndexes writes the way to a message; the first has a form of its own.
func appendIndexes(dst []byte, indexes []int) []byte {
	if len(indexes) == 0 || len(indexes) == 1 && indexes[0] == 0 {
		return append(dst, 0)
	}
	dst = binary.AppendVarint(dst, int64(len(indexes)))
	for _, i := range indexes {
		dst = binary.AppendVarint(dst, int64(i))
	}
	return dst
}

// maxIndexes bounds how deeply a message is nested in others.
const maxIndexes = 64

// readIndexes reads the way to a message in a Protobuf file: how many numbers, and each, as zigzag varints. No number is the first message.
func readIndexes(b []byte) (indexes []int, size int, err error) {
	next := func() int64 {
		v, n := binary.Varint(b[size:])
		if n <= 0 {
			err = errIndexes
			return 0
		}
		size += n
		return v
	}
	count := next()
	if count < 0 || count > maxIndexes {
		err = errIndexes
	}
	if err == nil && count == 0 {
		return []int{0}, size, nil
	}
	for ; count > 0 && err == nil; count-- {
		indexes = append(indexes, int(next()))
	}
	return indexes, size, err
}
