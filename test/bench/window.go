//go:build unix

package main

import (
	"context"
	"io"
	"math"
	"sync/atomic"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/scan"
)

// readWindow walks one hundredth of the time of an archive and counts the bytes that are read for it. Arguments: archive.
func readWindow(_ context.Context, args []string) (usage, error) {
	fsys, err := storage.DirFS(args[0])
	if err != nil {
		return usage{}, err
	}
	counting := &countingFS{FS: fsys}
	watch := startWatch()
	archive, err := format.Open(counting)
	if err != nil {
		return usage{}, err
	}
	defer archive.Close()
	u, err := walkWindow(archive)
	if err != nil {
		return usage{}, err
	}
	took := watch.stop()
	u.Wall, u.CPU, u.Out = took.Wall, took.CPU, counting.read.Load()
	return u, nil
}

func walkWindow(archive *format.Archive) (u usage, err error) {
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	for _, tp := range archive.Partitions() {
		c, err := archive.Coverage(tp)
		if err != nil {
			return u, err
		}
		low, high = min(low, c.MinTimestampMs), max(high, c.MaxTimestampMs)
	}
	from := low + (high-low)/2
	until := from + (high-low)/100
	for _, tp := range archive.Partitions() {
		cursor := scan.NewCursor(archive, tp, format.Selection{From: time.UnixMilli(from), Until: time.UnixMilli(until)})
		for {
			records, err := cursor.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return u, err
			}
			u.Records += int64(len(records))
			for i := range records {
				u.Bytes += format.CanonicalSize(&records[i])
			}
		}
	}
	return u, nil
}

// countingFS counts the bytes read from files.
type countingFS struct {
	storage.FS
	read atomic.Int64
}

func (c *countingFS) Open(name string) (storage.ReadFile, error) {
	f, err := c.FS.Open(name)
	return &countingFile{f, c}, err
}

type countingFile struct {
	storage.ReadFile
	fs *countingFS
}

func (f *countingFile) ReadAt(b []byte, at int64) (int, error) {
	n, err := f.ReadFile.ReadAt(b, at)
	f.fs.read.Add(int64(n))
	return n, err
}
