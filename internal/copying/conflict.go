package copying

import (
	"bytes"

	"github.com/karchive/karchive/format"
)

// same refuses records of two streams that are at the same offsets and differ. Both spans begin at the same offset.
func (u *union) same(a *stream, from span, b *stream, other span) error {
	for i := range min(len(from.records), len(other.records)) {
		if part := different(&from.records[i], &other.records[i]); part != "" {
			return &ConflictError{u.tp, from.records[i].Offset, [2]string{a.input.Name, b.input.Name}, part}
		}
	}
	return nil
}

// different names the first part in which two records differ; empty: none.
func different(a, b *format.Record) string {
	switch {
	case a.TimestampMs != b.TimestampMs:
		return "timestamp"
	case a.TimestampType != b.TimestampType:
		return "timestamp type"
	case a.LeaderEpoch != b.LeaderEpoch:
		return "leader epoch"
	case !samePayload(a.Key, b.Key):
		return "key"
	case !samePayload(a.Value, b.Value):
		return "value"
	case !sameHeaders(a.Headers, b.Headers):
		return "headers"
	}
	return ""
}

// samePayload tells null from empty.
func samePayload(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

func sameHeaders(a, b []format.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Key != b[i].Key || !samePayload(a[i].Value, b[i].Value) {
			return false
		}
	}
	return true
}
