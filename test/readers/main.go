package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: readers DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "readers:", err)
		os.Exit(1)
	}
}

// kind is how an archive is written.
type kind struct {
	encoding    format.Encoding
	compression format.Compression
}

// kinds are the archives that run writes.
var kinds = map[string]kind{
	"torture":            {encoding: format.Parquet},
	"torture-none":       {encoding: format.Parquet, compression: format.NoCompression},
	"torture-arrow":      {encoding: format.Arrow},
	"torture-arrow-none": {encoding: format.Arrow, compression: format.NoCompression},
}

func run(dir string) error {
	for name, k := range kinds {
		root := filepath.Join(dir, name)
		if err := os.MkdirAll(root, 0o755); err != nil {
			return err
		}
		segments := tortureSegments()
		if err := writeArchive(root, k, segments); err != nil {
			return err
		}
		if err := writeExpected(root+".expected.jsonl", segments); err != nil {
			return err
		}
	}
	return nil
}

func writeArchive(root string, k kind, segments []segment) (err error) {
	fsys, err := storage.DirFS(root)
	if err != nil {
		return err
	}
	archive, err := format.Create(fsys, format.Identity{Encoding: k.encoding, ClusterID: source.ClusterID})
	if err != nil {
		return err
	}
	defer func() {
		if e := archive.Close(); err == nil {
			err = e
		}
	}()
	for _, s := range segments {
		if err := writeSegment(archive, k, s); err != nil {
			return fmt.Errorf("%s/%d: %w", s.topic, s.partition, err)
		}
	}
	return nil
}

func writeSegment(archive *format.Archive, k kind, s segment) error {
	pending, err := archive.NewSegment(format.WriterOptions{Topic: s.topic, Partition: s.partition, Base: s.base, Source: source, Compression: k.compression})
	if err != nil {
		return err
	}
	for i := range s.records {
		if err := pending.Write(&s.records[i]); err != nil {
			return err
		}
	}
	_, _, err = pending.Seal(s.next)
	return err
}

// expected is a line of the expected contents: bytes are base64, null is null.
type expected struct {
	Topic         string      `json:"topic"`
	Partition     int32       `json:"partition"`
	Offset        int64       `json:"offset"`
	Timestamp     int64       `json:"timestamp"`
	TimestampType int8        `json:"timestamp_type"`
	LeaderEpoch   int32       `json:"leader_epoch"`
	Key           []byte      `json:"key"`
	Value         []byte      `json:"value"`
	Headers       [][2][]byte `json:"headers"`
}

func writeExpected(name string, segments []segment) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	out := json.NewEncoder(f)
	for _, s := range segments {
		for _, r := range s.records {
			line := expected{Topic: s.topic, Partition: s.partition, Offset: r.Offset, Timestamp: r.TimestampMs,
				TimestampType: int8(r.TimestampType), LeaderEpoch: r.LeaderEpoch, Key: r.Key, Value: r.Value, Headers: [][2][]byte{}}
			for _, h := range r.Headers {
				line.Headers = append(line.Headers, [2][]byte{[]byte(h.Key), h.Value})
			}
			if err := out.Encode(line); err != nil {
				return err
			}
		}
	}
	return f.Close()
}
