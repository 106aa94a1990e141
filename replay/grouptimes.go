package replay

import (
	"errors"
	"io"
	"io/fs"
	"math"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
	"github.com/karchive/karchive/internal/scan"
)

// restoredAt is when a group would have read on.
type restoredAt struct {
	at      kafka.Point
	lacking bool
}

// time finds the timestamp of the first record from an offset on, or else the first moment after all of them. Where the archive does not answer
// for all that lies between, a record there may be the one that is looked for: then the time is that of the last record before.
func (r *restoration) time(from GroupSource) error {
	if _, known := r.times[from]; known {
		return nil
	}
	tp := format.TopicPartition{Topic: from.Topic, Partition: from.Partition}
	c, err := r.archive.Coverage(tp)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	m := restoredAt{}
	next, ms, err := firstRecord(r.archive, tp, from.Offset)
	switch {
	case err != nil && err != io.EOF:
		return err
	case r.lacks(tp, &c, from.Offset, next):
		m.lacking = true
		m.at, err = before(r.archive, tp, from.Offset)
	case err == io.EOF:
		m.lacking = c.Records > 0 && c.Next < from.Offset
		m.at, err = behind(&c)
	default:
		m.at, err = timeOf(ms)
	}
	r.times[from] = m
	return err
}

var errNoTimes = errors.New("its records have no timestamps to go by")

func timeOf(ms int64) (kafka.Point, error) {
	if ms < 0 {
		return 0, errNoTimes
	}
	return kafka.Point(ms), nil
}

// behind is the first moment after all records of a partition.
func behind(c *format.Coverage) (kafka.Point, error) {
	if c.Records == 0 {
		return kafka.HighWatermark, nil
	}
	if c.MaxTimestampMs < 0 {
		return 0, errNoTimes
	}
	return kafka.Point(c.MaxTimestampMs + 1), nil
}

// lacks says whether there may have been records from an offset on, before the first that the archive has; next is -1 where it has none. Of what
// rules left out the archive knows no offsets.
func (r *restoration) lacks(tp format.TopicPartition, c *format.Coverage, from, next int64) bool {
	if next < 0 {
		if c.Records > 0 {
			return false // behind the last record it goes on where the archive ends
		}
		next = endOf(r.archive, tp)
	}
	return from < next && (!answers(c, from, next) || c.Ledger.Filtered > 0)
}

// answers says that a partition of the archive tells of all from an offset to another what was there. What was compacted or aborted is in no target.
func answers(c *format.Coverage, from, until int64) bool {
	for _, g := range c.Ledger.Ranges {
		if g.From < until && from < g.Until {
			return false
		}
	}
	return from >= c.From && until <= c.Next
}

// endOf is where a partition ended when the groups were asked for.
func endOf(archive *format.Archive, tp format.TopicPartition) int64 {
	for e := range archive.Identity().Groups.AllEnds {
		if e.Topic == tp.Topic && e.Partition == tp.Partition {
			return e.Offset
		}
	}
	return math.MaxInt64
}

// firstRecord is the offset and the timestamp of the first record from an offset on; -1 and io.EOF: there is none.
func firstRecord(archive *format.Archive, tp format.TopicPartition, offset int64) (at, ms int64, err error) {
	c := scan.NewCursor(archive, tp, format.Selection{FromOffset: offset})
	defer c.Close()
	for {
		records, err := c.Next()
		if err != nil {
			return -1, 0, err
		}
		if len(records) > 0 {
			return records[0].Offset, records[0].TimestampMs, nil
		}
	}
}

// before is the time of the last record before an offset, or the start of the log where that tells none.
func before(archive *format.Archive, tp format.TopicPartition, offset int64) (kafka.Point, error) {
	if offset == 0 {
		return kafka.Start, nil
	}
	walk := archive.Walk(tp, format.Selection{UntilOffset: offset})
	var last *format.Place
	for {
		p, err := walk.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
		last = &p
	}
	if last == nil {
		return kafka.Start, nil
	}
	reader := archive.NewGroupReader(1)
	defer reader.Close()
	records, err := reader.Read(last, nil)
	if err != nil || len(records) == 0 || records[len(records)-1].TimestampMs < 0 {
		return kafka.Start, err
	}
	return kafka.Point(records[len(records)-1].TimestampMs), nil
}
