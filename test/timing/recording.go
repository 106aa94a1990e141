package main

import (
	"fmt"
	"os"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
)

// source is the topic of every recording.
const source = "load"

// firstMs is the timestamp of the first record of every recording.
const firstMs = 1_795_240_000_000

// value is that of every record, about 100 bytes.
var value = []byte(`{"order":1234567,"state":"shipped","city":"Rotterdam","count":3,"lines":["a","b","c"],"total":12.50}`)

// record writes an archive with a record for each time, in milliseconds after the first, over the partitions in turn.
func record(dir string, times []int64) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	files, err := storage.DirFS(dir)
	if err != nil {
		return err
	}
	a, err := format.Create(files, format.Identity{ClusterID: "source", Topics: []origin.Topic{{Name: source, Partitions: partitions}}})
	if err != nil {
		return err
	}
	for p := range partitions {
		if err := recordPartition(a, p, times); err != nil {
			a.Close()
			return err
		}
	}
	return a.Close()
}

func recordPartition(a *format.Archive, partition int, times []int64) error {
	w, err := a.NewSegment(format.WriterOptions{Topic: source, Partition: int32(partition), Source: origin.Source{ClusterID: "source"}})
	if err != nil {
		return err
	}
	var n int64
	for i := partition; i < len(times); i += partitions {
		r := &format.Record{Offset: n, TimestampMs: firstMs + times[i], LeaderEpoch: 1, Key: fmt.Appendf(nil, "key-%d", i%5000), Value: value}
		if err := w.Write(r); err != nil {
			return err
		}
		n++
	}
	_, _, err = w.Seal(n)
	return err
}

// even are n times, a millisecond apart.
func even(n int) []int64 {
	times := make([]int64, n)
	for i := range times {
		times[i] = int64(i)
	}
	return times
}

// bursts are the times of a second of 20,000 records and four seconds of 200 a second, cycle after cycle.
func bursts(cycles int) []int64 {
	const loud, quiet, second, cycle = 20_000, 200, 1000, 5000
	var times []int64
	for c := range int64(cycles) {
		for i := range int64(loud) {
			times = append(times, c*cycle+i*second/loud)
		}
		for i := range int64(4 * quiet) {
			times = append(times, c*cycle+second+i*second/quiet)
		}
	}
	return times
}
