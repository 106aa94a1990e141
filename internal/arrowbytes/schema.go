package arrowbytes

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/karchive/karchive/internal/ondisk"
)

// The types of Arrow's Type union that segments use (Schema.fbs in Arrow's format directory).
const (
	arrowInt       = 2
	arrowBinary    = 4
	arrowUTF8      = 5
	arrowTimestamp = 10
	arrowList      = 12
	arrowStruct    = 13
)

const (
	arrowMillisecond = 1 // of the enum TimeUnit
	arrowUTC         = "UTC"
)

// arrowField is a field of the schema.
type arrowField struct {
	name     string
	kind     byte
	bits     int32 // of an arrowInt, which is signed
	nullable bool
	children []arrowField
}

// arrowFields is the schema of SPEC.md, "Arrow segments". Nodes and buffers of a record batch are in the order of these fields, so a
// reader takes them from the front and leaves those of further fields alone.
var arrowFields = []arrowField{
	{name: ondisk.ColumnOffset, kind: arrowInt, bits: 64},
	{name: ondisk.ColumnTimestamp, kind: arrowTimestamp},
	{name: ondisk.ColumnTimestampType, kind: arrowInt, bits: 8},
	{name: ondisk.ColumnLeaderEpoch, kind: arrowInt, bits: 32},
	{name: ondisk.ColumnKey, kind: arrowBinary, nullable: true},
	{name: ondisk.ColumnValue, kind: arrowBinary, nullable: true},
	{name: "headers", kind: arrowList, children: []arrowField{
		{name: "element", kind: arrowStruct, children: []arrowField{
			{name: "key", kind: arrowUTF8},
			{name: "value", kind: arrowBinary, nullable: true},
		}},
	}},
}

// The number of nodes and buffers of arrowFields in a record batch: one node a field; a validity buffer a field, one of values for
// numbers, one of offsets for lists, and both for strings.
const (
	arrowNodes   = 10
	arrowBuffers = 4*2 + 2*3 + 2 + 1 + 2*3
)

// Slots of the tables of Schema.fbs.
const (
	schemaEndianness = 0
	schemaFields     = 1
	schemaSlots      = 4

	fieldName     = 0
	fieldNullable = 1
	fieldTypeKind = 2
	fieldType     = 3
	fieldChildren = 5
	fieldSlots    = 7

	intBits      = 0
	intSigned    = 1
	timestampIn  = 0
	timestampOf  = 1
	maxTypeSlots = 2
)

// buildArrowSchema adds the Schema table.
func buildArrowSchema(b *flatbuffers.Builder) flatbuffers.UOffsetT {
	fields := buildArrowFields(b, arrowFields)
	b.StartObject(schemaSlots)
	b.PrependUOffsetTSlot(schemaFields, fields, 0)
	return b.EndObject()
}

func buildArrowFields(b *flatbuffers.Builder, fields []arrowField) flatbuffers.UOffsetT {
	tables := make([]flatbuffers.UOffsetT, len(fields))
	for i := range fields {
		tables[i] = fields[i].build(b)
	}
	return b.CreateVectorOfTables(tables)
}

func (f *arrowField) build(b *flatbuffers.Builder) flatbuffers.UOffsetT {
	children := buildArrowFields(b, f.children) // readers want the vector also when it is empty
	kind := f.buildType(b)
	name := b.CreateString(f.name)
	b.StartObject(fieldSlots)
	b.PrependUOffsetTSlot(fieldName, name, 0)
	b.PrependBoolSlot(fieldNullable, f.nullable, false)
	b.PrependByteSlot(fieldTypeKind, f.kind, 0)
	b.PrependUOffsetTSlot(fieldType, kind, 0)
	b.PrependUOffsetTSlot(fieldChildren, children, 0)
	return b.EndObject()
}

func (f *arrowField) buildType(b *flatbuffers.Builder) flatbuffers.UOffsetT {
	var zone flatbuffers.UOffsetT
	if f.kind == arrowTimestamp {
		zone = b.CreateString(arrowUTC)
	}
	b.StartObject(maxTypeSlots)
	switch f.kind {
	case arrowInt:
		b.PrependInt32Slot(intBits, f.bits, 0)
		b.PrependBoolSlot(intSigned, true, false)
	case arrowTimestamp:
		b.PrependInt16Slot(timestampIn, arrowMillisecond, 0)
		b.PrependUOffsetTSlot(timestampOf, zone, 0)
	}
	return b.EndObject()
}

// checkArrowSchema refuses a Schema table that does not begin with our fields. What is declared nullable is of no interest: values say.
func checkArrowSchema(schema flatTable) error {
	if schema.int16(schemaEndianness) != 0 {
		return ondisk.Corruptf("the Arrow schema is of big-endian numbers")
	}
	return checkArrowFields(schema, schemaFields, arrowFields, "")
}

func checkArrowFields(parent flatTable, slot int, want []arrowField, path string) error {
	got := parent.vector(slot)
	if got.length < len(want) {
		return ondisk.Corruptf("%d fields in the Arrow schema under %q, want %d", got.length, path, len(want))
	}
	for i := range want {
		f := got.table(i)
		name := path + want[i].name
		if text := f.bytes(fieldName); string(text) != want[i].name {
			return ondisk.Corruptf("field %d of the Arrow schema is %.80q, want %s", i, path+string(text), name)
		}
		if !want[i].isOf(f) {
			return ondisk.Corruptf("field %s of the Arrow schema is of another type", name)
		}
		if err := checkArrowFields(f, fieldChildren, want[i].children, name+"."); err != nil {
			return err
		}
	}
	return nil
}

// isOf says whether a Field table is of f's type.
func (f *arrowField) isOf(t flatTable) bool {
	if t.byte(fieldTypeKind) != f.kind {
		return false
	}
	params := t.table(fieldType)
	switch f.kind {
	case arrowInt:
		return params.int32(intBits) == f.bits && params.byte(intSigned) == 1
	case arrowTimestamp:
		return params.int16(timestampIn) == arrowMillisecond && string(params.bytes(timestampOf)) == arrowUTC
	}
	return true
}
