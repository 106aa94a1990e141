package reportpage

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay"
)

// The size of a drawing, and of the room for its axes.
const (
	width, height           = 960, 300
	left, right, top, under = 70, 14, 12, 34
	innerWidth, innerHeight = width - left - right, height - top - under
)

// plot is the rates over time as paths.
type plot struct {
	Planned, Sent, Acknowledged string // path data; Planned is an area and empty where there is no plan
	X, Y                        []tick
	Interval                    string
}

// tick is a mark of an axis.
type tick struct {
	At   string // the coordinate
	Text string
}

func newPlot(r *replay.Report) *plot {
	s := r.Series
	n := whole(s, r.Elapsed)
	if n == 0 {
		return nil
	}
	p := &plot{Interval: s.Interval.String()}
	span := s.Interval * time.Duration(n)
	high := 0.0
	for _, counts := range [][]int64{s.Planned, s.Sent, s.Acknowledged} {
		for _, c := range counts[:n] {
			high = max(high, float64(c)/s.Interval.Seconds())
		}
	}
	top := roundUp(high)
	line := func(counts []int64) string { return steps(counts[:n], s.Interval, top) }
	p.Sent, p.Acknowledged = line(s.Sent), line(s.Acknowledged)
	if r.Timing != nil {
		p.Planned = line(s.Planned) + fmt.Sprintf("V%sH%d Z", y(0, 1), left)
	}
	p.X, p.Y = timeTicks(span), rateTicks(top)
	return p
}

// whole is how many intervals have all of their time: the rate of a part of one says little.
func whole(s replay.Series, elapsed time.Duration) int {
	n := len(s.Sent)
	if n > 1 && elapsed < s.Interval*time.Duration(n) {
		n--
	}
	return n
}

// steps is a path with a level for each interval.
func steps(counts []int64, interval time.Duration, top float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "M%d %s", left, y(0, 1))
	for i, c := range counts {
		fmt.Fprintf(&b, "V%sH%s", y(float64(c)/interval.Seconds(), top), x(float64(i+1)/float64(len(counts))))
	}
	return b.String()
}

// x is the place of a part of the time.
func x(part float64) string { return number(left + part*innerWidth) }

// y is the place of a value.
func y(value, top float64) string { return number(height - under - value/top*innerHeight) }

func number(f float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") }

// roundUp is the next number of 1, 2 or 5 and zeros.
func roundUp(f float64) float64 {
	if f <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(f)))
	for _, m := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8} {
		if m*power >= f {
			return m * power
		}
	}
	return 10 * power
}

func rateTicks(top float64) []tick {
	var out []tick
	for i := range 5 {
		value := top * float64(i) / 4
		text := fmt.Sprintf("%.3g", value)
		if value >= 1000 {
			text = units.Count(int64(value))
		}
		out = append(out, tick{y(value, top), text})
	}
	return out
}

// timeTicks are at round times, at most eight.
func timeTicks(span time.Duration) []tick {
	step := 100 * time.Millisecond
	for _, next := range []time.Duration{200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour} {
		if span/step > 8 {
			step = next
		}
	}
	for span/step > 8 {
		step *= 2
	}
	var out []tick
	for at := time.Duration(0); at <= span; at += step {
		out = append(out, tick{x(float64(at) / float64(span)), clock(at, step)})
	}
	return out
}
