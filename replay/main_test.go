package replay_test

import (
	"os"
	"sync"
	"testing"
)

// jobs are done by a goroutine that belongs to no bubble of virtual time.
var jobs = make(chan func())

func TestMain(m *testing.M) {
	go func() {
		for do := range jobs {
			go do()
		}
	}()
	os.Exit(m.Run())
}

// outside does something outside the bubble that it is called in, if it is in one: what compresses is kept for all, and made in a bubble
// it could not be used elsewhere.
func outside(do func()) {
	var done sync.Mutex
	done.Lock()
	jobs <- func() {
		defer done.Unlock()
		do()
	}
	done.Lock()
}
