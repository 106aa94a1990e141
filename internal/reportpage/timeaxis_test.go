package reportpage

import (
	"math"
	"testing"

	"github.com/karchive/karchive/format"
)

func TestCellsOfAnAxisRiseWhateverItsEndsAre(t *testing.T) {
	for _, a := range []timeAxis{{0, 59}, {0, 60_000}, {math.MinInt64, math.MaxInt64}, {-5, math.MaxInt64}, {7, 7}} {
		if got := [2]int{a.cell(a.low), a.cell(a.high)}; got != [2]int{0, timeCells - 1} && a.low < a.high {
			t.Errorf("%v: the ends are in cells %v", a, got)
		}
		before, seen := -1, map[string]bool{}
		for i := range int64(timeCells) {
			ms := int64(uint64(a.low) + (uint64(a.high)-uint64(a.low))/timeCells*uint64(i))
			cell := a.cell(ms)
			if cell < before {
				t.Errorf("%v: %d is in cell %d, behind %d", a, ms, cell, before)
			}
			before = cell
			seen[a.title("", int(i))] = true
		}
		if len(seen) != timeCells && uint64(a.high)-uint64(a.low) >= timeCells {
			t.Errorf("%v: the cells have %d beginnings", a, len(seen))
		}
	}
}

func TestRecordsWithoutATimestampDoNotStretchTheAxis(t *testing.T) {
	a := newTimeAxis()
	a.reach(format.NoTimestamp, format.NoTimestamp)
	if from, to := a.ends(); from != "" || to != "" || a.title("1 record", 3) != "1 record" || a.cell(5) != 0 {
		t.Errorf("an axis without a time reaches from %q to %q", from, to)
	}
	a.reach(format.NoTimestamp, 9000)
	a.reach(8000, 8500)
	if a != (timeAxis{8000, 9000}) {
		t.Errorf("got %v, want 8000 to 9000", a)
	}
	if got := a.cell(format.NoTimestamp); got != 0 {
		t.Errorf("a record without a timestamp is in cell %d, want 0", got)
	}
}
