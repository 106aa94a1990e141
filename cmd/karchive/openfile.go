package main

import (
	"context"
	"io"
	"os"

	"github.com/karchive/karchive/internal/bucketurl"
)

// open opens a file to be read, or stdin for "-". A read that waits for a pipe ends with the context, too.
func (e *env) open(ctx context.Context, name string) (io.Reader, func() error, error) {
	if name == "-" {
		r, end := until(ctx, e.stdin)
		return r, end, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		r, end := until(ctx, f)
		return r, func() error {
			end()
			return f.Close()
		}, nil
	}
	return f, f.Close, nil
}

// checkInput refuses a file that is not there before anything else is done. A URL is none, and is not repeated.
func checkInput(name string) error {
	switch {
	case name == "-":
		return nil
	case bucketurl.Is(name):
		return &usageError{"a URL is given where a file belongs", "fetch what it leads to, and give the file, or - for stdin"}
	}
	_, err := os.Stat(name)
	return err
}

// until reads from r until the context ends.
func until(ctx context.Context, r io.Reader) (io.Reader, func() error) {
	out, in := io.Pipe()
	stop := context.AfterFunc(ctx, func() { in.CloseWithError(context.Cause(ctx)) })
	go func() {
		_, err := io.CopyBuffer(in, r, make([]byte, 1<<18))
		in.CloseWithError(err)
	}()
	return out, func() error {
		stop()
		return out.Close()
	}
}
