package merge

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"
	"github.com/zeebo/xxh3"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/budget"
)

// staged is a verified row group on its way into the sequence: the records of it that are in the window. They are decoded in memory, or
// lie in a temporary file as blocks, which are decoded one by one.
type staged struct {
	round int64
	bytes int64 // canonical ones and groupCost
	bound int64 // a time before which none of its records counts

	records []format.Record // in memory, those that were not taken
	share   *budget.Share   // of the records in memory; nil: they are in the file

	block block  // the next one in the file
	where extent // of all blocks that are not loaded
}

// Run is a number of records of a partition that are decoded in memory.
type Run struct {
	Records []format.Record
	Cost    int64         // memory that whoever takes it has to count, in bytes
	share   *budget.Share // of the row group; nil: the run has memory of its own
}

// Done says of n records that nobody needs them any more. With the last one the memory of their row group is given back.
func (r *Run) Done(n int) {
	if r.share != nil {
		r.share.Done(n)
	}
}

// loaded says whether all runs were taken.
func (s *staged) loaded() bool {
	if s.share != nil {
		return len(s.records) == 0
	}
	return s.where.size == 0
}

// firstMs is the timestamp of the first record of the next run.
func (s *staged) firstMs() int64 {
	if s.share != nil {
		return s.records[0].TimestampMs
	}
	return s.block.firstMs
}

// errSpill is that the disk, or somebody, changed the temporary file.
var errSpill = errors.New("a temporary file does not hold what was written to it")

// next takes the next run. It costs at most the stage's slot in memory, when it has more than one record.
func (s *staged) next(from *stage) (*Run, error) {
	if s.share == nil {
		return s.nextBlock(from)
	}
	o := &from.options
	n := int(min(max(from.slot/o.RecordCost, 1), int64(o.RunRecords), int64(len(s.records))))
	run := &Run{Records: s.records[:n], Cost: int64(n) * o.RecordCost, share: s.share}
	s.records = s.records[n:]
	return run, nil
}

func (s *staged) nextBlock(from *stage) (*Run, error) {
	b := s.block
	packed := make([]byte, min(int64(b.size)+blockSize, s.where.size)) // nothing is behind the last block
	if err := from.spill.get(packed, s.where.at); err != nil {
		return nil, err
	}
	if xxh3.Hash(packed) != b.hash {
		return nil, errSpill
	}
	plain, err := s2.Decode(nil, packed[:b.size])
	if err != nil {
		return nil, fmt.Errorf("unpack a temporary file: %w", err)
	}
	if behind := packed[b.size:]; len(behind) > 0 {
		s.block = readBlock(behind)
	}
	from.spill.giveUp(extent{s.where.at, int64(len(packed))})
	s.where.at += int64(len(packed))
	s.where.size -= int64(len(packed))
	records, err := unpack(plain, int(b.records))
	if err != nil {
		return nil, errSpill
	}
	return &Run{Records: records, Cost: int64(len(plain)) + int64(len(records))*from.options.RecordCost}, nil
}

// drop gives up what was not taken.
func (s *staged) drop(from *spill) {
	if n := len(s.records); n > 0 {
		s.records = nil
		s.share.Done(n)
	} else if s.where.size > 0 {
		from.giveUp(s.where)
		s.where.size = 0
	}
}
