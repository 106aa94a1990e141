package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"testing"
	"time"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
)

func TestWhatWasNotReadIsNotDamaged(t *testing.T) {
	e := &env{stdin: nil, stderr: io.Discard, now: time.Now}
	for name, c := range map[string]struct {
		problem   error
		interrupt bool
		want      error // nil: the file is bad
	}{
		"interrupted":        {&fs.PathError{Op: "read", Path: "a.parquet", Err: errInterrupted}, true, errInterrupted},
		"no answer":          {&fs.PathError{Op: "read", Path: "a.parquet", Err: &bucket.GaveUpError{For: time.Minute, Err: io.ErrUnexpectedEOF}}, false, io.ErrUnexpectedEOF},
		"damaged":            {format.ErrCorrupt, false, nil},
		"the disk says no":   {fs.ErrPermission, false, nil},
		"damaged, and ended": {format.ErrCorrupt, true, errInterrupted},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		v := &verification{}
		err := v.check(ctx, e, nil, func(report func(format.FileCheck) error) error {
			if c.interrupt {
				cancel(errInterrupted)
			}
			return report(format.FileCheck{Path: "a.parquet", Problems: []error{c.problem}})
		})
		if !errors.Is(err, c.want) || (len(v.Bad) > 0) != (c.want == nil) {
			t.Errorf("%s: got %v and bad files %v, want %v", name, err, v.Bad, c.want)
		}
		cancel(nil)
	}
}
