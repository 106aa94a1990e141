package format_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
)

// An archive is written and read with this package alone, without Kafka.
func Example() {
	dir, err := os.MkdirTemp("", "karchive")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	dir = filepath.Join(dir, "run1")

	s, d, err := write(dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("sealed %s: %d records\n", s.Path, d.Records)
	if err := read(dir); err != nil {
		log.Fatal(err)
	}
	// Output:
	// sealed data/topic=orders/partition=0/00000000000000001200.parquet: 2 records
	// orders-0 covers 1200 to 1205: 2 records, 1 marker, 2 absent
	// 1200 order-1 "created" {"type":"new"}
	// 1203 order-1 "" a tombstone
}

func write(dir string) (s format.Segment, d *format.Document, err error) {
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return s, nil, err
	}
	a, err := format.Create(fsys, format.Identity{Topics: []origin.Topic{{Name: "orders", Partitions: 1}}})
	if err != nil {
		return s, nil, err
	}
	defer a.Close()

	p, err := a.NewSegment(format.WriterOptions{Topic: "orders", Partition: 0, Base: 1200})
	if err != nil {
		return s, nil, err
	}
	defer p.Discard() // does nothing after Seal
	for _, r := range []format.Record{
		{
			Offset: 1200, TimestampMs: 1700000000000, LeaderEpoch: format.NoLeaderEpoch,
			Key: []byte("order-1"), Value: []byte(`{"type":"new"}`), Headers: []format.Header{{Key: "event", Value: []byte("created")}},
		},
		{Offset: 1203, TimestampMs: 1700000000500, LeaderEpoch: format.NoLeaderEpoch, Key: []byte("order-1")},
	} {
		if err := p.Write(&r); err != nil {
			return s, nil, err
		}
	}
	if err := p.Skip(1204, format.NoLeaderEpoch, ledger.Control); err != nil {
		return s, nil, err
	}
	return p.Seal(1205)
}

func read(dir string) error {
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return err
	}
	a, err := format.Open(fsys)
	if err != nil {
		return err
	}
	for _, tp := range a.Partitions() {
		c, err := a.Coverage(tp)
		if err != nil {
			return err
		}
		fmt.Printf("%s covers %d to %d: %d records, %d marker, %d absent\n", tp, c.From, c.Next, c.Records, c.Ledger.Control, c.Ledger.Absent)
	}
	return printRecords(a, format.Selection{})
}

func printRecords(a *format.Archive, s format.Selection) error {
	for r, err := range a.Records(context.Background(), s) {
		if err != nil {
			return err
		}
		event, value := "", "a tombstone"
		if len(r.Headers) > 0 {
			event = string(r.Headers[0].Value)
		}
		if r.Value != nil {
			value = string(r.Value)
		}
		fmt.Printf("%d %s %q %s\n", r.Offset, r.Key, event, value)
	}
	return nil
}

// A window of time reads the footers and the row groups that overlap it, and nothing else.
func ExampleArchive_Records() {
	fsys, done := exampleArchive()
	defer done()
	a, err := format.Open(fsys)
	if err != nil {
		log.Fatal(err)
	}
	window := format.Selection{From: time.UnixMilli(1700000000300), Until: time.UnixMilli(1700000000600)}
	if err := printRecords(a, window); err != nil {
		log.Fatal(err)
	}
	// Output: 1203 order-1 "" a tombstone
}

// Verify reports every file, the right ones too.
func ExampleVerify() {
	fsys, done := exampleArchive()
	defer done()
	err := format.Verify(fsys, format.VerifyOptions{Deep: true}, func(c format.FileCheck) error {
		fmt.Println(c.Path, "problems:", len(c.Problems))
		for _, p := range c.Problems {
			fmt.Println(" ", p)
		}
		return nil // an error ends it
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// karchive.json problems: 0
	// SHA256SUMS problems: 0
	// data/topic=orders/partition=0/00000000000000001200.parquet problems: 0
}

// exampleArchive is the archive of the first example.
func exampleArchive() (fsys storage.FS, done func()) {
	dir, err := os.MkdirTemp("", "karchive")
	if err != nil {
		log.Fatal(err)
	}
	if _, _, err = write(dir); err == nil {
		fsys, err = storage.DirFS(dir)
	}
	if err != nil {
		log.Fatal(err)
	}
	return fsys, func() { os.RemoveAll(dir) }
}
