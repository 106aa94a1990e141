package merge

import (
	"fmt"
	"io"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/budget"
	"github.com/karchive/karchive/internal/moment"
)

// openSegments is how many segments a decoder keeps open between two row groups.
const openSegments = 4

// decoder reads row groups, one at a time.
type decoder struct {
	stage   *stage
	packer  packer
	readers map[*format.Archive]*format.GroupReader
}

func (d *decoder) close() {
	for _, r := range d.readers {
		r.Close()
	}
}

// step decodes the upcoming row group of a partition, if it is known, and finds out which is the next.
func (d *decoder) step(src *source) (*staged, error) {
	var g *staged
	if src.peeked {
		var err error
		if g, err = d.read(src); err != nil {
			return nil, err
		}
	}
	next, err := src.Next()
	if err == nil && next.Round != src.upcoming.Round {
		if !src.found {
			return nil, io.EOF // no round has any
		}
		src.reached, src.found = moment.Untimed, false
	}
	src.upcoming = next
	if err != nil && err != io.EOF {
		err = fmt.Errorf("read the archive: %w", err)
	}
	return g, err
}

// read decodes the upcoming row group, or returns nil when none of its records is in the window.
func (d *decoder) read(src *source) (*staged, error) {
	p := src.upcoming
	records, err := d.records(src)
	if err != nil {
		return nil, fmt.Errorf("read the archive: %w", err)
	}
	info := p.Group()
	src.end = info.LastOffset + 1
	if len(records) == 0 {
		return nil, nil
	}
	before := bound(info, src.reached)
	for i := range records {
		src.reached = moment.Reach(src.reached, records[i].TimestampMs)
	}
	src.found = true
	g, err := d.put(records, src.cost(info))
	if err != nil {
		return nil, err
	}
	g.round, g.bytes, g.bound = p.Round, info.Bytes+groupCost, before
	return g, nil
}

// records are those of the upcoming row group that are in the window, as the rules leave them.
func (d *decoder) records(src *source) ([]format.Record, error) {
	if d.readers[src.Archive] == nil {
		d.readers[src.Archive] = src.Archive.NewGroupReader(openSegments)
	}
	records, err := d.readers[src.Archive].Read(&src.upcoming, nil)
	if err != nil || src.Reshape == nil {
		return records, err
	}
	return src.Reshape(records)
}

// cost is the most memory that a decoded row group takes: records that were changed keep what they were made of.
func (t *Track) cost(info *format.RowGroup) int64 {
	cost := info.Bytes + info.Records*budget.DecodedRecord
	if t.Reshape != nil {
		cost += info.Bytes
	}
	return cost
}

// put holds records, which cost so much, in memory when there is room, else in the temporary file.
func (d *decoder) put(records []format.Record, cost int64) (*staged, error) {
	s := d.stage
	if release := s.room.TryTake(cost); release != nil {
		return &staged{records: records, share: budget.NewShare(len(records), release)}, nil
	}
	g, err := d.packer.pack(records, s)
	if err != nil {
		return nil, fmt.Errorf("hold records until their time has come: %w", err)
	}
	return g, nil
}

// bound is a time before which no record of a row group counts, when its partition has reached a time before it.
func bound(g *format.RowGroup, reached int64) int64 {
	if moment.Counts(g.MinTimestampMs) && moment.Counts(g.MaxTimestampMs) {
		return max(reached, g.MinTimestampMs)
	}
	return reached
}
