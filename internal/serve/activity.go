package serve

import (
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// activity is what clients do. It is safe for concurrent use.
type activity struct {
	mu     sync.Mutex
	begun  bool
	last   time.Time
	open   int           // connections
	change chan struct{} // closed when anything changes
}

func newActivity() *activity { return &activity{change: make(chan struct{})} }

func (a *activity) update(do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	do()
	close(a.change)
	a.change = make(chan struct{})
}

func (a *activity) opened() {
	a.update(func() { a.begun, a.last, a.open = true, time.Now(), a.open+1 })
}

func (a *activity) closed() { a.update(func() { a.open-- }) }

// note says that a client was given or has given records.
func (a *activity) note() { a.update(func() { a.last = time.Now() }) }

// delivered says that a client may have been given the last records.
func (a *activity) delivered() { a.update(func() {}) }

// request counts what a client asks. That it is still there does not count.
func (a *activity) request(key kmsg.Key) {
	switch key {
	case kmsg.Produce, kmsg.OffsetCommit, kmsg.TxnOffsetCommit, kmsg.CreateTopics, kmsg.ListOffsets:
		a.note()
	}
}

func (a *activity) look() (begun bool, last time.Time, open int, change <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.begun, a.last, a.open, a.change
}
