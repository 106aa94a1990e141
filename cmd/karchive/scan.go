package main

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/karchive/karchive/format"
)

// errEnough ends a scan early, and well.
var errEnough = errors.New("enough")

// scan calls do with the records of partitions, one row group while the next is decoded, which takes about as long as most of what is done
// with them.
func scan(ctx context.Context, a *format.Archive, partitions []format.TopicPartition, w format.Window, do func(format.TopicPartition, []format.Record) error) error {
	for _, tp := range partitions {
		err := scanPartition(ctx, a.Cursor(tp, w), func(records []format.Record) error { return do(tp, records) })
		if err == errEnough {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func scanPartition(ctx context.Context, c *format.Cursor, do func([]format.Record) error) error {
	defer c.Close()
	both, ctx := errgroup.WithContext(ctx)
	groups := make(chan []format.Record)
	both.Go(func() error {
		defer close(groups)
		return decode(ctx, c, groups)
	})
	both.Go(func() error {
		for records := range groups {
			if err := do(records); err != nil {
				return err
			}
		}
		return nil
	})
	return both.Wait()
}

func decode(ctx context.Context, c *format.Cursor, to chan<- []format.Record) error {
	for {
		records, err := c.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case to <- records:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
