package format

import (
	"encoding/binary"

	flatbuffers "github.com/google/flatbuffers/go"
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

// arrowAlign is the alignment of buffers in a file, as Arrow recommends: a file without compression can be used where it is mapped.
const arrowAlign = 64

// arrowPrefix is what stands before a message: a mark, and the length of what follows up to the body.
const arrowPrefix = 8

const arrowContinuation = 0xffffffff

// padded rounds n up to a multiple of arrowAlign.
func padded(n int) int { return (n + arrowAlign - 1) &^ (arrowAlign - 1) }

// frameMessage puts the prefix before a message and pads it so that what follows it is aligned, when the message itself stands at
// offset at of something that is.
func frameMessage(message []byte, at int) []byte {
	n := padded(at+arrowPrefix+len(message)) - at
	out := make([]byte, n)
	binary.LittleEndian.PutUint32(out, arrowContinuation)
	binary.LittleEndian.PutUint32(out[4:], uint32(n-arrowPrefix))
	copy(out[arrowPrefix:], message)
	return out
}

// pair is a FieldNode, length and null count, or a Buffer, offset and length.
type pair [2]int64

// arrowBlock is where a record batch stands in a file: its framed message from offset on, then its body.
type arrowBlock struct {
	offset  int64
	message int32
	body    int64
}

// arrowBatch is what the message of a record batch says.
type arrowBatch struct {
	rows       int64
	compressed bool
	nodes      []pair
	buffers    []pair
	body       int64 // bytes
	document   []byte
}

// schemaMessage is the Message with the schema.
func schemaMessage() []byte {
	b := flatbuffers.NewBuilder(1 << 10)
	return finishMessage(b, headerSchema, buildArrowSchema(b), 0, 0)
}

// message is the Message of the batch; with a document also that and its digest, as custom metadata.
func (a *arrowBatch) message() []byte {
	b := flatbuffers.NewBuilder(1<<10 + len(a.document))
	var metadata flatbuffers.UOffsetT
	if a.document != nil {
		digest := buildKeyValue(b, documentDigestKey, []byte(Digest(a.document)))
		metadata = b.CreateVectorOfTables([]flatbuffers.UOffsetT{buildKeyValue(b, documentKey, a.document), digest})
	}
	buffers := buildPairs(b, a.buffers)
	nodes := buildPairs(b, a.nodes)
	var compression flatbuffers.UOffsetT
	if a.compressed {
		b.StartObject(compressionSlots)
		b.PrependByteSlot(compressionCodec, codecZstd, 0)
		compression = b.EndObject()
	}
	b.StartObject(batchSlots)
	b.PrependInt64Slot(batchLength, a.rows, 0)
	b.PrependUOffsetTSlot(batchNodes, nodes, 0)
	b.PrependUOffsetTSlot(batchBuffers, buffers, 0)
	b.PrependUOffsetTSlot(batchCompression, compression, 0)
	return finishMessage(b, headerRecordBatch, b.EndObject(), a.body, metadata)
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

func buildPairs(b *flatbuffers.Builder, pairs []pair) flatbuffers.UOffsetT {
	b.StartVector(pairSize, len(pairs), 8)
	for i := len(pairs) - 1; i >= 0; i-- {
		b.Prep(8, pairSize)
		b.PrependInt64(pairs[i][1])
		b.PrependInt64(pairs[i][0])
	}
	return b.EndVector(len(pairs))
}

// footerOf is the Footer of a file with these record batches.
func footerOf(blocks []arrowBlock) []byte {
	b := flatbuffers.NewBuilder(1<<10 + blockSize*len(blocks))
	b.StartVector(blockSize, len(blocks), 8)
	for i := len(blocks) - 1; i >= 0; i-- {
		b.Prep(8, blockSize)
		b.PrependInt64(blocks[i].body)
		b.Pad(4)
		b.PrependInt32(blocks[i].message)
		b.PrependInt64(blocks[i].offset)
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
