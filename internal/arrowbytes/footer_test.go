package arrowbytes

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/karchive/karchive/internal/ondisk"
)

const bodySize = 200 // of fileWith, in front of the footer

// fileWith is an Arrow file with this footer.
func fileWith(footer []byte) []byte {
	file := append(make([]byte, bodySize), footer...)
	return append(binary.LittleEndian.AppendUint32(file, uint32(len(footer))), Magic...)
}

// wantCorrupt checks that err says that the bytes are wrong, and how; an empty complaint means that they are right.
func wantCorrupt(t *testing.T, what string, err error, complaint string) {
	t.Helper()
	if complaint == "" && err != nil || complaint != "" && (!errors.Is(err, ondisk.ErrCorrupt) || !strings.Contains(err.Error(), complaint)) {
		t.Errorf("%s: got %v, want ErrCorrupt with %q", what, err, complaint)
	}
}

func readFile(file []byte) ([]Block, error) {
	return ReadFooter(bytes.NewReader(file), int64(len(file)))
}

func TestAFooterWhoseBlocksAreNotInTheFileIsRefused(t *testing.T) {
	for _, c := range []struct {
		what  string
		block Block
		want  string
	}{
		{"all of the file", Block{6, 8, bodySize - 14}, ""},
		{"nothing at the end", Block{bodySize - 8, 8, 0}, ""},
		{"in the magic", Block{5, 8, 0}, "is said to be"},
		{"before the file", Block{-8, 8, 0}, "is said to be"},
		{"behind the body", Block{bodySize + 1, 8, 0}, "is said to be"},
		{"a message without its prefix", Block{6, 7, 0}, "is said to be"},
		{"a message below nothing", Block{6, -1, 0}, "is said to be"},
		{"a message that is too long", Block{bodySize - 10, 11, 0}, "is said to be"},
		{"a body below nothing", Block{6, 8, -1}, "is said to be"},
		{"a body that is too long", Block{6, 8, bodySize - 13}, "is said to be"},
	} {
		blocks, err := readFile(fileWith(Footer([]Block{c.block})))
		wantCorrupt(t, c.what, err, c.want)
		if c.want == "" && !slices.Equal(blocks, []Block{c.block}) {
			t.Errorf("%s: got %v, want %v", c.what, blocks, c.block)
		}
	}
}

func TestAFooterThatIsNoneIsRefused(t *testing.T) {
	old := Footer(nil)
	table := flatRoot(old)
	old[int(table.Pos)+int(table.at(footerVersion))] = 2
	long := fileWith(Footer(nil))
	binary.LittleEndian.PutUint32(long[len(long)-tail:], uint32(len(long)-tail-len(Magic)+1))
	for _, c := range []struct {
		what string
		file []byte
		want string
	}{
		{"an old version", fileWith(old), "Arrow metadata version 3"},
		{"a footer that takes the magic's place", long, "footer of"},
		{"a magic and nothing else", []byte(Magic), "too few"},
	} {
		_, err := readFile(c.file)
		wantCorrupt(t, c.what, err, c.want)
	}
}

// schemaOf is a Schema table of these fields.
func schemaOf(endianness int16, fields []arrowField) flatTable {
	b := flatbuffers.NewBuilder(1 << 10)
	vector := buildArrowFields(b, fields)
	b.StartObject(schemaSlots)
	b.PrependInt16Slot(schemaEndianness, endianness, 0)
	b.PrependUOffsetTSlot(schemaFields, vector, 0)
	b.Finish(b.EndObject())
	return flatRoot(b.FinishedBytes())
}

