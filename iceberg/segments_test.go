//go:build iceberg

package iceberg

import (
	"math"
	"testing"

	ice "github.com/apache/iceberg-go"
)

var ids = columns{offset: 1, timestamp: 2, partition: partitionField}

func TestASegmentIsAnotherWhenItsRecordsAre(t *testing.T) {
	s := segment{path: "file:///a", partition: 1, records: 2, size: 100, offsets: bounds{5, 6}, timestampsMs: bounds{1, 2}}
	f := fileOf(t, s)
	if !s.same(f, ids) {
		t.Error("a segment is not the file that it was made")
	}
	for name, change := range map[string]func(*segment){
		"size": func(s *segment) { s.size++ }, "records": func(s *segment) { s.records++ }, "offsets": func(s *segment) { s.offsets.upper++ },
		"times": func(s *segment) { s.timestampsMs.lower-- }, "bounds": func(s *segment) { s.timestampsMs.upper = math.MaxInt64 },
	} {
		other := s
		change(&other)
		if other.same(f, ids) {
			t.Errorf("a segment of other %s is the same", name)
		}
	}
}

func TestTimesThatMicrosecondsCannotHoldHaveNoBounds(t *testing.T) {
	for _, times := range []bounds{{math.MinInt64, 0}, {0, math.MaxInt64}} {
		f := fileOf(t, segment{path: "file:///a", records: 1, size: 1, timestampsMs: times})
		if f.LowerBoundValues()[ids.timestamp] != nil || f.UpperBoundValues()[ids.timestamp] != nil || f.LowerBoundValues()[ids.offset] == nil {
			t.Errorf("%v: the bounds are %v and %v, want those of the offset alone", times, f.LowerBoundValues(), f.UpperBoundValues())
		}
	}
}

func fileOf(t *testing.T, s segment) ice.DataFile {
	t.Helper()
	f, err := s.file(*newSpec(), ids)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
