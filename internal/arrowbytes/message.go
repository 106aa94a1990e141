package arrowbytes

import (
	"encoding/binary"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/karchive/karchive/internal/ondisk"
)

// Slots, numbers and sizes of Message.fbs and File.fbs in Arrow's format directory.
const (
	arrowV4 = 3 // of the enum MetadataVersion, whose values are one less than their names
	arrowV5 = 4

	messageVersion    = 0
	messageHeaderKind = 1
	messageHeader     = 2
	messageBodyLength = 3
	messageMetadata   = 4
	messageSlots      = 5

	headerSchema      = 1 // of the union MessageHeader
	headerRecordBatch = 3

	batchLength      = 0
	batchNodes       = 1
	batchBuffers     = 2
	batchCompression = 3
	batchSlots       = 5

	compressionCodec  = 0
	compressionMethod = 1
	compressionSlots  = 2
	codecZstd         = 1

	keyValueKey   = 0
	keyValueValue = 1
	keyValueSlots = 2

	footerVersion = 0
	footerSchema  = 1
	footerBatches = 3
	footerSlots   = 5

	pairSize  = 16 // FieldNode and Buffer
	blockSize = 24 // Block
)

// Magic ends a file, and with two zeros begins it.
const Magic = "ARROW1"

// Align is the alignment of buffers in a file, as Arrow recommends: a file without compression can be used where it is mapped.
const Align = 64

// arrowPrefix is what stands before a message: a mark, and the length of what follows up to the body.
const arrowPrefix = 8

// Continuation is the mark before a message.
const Continuation = 0xffffffff

// Padded rounds n up to a multiple of Align.
func Padded(n int) int { return (n + Align - 1) &^ (Align - 1) }

// Frame puts the prefix before a message and pads it so that what follows it is aligned, when the message itself stands at
// offset at of something that is.
func Frame(message []byte, at int) []byte {
	n := Padded(at+arrowPrefix+len(message)) - at
	out := make([]byte, n)
	binary.LittleEndian.PutUint32(out, Continuation)
	binary.LittleEndian.PutUint32(out[4:], uint32(n-arrowPrefix))
	copy(out[arrowPrefix:], message)
	return out
}

// Pair is a FieldNode, length and null count, or a Buffer, offset and length.
type Pair [2]int64

// Block is where a record batch stands in a file: its framed message from offset on, then its body.
type Block struct {
	Offset  int64
	Message int32
	Body    int64
}

// Batch is what the message of a record batch says.
type Batch struct {
	Rows       int64
	Compressed bool
	Nodes      []Pair
	Buffers    []Pair
	Body       int64  // bytes
	Document   []byte // custom metadata, with its digest; nil: none
}

// SchemaMessage is the Message with the schema.
func SchemaMessage() []byte {
	b := flatbuffers.NewBuilder(1 << 10)
	return finishMessage(b, headerSchema, buildArrowSchema(b), 0, 0)
}

// Message is the Message of the batch; with a document also that and its digest, as custom metadata.
func (a *Batch) Message() []byte {
	b := flatbuffers.NewBuilder(1<<10 + len(a.Document))
	var metadata flatbuffers.UOffsetT
	if a.Document != nil {
		digest := buildKeyValue(b, ondisk.DocumentDigestKey, []byte(ondisk.Digest(a.Document)))
		metadata = b.CreateVectorOfTables([]flatbuffers.UOffsetT{buildKeyValue(b, ondisk.DocumentKey, a.Document), digest})
	}
	buffers := buildPairs(b, a.Buffers)
	nodes := buildPairs(b, a.Nodes)
	var compression flatbuffers.UOffsetT
	if a.Compressed {
		b.StartObject(compressionSlots)
		b.PrependByteSlot(compressionCodec, codecZstd, 0)
		compression = b.EndObject()
	}
	b.StartObject(batchSlots)
	b.PrependInt64Slot(batchLength, a.Rows, 0)
	b.PrependUOffsetTSlot(batchNodes, nodes, 0)
	b.PrependUOffsetTSlot(batchBuffers, buffers, 0)
	b.PrependUOffsetTSlot(batchCompression, compression, 0)
	return finishMessage(b, headerRecordBatch, b.EndObject(), a.Body, metadata)
}

func finishMessage(b *flatbuffers.Builder, kind byte, header flatbuffers.UOffsetT, body int64, metadata flatbuffers.UOffsetT) []byte {
	b.StartObject(messageSlots)
	b.PrependInt64Slot(messageBodyLength, body, 0)
	b.PrependUOffsetTSlot(messageMetadata, metadata, 0)
	b.PrependUOffsetTSlot(messageHeader, header, 0)
	b.PrependInt16Slot(messageVersion, arrowV5, 0)
	b.PrependByteSlot(messageHeaderKind, kind, 0)
	b.Finish(b.EndObject())
	return b.FinishedBytes()
}

func buildKeyValue(b *flatbuffers.Builder, key string, value []byte) flatbuffers.UOffsetT {
	v := b.CreateByteString(value)
	k := b.CreateString(key)
	b.StartObject(keyValueSlots)
	b.PrependUOffsetTSlot(keyValueKey, k, 0)
	b.PrependUOffsetTSlot(keyValueValue, v, 0)
	return b.EndObject()
}

func buildPairs(b *flatbuffers.Builder, pairs []Pair) flatbuffers.UOffsetT {
	b.StartVector(pairSize, len(pairs), 8)
	for i := len(pairs) - 1; i >= 0; i-- {
		b.Prep(8, pairSize)
		b.PrependInt64(pairs[i][1])
		b.PrependInt64(pairs[i][0])
	}
	return b.EndVector(len(pairs))
}

// Footer is the Footer of a file with these record batches.
func Footer(blocks []Block) []byte {
	b := flatbuffers.NewBuilder(1<<10 + blockSize*len(blocks))
	b.StartVector(blockSize, len(blocks), 8)
	for i := len(blocks) - 1; i >= 0; i-- {
		b.Prep(8, blockSize)
		b.PrependInt64(blocks[i].Body)
		b.Pad(4)
		b.PrependInt32(blocks[i].Message)
		b.PrependInt64(blocks[i].Offset)
	}
	batches := b.EndVector(len(blocks))
	schema := buildArrowSchema(b)
	b.StartObject(footerSlots)
	b.PrependUOffsetTSlot(footerSchema, schema, 0)
	b.PrependUOffsetTSlot(footerBatches, batches, 0)
	b.PrependInt16Slot(footerVersion, arrowV5, 0)
	b.Finish(b.EndObject())
	return b.FinishedBytes()
}
