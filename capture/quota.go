package capture

import (
	"sync/atomic"

	"github.com/karchive/karchive/format"
)

// quota ends a follow capture after a number of records or bytes, exactly. A nil quota never does. It is safe for concurrent use.
type quota struct {
	limit          StopAfter
	reached        func(reason StopReason)
	records, bytes atomic.Int64
}

func newQuota(limit StopAfter, reached func(StopReason)) *quota {
	if limit.Records == 0 && limit.Bytes == 0 {
		return nil
	}
	return &quota{limit: limit, reached: reached}
}

// take says whether r may still be captured.
func (q *quota) take(r *format.Record) bool {
	return q == nil || q.count(r)
}

func (q *quota) count(r *format.Record) bool {
	if n := q.records.Add(1); q.limit.Records > 0 && n >= q.limit.Records {
		q.reached(StoppedByRecords)
		if n > q.limit.Records {
			return false
		}
	}
	if q.limit.Bytes == 0 {
		return true
	}
	size := format.CanonicalSize(r)
	n := q.bytes.Add(size)
	if n >= q.limit.Bytes {
		q.reached(StoppedByBytes)
	}
	return n-size < q.limit.Bytes
}
