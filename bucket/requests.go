package bucket

import (
	"fmt"
	"sync/atomic"

	"github.com/karchive/karchive/internal/units"
)

// Requests counts what was asked of a store. Requests that were tried again count as often as they were made; those that a vendor's client
// repeats by itself count once.
type Requests struct {
	Get      int64 `json:"get"`    // ranges and whole objects that were read
	Head     int64 `json:"head"`   // questions about an object
	List     int64 `json:"list"`   // pages of lists
	Put      int64 `json:"put"`    // uploads, whatever their parts
	Delete   int64 `json:"delete"` // objects that were removed
	Again    int64 `json:"again"`  // of all these, those that repeat one that failed
	Received int64 `json:"received_bytes"`
	Sent     int64 `json:"sent_bytes"` // of uploads, also of those that failed
}

// Plus adds up.
func (r Requests) Plus(o Requests) Requests {
	return Requests{r.Get + o.Get, r.Head + o.Head, r.List + o.List, r.Put + o.Put, r.Delete + o.Delete, r.Again + o.Again, r.Received + o.Received, r.Sent + o.Sent}
}

// Total is the number of requests of all kinds.
func (r Requests) Total() int64 { return r.Get + r.Head + r.List + r.Put + r.Delete }

// String is a line for people, with the kinds that there are.
func (r Requests) String() string {
	s := units.Of(r.Total(), "request")
	sep := ": "
	for _, kind := range []struct {
		n    int64
		name string
	}{{r.Get, "GET"}, {r.Head, "HEAD"}, {r.List, "LIST"}, {r.Put, "PUT"}, {r.Delete, "DELETE"}} {
		if kind.n > 0 {
			s += fmt.Sprintf("%s%d %s", sep, kind.n, kind.name)
			sep = ", "
		}
	}
	if r.Again > 0 {
		s += fmt.Sprintf("; %d of them again", r.Again)
	}
	return s
}

// counters are Requests as they are counted.
type counters struct {
	get, head, list, put, remove, again, received, sent atomic.Int64
}

// Requests is what was asked so far.
func (s *Store) Requests() Requests {
	c := &s.counters
	return Requests{
		Get: c.get.Load(), Head: c.head.Load(), List: c.list.Load(), Put: c.put.Load(), Delete: c.remove.Load(),
		Again: c.again.Load(), Received: c.received.Load(), Sent: c.sent.Load(),
	}
}
