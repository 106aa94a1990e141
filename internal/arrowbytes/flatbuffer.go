package arrowbytes

import (
	flatbuffers "github.com/google/flatbuffers/go"
)

// flatTable reads a table of a flatbuffer. Slots are the numbers of its fields; one that is absent reads as zero. Reading past the end of
// the bytes panics, which the reader of a segment turns into an error; nothing is allocated by what the bytes say.
type flatTable struct{ flatbuffers.Table }

func flatRoot(b []byte) flatTable {
	return flatTable{flatbuffers.Table{Bytes: b, Pos: flatbuffers.GetUOffsetT(b)}}
}

// at is the place of a field, relative to the table; 0: absent.
func (t flatTable) at(slot int) flatbuffers.UOffsetT {
	return flatbuffers.UOffsetT(t.Offset(vtableOffset(slot)))
}

// vtableOffset is the place in a vtable of a slot: two sizes come first.
func vtableOffset(slot int) flatbuffers.VOffsetT { return flatbuffers.VOffsetT(4 + 2*slot) }

func (t flatTable) byte(slot int) byte   { return t.GetByteSlot(vtableOffset(slot), 0) }
func (t flatTable) int16(slot int) int16 { return t.GetInt16Slot(vtableOffset(slot), 0) }
func (t flatTable) int32(slot int) int32 { return t.GetInt32Slot(vtableOffset(slot), 0) }
func (t flatTable) int64(slot int) int64 { return t.GetInt64Slot(vtableOffset(slot), 0) }

// bytes is a string; nil: absent.
func (t flatTable) bytes(slot int) []byte {
	at := t.at(slot)
	if at == 0 {
		return nil
	}
	return t.ByteVector(t.Pos + at)
}

// table is a table or the value of a union. An absent one is a table without fields.
func (t flatTable) table(slot int) flatTable {
	at := t.at(slot)
	if at == 0 {
		return flatTable{flatbuffers.Table{Bytes: emptyTable, Pos: 4}}
	}
	return flatTable{flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(t.Pos + at)}}
}

// has says whether a field is there.
func (t flatTable) has(slot int) bool { return t.at(slot) != 0 }

// emptyTable is a vtable of no fields, and a table that points back to it.
var emptyTable = []byte{4, 0, 4, 0, 4, 0, 0, 0}

// flatVector is a vector in a flatbuffer, which may claim to be longer than the bytes that are there.
type flatVector struct {
	bytes  []byte
	start  int
	length int
}

func (t flatTable) vector(slot int) flatVector {
	at := t.at(slot)
	if at == 0 {
		return flatVector{}
	}
	return flatVector{bytes: t.Bytes, start: int(t.Vector(at)), length: t.VectorLen(at)}
}

// table is element i of a vector of tables.
func (v flatVector) table(i int) flatTable {
	at := v.start + i*flatbuffers.SizeUOffsetT
	return flatTable{flatbuffers.Table{Bytes: v.bytes, Pos: flatbuffers.UOffsetT(at) + flatbuffers.GetUOffsetT(v.bytes[at:])}}
}

// structAt returns element i of a vector of structs of size bytes.
func (v flatVector) structAt(i, size int) []byte {
	at := v.start + i*size
	return v.bytes[at : at+size]
}
