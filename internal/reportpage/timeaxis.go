package reportpage

import (
	"math"
	"math/bits"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/units"
)

// timeCells is how finely the time is divided.
const timeCells = 60

// timeAxis is the time that records are drawn over, in ms. Records without a timestamp have no place on it: one of them would stretch it to 1970.
type timeAxis struct {
	low, high int64 // low > high: no record has a time
}

func newTimeAxis() timeAxis { return timeAxis{math.MaxInt64, math.MinInt64} }

// reach stretches the axis over the times of a row group, by its least and its greatest timestamp.
func (a *timeAxis) reach(least, greatest int64) {
	if least == format.NoTimestamp {
		least = greatest // nobody knows where the others begin
	}
	if greatest != format.NoTimestamp {
		a.low, a.high = min(a.low, least), max(a.high, greatest)
	}
}

func (a *timeAxis) some() bool { return a.low <= a.high }

// ends are the two ends of the axis; empty where no record has a time.
func (a *timeAxis) ends() (from, to string) {
	if !a.some() {
		return "", ""
	}
	return units.Time(a.low), units.Time(a.high)
}

// cell is where a time is on the axis, at an end of it what is beyond.
func (a *timeAxis) cell(ms int64) int {
	switch {
	case !a.some() || ms <= a.low:
		return 0
	case ms >= a.high:
		return timeCells - 1
	}
	high, low := bits.Mul64(uint64(ms)-uint64(a.low), timeCells)
	n, _ := bits.Div64(high, low, uint64(a.high)-uint64(a.low))
	return int(n)
}

// title is the text of what lies in a cell, with the time at which it begins.
func (a *timeAxis) title(text string, cell int) string {
	if !a.some() {
		return text
	}
	high, low := bits.Mul64(uint64(a.high)-uint64(a.low), uint64(cell))
	n, _ := bits.Div64(high, low, timeCells)
	return text + " from " + units.Time(int64(uint64(a.low)+n))
}
