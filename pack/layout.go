package pack

import (
	"encoding/binary"
	"math"
)

// entry is a file of a zip: stored, so that its bytes stand in the packed file as they are.
type entry struct {
	name string // ASCII
	size int64
	crc  uint32
	at   int64 // where its local header begins
}

// The fixed fields of headers. A zip made by Unix at the first moment that its clock can tell, of files that their group may read.
const (
	localSignature     = 0x04034b50
	centralSignature   = 0x02014b50
	endSignature       = 0x06054b50
	end64Signature     = 0x06064b50
	locator64Signature = 0x07064b50

	version    = 20 // needed to read an entry
	version64  = 45 // the same, of one that is larger than 4 GiB or lies behind 4 GiB
	madeByUnix = 3 << 8
	dosDate    = 1<<5 | 1 // 1980-01-01
	mode       = 0o100640 << 16
	extra64    = 1 // the header id of the sizes in 64 bits

	localBytes = 30
	max32      = math.MaxUint32
	max16      = math.MaxUint16
)

// layout gives entries, which follow each other without a gap, their places, and returns where the last one ends.
func layout(entries []entry) (end int64) {
	for i := range entries {
		e := &entries[i]
		e.at = end
		end = e.data() + e.size
	}
	return end
}

func (e *entry) large() bool { return e.size >= max32 }

// data is where the bytes of the file begin.
func (e *entry) data() int64 {
	n := e.at + localBytes + int64(len(e.name))
	if e.large() {
		n += 20
	}
	return n
}

func (e *entry) needed() uint16 {
	if e.large() || e.at >= max32 {
		return version64
	}
	return version
}

// head appends what local and central headers share: from the version to the length of the name.
func (e *entry) head(b []byte, needed uint16) []byte {
	b = binary.LittleEndian.AppendUint16(b, needed)
	b = append(b, 0, 0, 0, 0, 0, 0) // flags, method, time
	b = binary.LittleEndian.AppendUint16(b, dosDate)
	b = binary.LittleEndian.AppendUint32(b, e.crc)
	size := uint32(min(e.size, max32))
	b = binary.LittleEndian.AppendUint32(b, size)
	b = binary.LittleEndian.AppendUint32(b, size)
	return binary.LittleEndian.AppendUint16(b, uint16(len(e.name)))
}

// local is the header in front of the file's bytes.
func (e *entry) local() []byte {
	needed, extra := uint16(version), []byte(nil)
	if e.large() {
		needed, extra = version64, extraField(e.size, e.size)
	}
	b := binary.LittleEndian.AppendUint32(nil, localSignature)
	b = e.head(b, needed)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(extra)))
	return append(append(b, e.name...), extra...)
}

// central is the header in the directory at the end of the zip.
func (e *entry) central(b []byte) []byte {
	var extra []byte
	switch {
	case e.large() && e.at >= max32:
		extra = extraField(e.size, e.size, e.at)
	case e.large():
		extra = extraField(e.size, e.size)
	case e.at >= max32:
		extra = extraField(e.at)
	}
	b = binary.LittleEndian.AppendUint32(b, centralSignature)
	b = binary.LittleEndian.AppendUint16(b, madeByUnix|e.needed())
	b = e.head(b, e.needed())
	b = binary.LittleEndian.AppendUint16(b, uint16(len(extra)))
	b = append(b, 0, 0, 0, 0, 0, 0) // comment, disk, internal attributes
	b = binary.LittleEndian.AppendUint32(b, mode)
	b = binary.LittleEndian.AppendUint32(b, uint32(min(e.at, max32)))
	return append(append(b, e.name...), extra...)
}

func extraField(values ...int64) []byte {
	b := binary.LittleEndian.AppendUint16(nil, extra64)
	b = binary.LittleEndian.AppendUint16(b, uint16(8*len(values)))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return b
}

// directory is what follows the last file, at the offset start.
func directory(entries []entry, start int64) []byte {
	var b []byte
	for i := range entries {
		b = entries[i].central(b)
	}
	size, n := int64(len(b)), int64(len(entries))
	if n >= max16 || size >= max32 || start >= max32 {
		b = end64(b, n, size, start)
	}
	count := uint16(min(n, max16))
	b = binary.LittleEndian.AppendUint32(b, endSignature)
	b = append(b, 0, 0, 0, 0) // disks
	b = binary.LittleEndian.AppendUint16(b, count)
	b = binary.LittleEndian.AppendUint16(b, count)
	b = binary.LittleEndian.AppendUint32(b, uint32(min(size, max32)))
	b = binary.LittleEndian.AppendUint32(b, uint32(min(start, max32)))
	return append(b, 0, 0) // comment
}

// end64 appends the end of the directory in 64 bits, and where it is.
func end64(b []byte, n, size, start int64) []byte {
	b = binary.LittleEndian.AppendUint32(b, end64Signature)
	b = binary.LittleEndian.AppendUint64(b, 44) // bytes that follow
	b = binary.LittleEndian.AppendUint16(b, madeByUnix|version64)
	b = binary.LittleEndian.AppendUint16(b, version64)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // disks
	for _, v := range []int64{n, n, size, start} {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	b = binary.LittleEndian.AppendUint32(b, locator64Signature)
	b = append(b, 0, 0, 0, 0) // disk
	b = binary.LittleEndian.AppendUint64(b, uint64(start+size))
	return binary.LittleEndian.AppendUint32(b, 1) // disks
}
