//go:build unix

package main

import (
	"errors"
	"sync/atomic"
	"testing"
)

func TestSpreadDoesEverythingOnce(t *testing.T) {
	var done [100]atomic.Int32
	err := spread(3, len(done), func(worker, i int) error {
		if worker < 0 || worker > 2 {
			t.Errorf("worker %d of 3", worker)
		}
		done[i].Add(1)
		return nil
	})
	for i := range done {
		if n := done[i].Load(); n != 1 || err != nil {
			t.Errorf("%d was done %d times, want once; %v", i, n, err)
		}
	}
	if err := spread(3, 100, func(int, int) error { return errors.New("broken") }); err == nil {
		t.Error("an error of the work was lost")
	}
}
