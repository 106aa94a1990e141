//go:build iceberg

package iceberg

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"

	ice "github.com/apache/iceberg-go"

	"github.com/karchive/karchive/format"
)

// segment is a segment as a table has it.
type segment struct {
	path          string // URL
	partition     int32
	records, size int64
	offsets       bounds
	timestampsMs  bounds
}

// bounds are the least and the greatest value of a column.
type bounds struct{ lower, upper int64 }

// segments are those of a topic that have records, and the number of those that have none. Readers do not expect files without a row.
func (x *export) segments(topic string) (list []segment, empty int, err error) {
	if _, err := x.archive.Completeness(format.Selection{Topics: []string{topic}}); err != nil { // reads all documents, many at a time where that is quicker
		return nil, 0, err
	}
	for _, tp := range x.archive.Partitions() {
		if tp.Topic != topic {
			continue
		}
		for _, s := range x.archive.Segments(tp) {
			d, err := x.archive.Document(s)
			if err != nil {
				return nil, 0, fmt.Errorf("read %s: %w", s.Path, err)
			}
			if d.Records == 0 {
				empty++
				continue
			}
			list = append(list, newSegment(x.Location, s, d))
		}
	}
	return list, empty, nil
}

func newSegment(location string, s format.Segment, d *format.Document) segment {
	first, last := d.Groups[0], d.Groups[len(d.Groups)-1]
	out := segment{location + "/" + s.Path, s.Partition, d.Records, s.Size, bounds{first.FirstOffset, last.LastOffset}, bounds{math.MaxInt64, math.MinInt64}}
	for i := range d.Groups {
		out.timestampsMs.lower = min(out.timestampsMs.lower, d.Groups[i].MinTimestampMs)
		out.timestampsMs.upper = max(out.timestampsMs.upper, d.Groups[i].MaxTimestampMs)
	}
	return out
}

// same says whether a file of a table is the segment: another archive in its place may have other records under its name.
func (s *segment) same(f ice.DataFile, c columns) bool {
	lower, upper := s.bounds(c)
	return f.FileSizeBytes() == s.size && f.Count() == s.records &&
		maps.EqualFunc(f.LowerBoundValues(), lower, bytes.Equal) && maps.EqualFunc(f.UpperBoundValues(), upper, bytes.Equal)
}

// file is the segment in a table of that spec.
func (s *segment) file(spec ice.PartitionSpec, c columns) (ice.DataFile, error) {
	b, err := ice.NewDataFileBuilder(spec, ice.EntryContentData, s.path, ice.ParquetFile, map[int]any{c.partition: s.partition}, nil, nil, s.records, s.size)
	if err != nil {
		return nil, err
	}
	lower, upper := s.bounds(c)
	counts, nulls := map[int]int64{c.offset: s.records, c.timestamp: s.records}, map[int]int64{c.offset: 0, c.timestamp: 0}
	return b.ValueCounts(counts).NullValueCounts(nulls).LowerBoundValues(lower).UpperBoundValues(upper).Build(), nil
}

// bounds are those of the columns that readers pass over files by. Iceberg counts microseconds: times that are beyond that have none.
func (s *segment) bounds(c columns) (lower, upper map[int][]byte) {
	lower, upper = map[int][]byte{c.offset: literal(s.offsets.lower)}, map[int][]byte{c.offset: literal(s.offsets.upper)}
	if t := s.timestampsMs; t.lower >= math.MinInt64/1000 && t.upper <= math.MaxInt64/1000 {
		lower[c.timestamp], upper[c.timestamp] = literal(t.lower*1000), literal(t.upper*1000)
	}
	return lower, upper
}

// literal is a long as the specification serializes single values.
func literal(v int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(v)) }
