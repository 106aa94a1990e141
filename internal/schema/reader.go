package schema

import (
	"fmt"

	"github.com/karchive/karchive/format"
)

// Reader reads the payloads of records. It is for one goroutine. The zero value and nil read none.
type Reader struct {
	Set *Set

	key, value []byte
	failed     int64
	why        error
	where      string
}

// Read returns the documents of a record's key and value, which are valid until the next call; nil where a payload is by no schema, is null, or
// cannot be read, which Failed counts.
func (r *Reader) Read(topic string, record *format.Record) (key, value []byte) {
	if r == nil || r.Set == nil {
		return nil, nil
	}
	return r.read(&r.key, topic, Key, record.Key, record), r.read(&r.value, topic, Value, record.Value, record)
}

// Replace puts documents in the places of a record's payloads. They are valid until the next call.
func (r *Reader) Replace(topic string, record *format.Record) {
	key, value := r.Read(topic, record)
	Put(record, key, value)
}

// Put puts documents in the places of a record's payloads; nil leaves one as it is.
func Put(record *format.Record, key, value []byte) {
	if key != nil {
		record.Key = key
	}
	if value != nil {
		record.Value = value
	}
}

func (r *Reader) read(buffer *[]byte, topic string, part Part, b []byte, record *format.Record) []byte {
	p, ok, err := r.Set.Payload(topic, part, b, record.Headers)
	if !ok {
		return nil
	}
	if err == nil {
		*buffer, err = p.AppendJSON((*buffer)[:0])
		if err == nil {
			return *buffer
		}
	}
	if r.failed++; r.why == nil {
		r.why, r.where = err, fmt.Sprintf("the %s of %s offset %d", part, topic, record.Offset)
	}
	return nil
}

// Failed is how many payloads could not be read, and of the first why.
func (r *Reader) Failed() (n int64, where string, why error) { return r.failed, r.where, r.why }
