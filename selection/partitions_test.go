package selection

import (
	"errors"
	"slices"
	"testing"

	"github.com/karchive/karchive/test/seeds"
)

func TestPartitionsAreReadFromNumbersAndRanges(t *testing.T) {
	for s, want := range map[string][]int32{"": nil, "0": {0}, "0,3-5": {0, 3, 4, 5}, " 5 , 3-4,4 ": {3, 4, 5}, "7-7": {7}} {
		if got, err := ParsePartitions(s); err != nil || !slices.Equal(got, want) {
			t.Errorf("ParsePartitions(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"x", "-1", "5-3", "1-", "0-2000000000", "1-2-3", "4294967296"} {
		if got, err := ParsePartitions(s); !errors.Is(err, ErrPartitions) {
			t.Errorf("ParsePartitions(%q) = %v, %v, want ErrPartitions", s, got, err)
		}
	}
}

// FuzzPartitions reads text as a list of partitions. What is taken is sorted, and no slip takes all memory.
func FuzzPartitions(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, s string) {
		all, err := ParsePartitions(s)
		if err == nil && (cap(all) > 2*maxPartitions || !slices.IsSorted(all) || len(all) > 0 && all[0] < 0) {
			t.Errorf("%d partitions in memory for %d", len(all), cap(all))
		}
	})
}
