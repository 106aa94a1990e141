// Package arrowbytes reads and writes the parts of an Arrow IPC file that segments need byte by byte: footers, schemas and messages. It knows
// no record. Errors wrap ondisk.ErrCorrupt; bytes that are not a flatbuffer may also bring it to a panic, which is for the caller to catch.
package arrowbytes

import (
	"encoding/binary"
	"io"

	"github.com/karchive/karchive/internal/ondisk"
)

// tail is what an Arrow file ends with: the length of the footer, then the magic.
const tail = 4 + len(Magic)

// Metadata reads ours of the custom metadata of a record batch.
func Metadata(r io.ReaderAt, b Block) (map[string][]byte, error) {
	message, err := readMessage(r, b)
	if err != nil {
		return nil, err
	}
	return keyValues(message.vector(messageMetadata))
}

// keyValues reads ours of a vector of KeyValue tables.
func keyValues(v flatVector) (map[string][]byte, error) {
	kv := map[string][]byte{}
	for i := range v.length {
		entry := v.table(i)
		switch key := entry.bytes(keyValueKey); string(key) {
		case ondisk.DocumentKey, ondisk.DocumentDigestKey:
			if _, twice := kv[string(key)]; twice {
				return nil, ondisk.Corruptf("metadata key %s is there twice", key)
			}
			kv[string(key)] = entry.bytes(keyValueValue)
		}
	}
	return kv, nil
}

// ReadFooter returns where the record batches of a file of size bytes stand.
func ReadFooter(r io.ReaderAt, size int64) ([]Block, error) {
	var last [tail]byte
	if size < int64(tail) {
		return nil, ondisk.Corruptf("%d bytes are too few for a segment", size)
	}
	if err := ondisk.ReadFull(r, last[:], size-int64(tail)); err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(last[:4]))
	end := size - int64(tail) - n
	if n > ondisk.MaxFooterBytes || end < int64(len(Magic)) {
		return nil, ondisk.Corruptf("footer of %d bytes in a file of %d", n, size)
	}
	b := make([]byte, n)
	if err := ondisk.ReadFull(r, b, end); err != nil {
		return nil, err
	}
	footer := flatRoot(b)
	if v := footer.int16(footerVersion); v != arrowV4 && v != arrowV5 {
		return nil, ondisk.Corruptf("Arrow metadata version %d", v+1)
	}
	if err := checkArrowSchema(footer.table(footerSchema)); err != nil {
		return nil, err
	}
	return arrowBlocks(footer.vector(footerBatches), end)
}

// arrowBlocks reads the blocks of a footer that begins at offset end of the file.
func arrowBlocks(v flatVector, end int64) ([]Block, error) {
	if v.length > len(v.bytes)/blockSize {
		return nil, ondisk.Corruptf("%d record batches in a footer of %d bytes", v.length, len(v.bytes))
	}
	blocks := make([]Block, v.length)
	for i := range blocks {
		s := v.structAt(i, blockSize)
		b := Block{
			Offset: int64(binary.LittleEndian.Uint64(s)), Message: int32(binary.LittleEndian.Uint32(s[8:])),
			Body: int64(binary.LittleEndian.Uint64(s[16:])),
		}
		if b.Offset < int64(len(Magic)) || b.Offset > end || b.Message < arrowPrefix || int64(b.Message) > end-b.Offset ||
			b.Body < 0 || b.Body > end-b.Offset-int64(b.Message) {
			return nil, ondisk.Corruptf("record batch %d is said to be %d and %d bytes at %d of %d", i, b.Message, b.Body, b.Offset, end)
		}
		blocks[i] = b
	}
	return blocks, nil
}

// readMessage reads the message of a record batch.
func readMessage(r io.ReaderAt, block Block) (flatTable, error) {
	if int64(block.Message) > ondisk.MaxFooterBytes {
		return flatTable{}, ondisk.Corruptf("message of %d bytes", block.Message)
	}
	b := make([]byte, block.Message)
	if err := ondisk.ReadFull(r, b, block.Offset); err != nil {
		return flatTable{}, err
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if binary.LittleEndian.Uint32(b) != Continuation || int64(n) > int64(len(b)-arrowPrefix) {
		return flatTable{}, ondisk.Corruptf("no message at %d", block.Offset)
	}
	m := flatRoot(b[arrowPrefix : arrowPrefix+n])
	if v := m.int16(messageVersion); v != arrowV4 && v != arrowV5 {
		return flatTable{}, ondisk.Corruptf("Arrow metadata version %d", v+1)
	}
	if kind := m.byte(messageHeaderKind); kind != headerRecordBatch {
		return flatTable{}, ondisk.Corruptf("the message at %d is of kind %d, not a record batch", block.Offset, kind)
	}
	return m, nil
}

// ReadBatch reads what the message of a record batch says.
func ReadBatch(r io.ReaderAt, block Block) (*Batch, error) {
	m, err := readMessage(r, block)
	if err != nil {
		return nil, err
	}
	header := m.table(messageHeader)
	batch := &Batch{Rows: header.int64(batchLength), Body: block.Body}
	if header.has(batchCompression) {
		c := header.table(batchCompression)
		if codec, method := c.byte(compressionCodec), c.byte(compressionMethod); codec != codecZstd || method != 0 {
			return nil, ondisk.Corruptf("compression %d by method %d is not zstd", codec, method)
		}
		batch.Compressed = true
	}
	if batch.Nodes, err = readPairs(header.vector(batchNodes), arrowNodes); err != nil {
		return nil, err
	}
	batch.Buffers, err = readPairs(header.vector(batchBuffers), arrowBuffers)
	return batch, err
}

// readPairs reads the first n of a vector of pairs.
func readPairs(v flatVector, n int) ([]Pair, error) {
	if v.length < n {
		return nil, ondisk.Corruptf("record batch with %d of %d nodes or buffers", v.length, n)
	}
	pairs := make([]Pair, n)
	for i := range pairs {
		s := v.structAt(i, pairSize)
		pairs[i] = Pair{int64(binary.LittleEndian.Uint64(s)), int64(binary.LittleEndian.Uint64(s[8:]))}
	}
	return pairs, nil
}
