package imports

import (
	"encoding/binary"
	"errors"

	"github.com/karchive/karchive/format"
)

var errSpool = errors.New("the temporary file is damaged")

// fixedBytes is what of a record's canonical bytes lies before its payloads: offset, timestamp, type and epoch.
const fixedBytes = 8 + 8 + 1 + 4

// payloadsOf is the part of canonical bytes that holds key, value and headers.
func payloadsOf(canonical []byte) []byte { return canonical[min(fixedBytes, len(canonical)):] }

// decodeCanonical reads what format.AppendCanonical made. The record points into b.
func decodeCanonical(b []byte) (r format.Record, err error) {
	if len(b) < fixedBytes {
		return r, errSpool
	}
	le := binary.LittleEndian
	r.Offset, r.TimestampMs = int64(le.Uint64(b)), int64(le.Uint64(b[8:]))
	r.TimestampType, r.LeaderEpoch = format.TimestampType(b[16]), int32(le.Uint32(b[17:]))
	d := payloads{rest: b[fixedBytes:]}
	r.Key, r.Value = d.next(), d.next()
	for range d.count() {
		r.Headers = append(r.Headers, format.Header{Key: string(d.next()), Value: d.next()})
	}
	if d.short || len(d.rest) > 0 {
		return r, errSpool
	}
	return r, nil
}

// payloads takes lengths and bytes off the front of rest.
type payloads struct {
	rest  []byte
	short bool // rest ended too early
}

func (d *payloads) count() uint32 {
	if len(d.rest) < 4 {
		d.short = true
		return 0
	}
	n := binary.LittleEndian.Uint32(d.rest)
	d.rest = d.rest[4:]
	if int64(n) > int64(len(d.rest)) { // a header takes more than a byte
		d.short = true
		return 0
	}
	return n
}

func (d *payloads) next() []byte {
	if len(d.rest) < 4 {
		d.short = true
		return nil
	}
	n := int32(binary.LittleEndian.Uint32(d.rest))
	d.rest = d.rest[4:]
	if n == -1 {
		return nil
	}
	if n < 0 || int(n) > len(d.rest) {
		d.short = true
		return nil
	}
	out := d.rest[:n:n]
	d.rest = d.rest[n:]
	return out
}
