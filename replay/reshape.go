package replay

import (
	"fmt"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/merge"
)

// rules identifies the rules of the replay; empty: there are none.
func (s *settings) rules() string {
	if s.Reshape == nil {
		return ""
	}
	return s.Reshape.Rules(s.archiveID)
}

// reshape gives what the rules leave of the records of a row group, in their memory.
func (s *settings) reshape(tp format.TopicPartition, records []format.Record, trial bool) ([]format.Record, error) {
	if s.Reshape == nil {
		return records, nil
	}
	apply, end := s.Reshape.Begin(format.Reshaping{Keep: true, Trial: trial})
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
	clear(records[n:])
	return records[:n], nil
}

// merging are the bounds of a merge of all partitions.
func (s *settings) merging() merge.Options {
	return merge.Options{MemoryBytes: s.MemoryBytes, TempDir: s.TempDir, RunRecords: chunkRecords, RecordCost: entryCost}
}

// track walks a partition through the rules, so many rounds.
func (s *settings) track(archive *format.Archive, tp format.TopicPartition, w format.Window, rounds int64, trial bool) merge.Track {
	t := merge.Track{Archive: archive, Walk: archive.Walk(tp, w).Repeat(rounds), From: w.FromOffset}
	if s.Reshape != nil {
		t.Reshape = func(records []format.Record) ([]format.Record, error) { return s.reshape(tp, records, trial) }
	}
	return t
}
