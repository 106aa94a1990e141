package replay

import (
	"fmt"
	"sync/atomic"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/merge"
	"github.com/karchive/karchive/reshaping"
)

// rules are what leaves records out and changes them; none: nothing does.
type rules struct {
	reshaping.Reshaper
	archiveID string
}

// id identifies them; empty: there are none.
func (r rules) id() string {
	if r.Reshaper == nil {
		return ""
	}
	return r.Rules(r.archiveID)
}

// apply gives what the rules leave of the records of a row group, in their memory, and counts the others in left; nil: it is a trial.
func (r rules) apply(tp format.TopicPartition, records []format.Record, left *atomic.Int64) ([]format.Record, error) {
	if r.Reshaper == nil {
		return records, nil
	}
	apply, end := r.Begin(reshaping.Use{Keep: true, Trial: left == nil})
	defer end()
	n := 0
	for i := range records {
		stays, err := apply(tp, &records[i])
		if err != nil {
			return nil, fmt.Errorf("%s at offset %d: %w", tp, records[i].Offset, err)
		}
		if stays {
			records[n] = records[i]
			n++
		}
	}
	if left != nil {
		left.Add(int64(len(records) - n))
	}
	clear(records[n:])
	return records[:n], nil
}

// track walks a partition through the rules, so many rounds. What they leave out is counted in left, unless that is nil: then it is a trial.
func (r rules) track(archive *format.Archive, tp format.TopicPartition, w format.Selection, rounds int64, left *atomic.Int64) merge.Track {
	t := merge.Track{Archive: archive, Walk: archive.Walk(tp, w).Repeat(rounds), From: w.FromOffset}
	if r.Reshaper != nil {
		t.Reshape = func(records []format.Record) ([]format.Record, error) { return r.apply(tp, records, left) }
	}
	return t
}

// merging are the bounds of a merge of all partitions.
func (o *Options) merging() merge.Options {
	return merge.Options{MemoryBytes: o.MemoryBytes, TempDir: o.TempDir, RunRecords: chunkRecords, RecordCost: entryCost}
}