func TestASchemaOfAnotherShapeIsRefused(t *testing.T) {
	with := func(i int, change func(f *arrowField)) []arrowField {
		fields := slices.Clone(arrowFields)
		change(&fields[i])
		return fields
	}
	for _, c := range []struct {
		what       string
		endianness int16
		fields     []arrowField
		want       string
	}{
		{"ours", 0, arrowFields, ""},
		{"more fields", 0, append(slices.Clone(arrowFields), arrowField{name: "more", kind: arrowBinary}), ""},
		{"big-endian", 1, arrowFields, "big-endian"},
		{"a field less", 0, arrowFields[:6], "6 fields"},
		{"another name", 0, with(0, func(f *arrowField) { f.name = "off" }), `field 0 of the Arrow schema is "off"`},
		{"another type", 0, with(4, func(f *arrowField) { f.kind = arrowUTF8 }), "field key of the Arrow schema is of another type"},
		{"other bits", 0, with(0, func(f *arrowField) { f.bits = 32 }), "field offset of the Arrow schema is of another type"},
		{"no elements", 0, with(6, func(f *arrowField) { f.children = nil }), `under "headers."`},
		{"another element", 0, with(6, func(f *arrowField) { f.children = []arrowField{{name: "element", kind: arrowList}} }), "headers.element"},
	} {
		wantCorrupt(t, c.what, checkArrowSchema(schemaOf(c.endianness, c.fields)), c.want)
	}
}

func TestAMessageThatIsNoRecordBatchIsRefused(t *testing.T) {
	good := Frame((&Batch{Nodes: make([]Pair, arrowNodes), Buffers: make([]Pair, arrowBuffers), Compressed: true}).Message(), 0)
	patched := func(change func(b []byte)) []byte {
		b := bytes.Clone(good)
		change(b)
		return b
	}
	message := func(b []byte) flatTable { return flatRoot(b[arrowPrefix:]) }
	for _, c := range []struct {
		what string
		file []byte
		want string
	}{
		{"nothing", good, ""},
		{"the mark", patched(func(b []byte) { b[0] = 0 }), "no message at 0"},
		{"the length", patched(func(b []byte) { binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-arrowPrefix+1)) }), "no message at 0"},
		{"the version", patched(func(b []byte) {
			m := message(b)
			m.Bytes[int(m.Pos)+int(m.at(messageVersion))] = 1
		}), "Arrow metadata version 2"},
		{"the codec", patched(func(b []byte) {
			m := message(b).table(messageHeader).table(batchCompression)
			m.Bytes[int(m.Pos)+int(m.at(compressionCodec))] = 7
		}), "compression 7"},
		{"the kind", Frame(SchemaMessage(), 0), "is of kind 1"},
		{"the nodes", Frame((&Batch{Nodes: make([]Pair, arrowNodes-1), Buffers: make([]Pair, arrowBuffers)}).Message(), 0), "9 of 10"},
		{"the buffers", Frame((&Batch{Nodes: make([]Pair, arrowNodes), Buffers: make([]Pair, arrowBuffers-1)}).Message(), 0), "22 of 23"},
	} {
		_, err := ReadBatch(bytes.NewReader(c.file), Block{Message: int32(len(c.file))})
		wantCorrupt(t, c.what, err, c.want)
	}
	_, err := ReadBatch(bytes.NewReader(nil), Block{Message: ondisk.MaxFooterBytes + 1})
	wantCorrupt(t, "a message over the limit", err, "message of 201326593 bytes")
}

func TestAKeyThatIsThereTwiceIsRefused(t *testing.T) {
	b := flatbuffers.NewBuilder(1 << 10)
	one, two := buildKeyValue(b, ondisk.DocumentKey, []byte("1")), buildKeyValue(b, ondisk.DocumentKey, []byte("2"))
	both := b.CreateVectorOfTables([]flatbuffers.UOffsetT{one, two})
	b.StartObject(batchSlots)
	file := Frame(finishMessage(b, headerRecordBatch, b.EndObject(), 0, both), 0)
	_, err := Metadata(bytes.NewReader(file), Block{Message: int32(len(file))})
	wantCorrupt(t, "two documents", err, "metadata key karchive is there twice")
}
