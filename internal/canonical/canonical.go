// Package canonical reads the canonical bytes of records, which format.AppendCanonical writes and SPEC.md describes, for those who keep
// records in temporary files.
package canonical

import (
	"encoding/binary"
	"errors"

	"github.com/karchive/karchive/format"
)

// ErrDamaged is the error for bytes that are not the canonical bytes of a record.
var ErrDamaged = errors.New("not the canonical bytes of a record")

// fixedBytes is what lies before the payloads: offset, timestamp, type and epoch.
const fixedBytes = 8 + 8 + 1 + 4

// Payloads is the part of a record's canonical bytes that holds key, value and headers.
func Payloads(b []byte) []byte { return b[min(fixedBytes, len(b)):] }

// Decode reads the record that b is the canonical bytes of. The record points into b.
func Decode(b []byte) (format.Record, error) {
	r, rest, err := Next(b)
	if err == nil && len(rest) > 0 {
		err = ErrDamaged
	}
	return r, err
}

// Next reads the record at the front of b and returns what follows it. The record points into b.
func Next(b []byte) (r format.Record, rest []byte, err error) {
	if len(b) < fixedBytes {
		return r, nil, ErrDamaged
	}
	le := binary.LittleEndian
	r.Offset, r.TimestampMs = int64(le.Uint64(b)), int64(le.Uint64(b[8:]))
	r.TimestampType, r.LeaderEpoch = format.TimestampType(b[16]), int32(le.Uint32(b[17:]))
	p := payloads{rest: b[fixedBytes:]}
	r.Key, r.Value = p.next(), p.next()
	if n := p.count(); n > 0 {
		r.Headers = make([]format.Header, n)
		for i := range r.Headers {
			r.Headers[i] = format.Header{Key: string(p.next()), Value: p.next()}
		}
	}
	if p.short {
		return r, nil, ErrDamaged
	}
	return r, p.rest, nil
}

// payloads takes lengths and bytes off the front of rest.
type payloads struct {
	rest  []byte
	short bool // rest ended too early
}

// headerBytes is the least that a header takes: two lengths.
const headerBytes = 4 + 4

func (p *payloads) count() int {
	n, ok := p.u32()
	if int64(n)*headerBytes > int64(len(p.rest)) {
		p.short, ok = true, false
	}
	if !ok {
		return 0
	}
	return int(n)
}

// next is nil for null, and not for empty.
func (p *payloads) next() []byte {
	u, ok := p.u32()
	n := int32(u)
	switch {
	case !ok || n == -1:
		return nil
	case n < 0 || int(n) > len(p.rest):
		p.short = true
		return nil
	}
	out := p.rest[:n:n]
	p.rest = p.rest[n:]
	return out
}

func (p *payloads) u32() (uint32, bool) {
	if len(p.rest) < 4 {
		p.short = true
		return 0, false
	}
	n := binary.LittleEndian.Uint32(p.rest)
	p.rest = p.rest[4:]
	return n, true
}
