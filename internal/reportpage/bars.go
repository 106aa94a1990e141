package reportpage

import (
	"fmt"

	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay"
)

// bars is the lateness histogram: for each bin the shares of dispatch and of acknowledgement.
type bars struct {
	Bars []bar
	X, Y []tick
}

// bar is a rectangle with what it stands for.
type bar struct {
	Class               string
	X, Y, Width, Height string
	Title               string
}

func newBars(t *replay.Timing) *bars {
	n := max(len(t.Dispatch.Bins), len(t.Acknowledgement.Bins))
	if n == 0 {
		return nil
	}
	b := &bars{Y: shareTicks()}
	wide := float64(innerWidth) / float64(n)
	for i, l := range []replay.Lateness{t.Dispatch, t.Acknowledgement} {
		class, name := "sent", "sent"
		if i == 1 {
			class, name = "acked", "acknowledged"
		}
		for j, bin := range l.Bins {
			share := float64(bin.Count) / float64(max(l.Count, 1))
			high := share * innerHeight
			if bin.Count > 0 {
				high = max(high, 1.5) // rare ones are seen, too
			}
			b.Bars = append(b.Bars, bar{
				Class: class,
				X:     number(left + wide*(float64(j)+0.1+0.4*float64(i))), Y: number(height - under - high), Width: number(wide * 0.38), Height: number(high),
				Title: fmt.Sprintf("%s %s (%.3g %%) %s", units.Count(bin.Count), name, share*100, binText(l.Bins, j)),
			})
		}
	}
	longest := t.Dispatch.Bins
	if len(t.Acknowledgement.Bins) > len(longest) {
		longest = t.Acknowledgement.Bins
	}
	for j, bin := range longest {
		text := "more"
		if bin.UpTo > 0 {
			text = "≤ " + units.Fine(bin.UpTo)
		}
		b.X = append(b.X, tick{number(left + wide*(float64(j)+0.5)), text})
	}
	return b
}

func binText(bins []replay.LatenessBin, i int) string {
	switch {
	case bins[i].UpTo == 0:
		return "later than that"
	case i == 0:
		return "at most " + units.Fine(bins[i].UpTo) + " late"
	}
	return units.Fine(bins[i-1].UpTo) + " to " + units.Fine(bins[i].UpTo) + " late"
}

func shareTicks() []tick {
	var out []tick
	for i := range 5 {
		out = append(out, tick{y(float64(i), 4), fmt.Sprintf("%d %%", i*25)})
	}
	return out
}
