//go:build unix

package main

import (
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// spread does work 0 to n-1 on some goroutines, which it numbers, and returns when all of it is done or one failed.
func spread(goroutines, n int, work func(worker, i int) error) error {
	var g errgroup.Group
	var next atomic.Int64
	for worker := range goroutines {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := work(worker, i); err != nil {
					next.Store(int64(n))
					return err
				}
			}
		})
	}
	return g.Wait()
}
