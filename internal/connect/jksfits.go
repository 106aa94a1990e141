package connect

import "encoding/binary"

// jksReader goes through a Java key store. After its end everything is zero, and bad is set.
type jksReader struct {
	rest []byte
	bad  bool
}

func (r *jksReader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.rest, r.bad = nil, true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *jksReader) u32() uint64 {
	if b := r.take(4); b != nil {
		return uint64(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *jksReader) text() {
	if b := r.take(2); b != nil {
		r.take(uint64(binary.BigEndian.Uint16(b)))
	}
}

func (r *jksReader) certificate(version uint64) {
	if version >= 2 {
		r.text() // its type
	}
	r.take(r.u32())
}

// jksFits says whether the lengths and counts in a Java key store are those of the bytes that it has: keystore-go takes memory by them.
func jksFits(data []byte) bool {
	const privateKey = 1
	r := &jksReader{rest: data}
	r.take(4) // the magic
	version, entries := r.u32(), r.u32()
	for ; entries > 0 && !r.bad; entries-- {
		kind := r.u32()
		r.text() // the alias
		r.take(8)
		if kind != privateKey {
			r.certificate(version)
			continue
		}
		r.take(r.u32())
		for chain := r.u32(); chain > 0 && !r.bad; chain-- {
			r.certificate(version)
		}
	}
	return !r.bad
}
