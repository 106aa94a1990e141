package parquetbytes

import (
	"encoding/binary"

	"github.com/karchive/karchive/internal/ondisk"
)

// Field numbers and types of Thrift's compact protocol as far as Parquet's FileMetaData uses them
// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md, parquet-format's parquet.thrift).
const (
	fieldSchema           = 2
	fieldKeyValueMetadata = 5
	fieldNumChildren      = 5 // of a SchemaElement

	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
	thriftUUID   = 13

	// maxThriftDepth is well above the nesting of any Parquet footer.
	maxThriftDepth = 16
)

// Metadata walks a whole Parquet footer and returns what is ours of its key-value metadata, which points into footer. The walk allocates
// nothing for what it passes, and refuses a count that the bytes at hand do not hold: the Parquet library allocates by such counts,
// so it only sees footers that passed here.
func Metadata(footer []byte) (map[string][]byte, error) {
	w := thriftWalker{rest: footer}
	kv := map[string][]byte{}
	w.eachField(func(id int16, kind byte) {
		switch {
		case id == fieldKeyValueMetadata && kind == thriftList:
			w.keyValues(kv)
		case id == fieldSchema && kind == thriftList:
			w.schema()
		default:
			w.skip(kind, 0)
		}
	})
	if w.bad || len(w.rest) > 0 {
		return nil, ondisk.Corruptf("Parquet footer is not well-formed")
	}
	if w.twice != "" {
		return nil, ondisk.Corruptf("metadata key %s is there twice", w.twice)
	}
	return kv, nil
}

// thriftWalker reads the compact protocol. After bad is set everything it returns is zero.
type thriftWalker struct {
	rest  []byte
	bad   bool
	twice string // the key of ours that is there twice
}

func (w *thriftWalker) fail() { w.bad, w.rest = true, nil }

func (w *thriftWalker) u8() byte {
	if len(w.rest) == 0 {
		w.fail()
		return 0
	}
	b := w.rest[0]
	w.rest = w.rest[1:]
	return b
}

func (w *thriftWalker) varint() uint64 {
	v, n := binary.Uvarint(w.rest)
	if n <= 0 {
		w.fail()
		return 0
	}
	w.rest = w.rest[n:]
	return v
}

func (w *thriftWalker) bytes(n uint64) []byte {
	if n > uint64(len(w.rest)) {
		w.fail()
		return nil
	}
	b := w.rest[:n]
	w.rest = w.rest[n:]
	return b
}

// eachField calls field for every field of a struct; field must consume the value.
func (w *thriftWalker) eachField(field func(id int16, kind byte)) {
	id := int16(0)
	for !w.bad {
		head := w.u8()
		if head == 0 {
			return
		}
		if delta := head >> 4; delta > 0 {
			id += int16(delta)
		} else {
			v := w.varint()
			id = int16(v>>1) ^ -int16(v&1)
		}
		field(id, head&0x0f)
	}
}

// listHead returns the element type and the count of a list. Each element takes at least one byte, so a count that is too large ends with the
// bytes.
func (w *thriftWalker) listHead() (kind byte, n uint64) {
	head := w.u8()
	kind, n = head&0x0f, uint64(head>>4)
	if n == 15 {
		n = w.varint()
	}
	return kind, n
}

// schema passes the elements of the schema, none of which has more children than there are elements.
func (w *thriftWalker) schema() {
	kind, n := w.listHead()
	if kind != thriftStruct && n > 0 {
		w.fail()
	}
	for range n {
		w.eachField(func(id int16, kind byte) {
			if id != fieldNumChildren || kind != thriftI32 {
				w.skip(kind, 1)
			} else if children := w.zigzag(); children < 0 || children > int64(n) {
				w.fail()
			}
		})
		if w.bad {
			return
		}
	}
}

func (w *thriftWalker) keyValues(kv map[string][]byte) {
	kind, n := w.listHead()
	if kind != thriftStruct && n > 0 {
		w.fail()
	}
	for range n {
		var key []byte
		var value []byte
		w.eachField(func(id int16, kind byte) {
			switch {
			case id == 1 && kind == thriftBinary:
				key = w.bytes(w.varint())
			case id == 2 && kind == thriftBinary:
				value = w.bytes(w.varint())
			default:
				w.skip(kind, 1)
			}
		})
		if w.bad {
			return
		}
		if name := string(key); name == ondisk.DocumentKey || name == ondisk.DocumentDigestKey {
			if _, twice := kv[name]; twice {
				w.twice = name
			}
			kv[name] = value
		}
	}
}

func (w *thriftWalker) skip(kind byte, depth int) {
	if depth > maxThriftDepth {
		w.fail()
		return
	}
	switch kind {
	case thriftTrue, thriftFalse: // the value is in the type
	case thriftByte:
		w.u8()
	case thriftI16, thriftI32, thriftI64:
		w.varint()
	case thriftDouble:
		w.bytes(8)
	case thriftBinary:
		w.bytes(w.varint())
	case thriftUUID:
		w.bytes(16)
	case thriftList, thriftSet:
		w.skipList(depth)
	case thriftMap:
		w.skipMap(depth)
	case thriftStruct:
		w.eachField(func(_ int16, kind byte) { w.skip(kind, depth+1) })
	default:
		w.fail()
	}
}

func (w *thriftWalker) skipList(depth int) {
	kind, n := w.listHead()
	for range n {
		if w.bad {
			return
		}
		w.skipElement(kind, depth)
	}
}

// skipElement differs from skip in booleans, which take a byte in a container.
func (w *thriftWalker) skipElement(kind byte, depth int) {
	if kind == thriftTrue || kind == thriftFalse {
		w.u8()
		return
	}
	w.skip(kind, depth+1)
}

func (w *thriftWalker) skipMap(depth int) {
	n := w.varint()
	if n == 0 {
		return
	}
	kinds := w.u8()
	for ; n > 0 && !w.bad; n-- {
		w.skipElement(kinds>>4, depth)
		w.skipElement(kinds&0x0f, depth)
	}
}

func (w *thriftWalker) zigzag() int64 {
	v := w.varint()
	return int64(v>>1) ^ -int64(v&1)
}
