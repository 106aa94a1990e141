package format

import (
	"encoding/binary"
	"io"
)

// arrowTail is what an Arrow file ends with: the length of the footer, then the magic.
const arrowTail = 4 + len(arrowMagic)

// openArrow reads the footer of an Arrow file and the message of its last record batch, whose custom metadata it returns.
func openArrow(r io.ReaderAt, size int64) (map[string][]byte, decoder, error) {
	blocks, err := readArrowFooter(r, size)
	if err != nil {
		return nil, nil, err
	}
	if len(blocks) == 0 {
		return nil, nil, nil
	}
	groups, last := blocks[:len(blocks)-1], blocks[len(blocks)-1]
	message, err := readMessage(r, last)
	if err != nil {
		return nil, nil, err
	}
	kv, err := keyValues(message.vector(messageMetadata))
	return kv, &arrowDecoder{source: r, blocks: groups}, err
}

// keyValues reads ours of a vector of KeyValue tables.
func keyValues(v flatVector) (map[string][]byte, error) {
	kv := map[string][]byte{}
	for i := range v.length {
		entry := v.table(i)
		switch key := entry.bytes(keyValueKey); string(key) {
		case documentKey, documentDigestKey:
			if _, twice := kv[string(key)]; twice {
				return nil, corruptf("metadata key %s is there twice", key)
			}
			kv[string(key)] = entry.bytes(keyValueValue)
		}
	}
	return kv, nil
}

// readArrowFooter returns where the record batches of a file of size bytes stand.
func readArrowFooter(r io.ReaderAt, size int64) ([]arrowBlock, error) {
	var tail [arrowTail]byte
	if size < int64(arrowTail) {
		return nil, corruptf("%d bytes are too few for a segment", size)
	}
	if err := readFull(r, tail[:], size-int64(arrowTail)); err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(tail[:4]))
	end := size - int64(arrowTail) - n
	if n > maxFooterBytes || end < int64(len(arrowMagic)) {
		return nil, corruptf("footer of %d bytes in a file of %d", n, size)
	}
	b := make([]byte, n)
	if err := readFull(r, b, end); err != nil {
		return nil, err
	}
	footer := flatRoot(b)
	if v := footer.int16(footerVersion); v != arrowV4 && v != arrowV5 {
		return nil, corruptf("Arrow metadata version %d", v+1)
	}
	if err := checkArrowSchema(footer.table(footerSchema)); err != nil {
		return nil, err
	}
	return arrowBlocks(footer.vector(footerBatches), end)
}

// arrowBlocks reads the blocks of a footer that begins at offset end of the file.
func arrowBlocks(v flatVector, end int64) ([]arrowBlock, error) {
	if v.length > len(v.bytes)/blockSize {
		return nil, corruptf("%d record batches in a footer of %d bytes", v.length, len(v.bytes))
	}
	blocks := make([]arrowBlock, v.length)
	for i := range blocks {
		s := v.structAt(i, blockSize)
		b := arrowBlock{
			offset: int64(binary.LittleEndian.Uint64(s)), message: int32(binary.LittleEndian.Uint32(s[8:])),
			body: int64(binary.LittleEndian.Uint64(s[16:])),
		}
		if b.offset < int64(len(arrowMagic)) || b.offset > end || b.message < arrowPrefix || int64(b.message) > end-b.offset ||
			b.body < 0 || b.body > end-b.offset-int64(b.message) {
			return nil, corruptf("record batch %d is said to be %d and %d bytes at %d of %d", i, b.message, b.body, b.offset, end)
		}
		blocks[i] = b
	}
	return blocks, nil
}

// readMessage reads the message of a record batch.
func readMessage(r io.ReaderAt, block arrowBlock) (flatTable, error) {
	if int64(block.message) > maxFooterBytes {
		return flatTable{}, corruptf("message of %d bytes", block.message)
	}
	b := make([]byte, block.message)
	if err := readFull(r, b, block.offset); err != nil {
		return flatTable{}, err
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if binary.LittleEndian.Uint32(b) != arrowContinuation || int64(n) > int64(len(b)-arrowPrefix) {
		return flatTable{}, corruptf("no message at %d", block.offset)
	}
	m := flatRoot(b[arrowPrefix : arrowPrefix+n])
	if v := m.int16(messageVersion); v != arrowV4 && v != arrowV5 {
		return flatTable{}, corruptf("Arrow metadata version %d", v+1)
	}
	if kind := m.byte(messageHeaderKind); kind != headerRecordBatch {
		return flatTable{}, corruptf("the message at %d is of kind %d, not a record batch", block.offset, kind)
	}
	return m, nil
}

// readBatch reads what the message of a record batch says.
func readBatch(r io.ReaderAt, block arrowBlock) (*arrowBatch, error) {
	m, err := readMessage(r, block)
	if err != nil {
		return nil, err
	}
	header := m.table(messageHeader)
	batch := &arrowBatch{rows: header.int64(batchLength), body: block.body}
	if header.has(batchCompression) {
		c := header.table(batchCompression)
		if codec, method := c.byte(compressionCodec), c.byte(compressionMethod); codec != codecZstd || method != 0 {
			return nil, corruptf("compression %d by method %d is not zstd", codec, method)
		}
		batch.compressed = true
	}
	if batch.nodes, err = readPairs(header.vector(batchNodes), arrowNodes); err != nil {
		return nil, err
	}
	batch.buffers, err = readPairs(header.vector(batchBuffers), arrowBuffers)
	return batch, err
}

// readPairs reads the first n of a vector of pairs.
func readPairs(v flatVector, n int) ([]pair, error) {
	if v.length < n {
		return nil, corruptf("record batch with %d of %d nodes or buffers", v.length, n)
	}
	pairs := make([]pair, n)
	for i := range pairs {
		s := v.structAt(i, pairSize)
		pairs[i] = pair{int64(binary.LittleEndian.Uint64(s)), int64(binary.LittleEndian.Uint64(s[8:]))}
	}
	return pairs, nil
}
