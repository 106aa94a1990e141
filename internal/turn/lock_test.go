package turn

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestVirtualTimeGoesOnWhileOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Lock
		var all sync.WaitGroup
		var order []int
		for i := range 5 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Second) // which is when they ask
				l.Lock()
				defer l.Unlock()
				time.Sleep(time.Minute)
				order = append(order, i)
			})
		}
		all.Wait()
		if want := []int{0, 1, 2, 3, 4}; !slices.Equal(order, want) {
			t.Errorf("got turns %v, want %v", order, want)
		}
		if l.ask() != nil {
			t.Error("the lock is taken after all have given it back, want it free")
		}
	})
}

func TestOneAtATimeHoldsTheLock(t *testing.T) {
	var l Lock
	var all sync.WaitGroup
	n := 0
	for range 8 {
		all.Go(func() {
			for range 1000 {
				l.Lock()
				n++
				l.Unlock()
			}
		})
	}
	all.Wait()
	if n != 8000 {
		t.Errorf("got %d turns, want 8000", n)
	}
}

func TestToGiveBackWhatNobodyHoldsPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("got no panic")
		}
	}()
	new(Lock).Unlock()
}
