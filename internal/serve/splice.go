package serve

import (
	"bytes"
	"encoding/binary"
)

// body is the batches of one partition in an answer.
type body struct {
	batches [][]byte
	size    int // of all of them
}

// standInBytes is how long that is what stands for a body: random, so that nothing else has it, and so short that its length is one byte in
// flexible versions.
const standInBytes = 16

// splice makes parts of a frame, with the bodies where what stands for them is. So batches go out from where they are held, and are not copied.
func splice(frame, standIn []byte, bodies []body, flexible bool) (parts [][]byte) {
	rest, size := frame, len(frame)
	for _, b := range bodies {
		at := bytes.Index(rest, standIn)
		before, length := at-4, binary.BigEndian.AppendUint32(nil, uint32(b.size))
		if flexible {
			before, length = at-1, binary.AppendUvarint(nil, uint64(b.size)+1)
		}
		parts = append(append(parts, rest[:before], length), b.batches...)
		size += len(length) - (at - before) + b.size - len(standIn)
		rest = rest[at+len(standIn):]
	}
	binary.BigEndian.PutUint32(frame, uint32(size-4))
	return append(parts, rest)
}
