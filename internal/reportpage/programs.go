package reportpage

import (
	"strings"
	"time"

	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
)

// Program is what a program took to write a side of a comparison. What is 0 is not known.
type Program struct {
	Name    string
	Records int64
	Drained time.Duration // after its start, until it had read all
	Took    time.Duration
	CPU     time.Duration
	Memory  int64 // bytes
	Lag     []LagPoint
}

// LagPoint is what a program had not read at a time after its start.
type LagPoint struct {
	After   time.Duration
	Offsets int64
}

// programRow is a program as the page shows it.
type programRow struct {
	Class, Name, Records, Drained, Took, CPU, Memory string
}

// lagPlot is the lag of programs over time.
type lagPlot struct {
	Lines []lagLine
	X, Y  []tick
}

type lagLine struct{ Class, Path string }

// programClasses are the colours of the first programs.
var programClasses = []string{"sent", "acked"}

func (c *Comparison) programRows() (rows []programRow) {
	orNone := func(known bool, text string) string {
		if !known {
			return "-"
		}
		return text
	}
	for i, p := range c.Programs[:min(len(c.Programs), len(programClasses))] {
		rows = append(rows, programRow{programClasses[i], printable.Text(p.Name), units.Count(p.Records), orNone(p.Drained > 0, units.Duration(p.Drained)),
			units.Duration(p.Took), orNone(p.CPU > 0, units.Duration(p.CPU)), orNone(p.Memory > 0, units.Size(p.Memory))})
	}
	return rows
}

// lagPlot draws the lag; nil: it is not known, or was always 0.
func (c *Comparison) lagPlot() *lagPlot {
	var last time.Duration
	var most int64
	for _, p := range c.Programs {
		for _, l := range p.Lag {
			last, most = max(last, l.After), max(most, l.Offsets)
		}
	}
	if last == 0 || most == 0 {
		return nil
	}
	top := roundUp(float64(most))
	plot := &lagPlot{X: timeTicks(last), Y: rateTicks(top)}
	for i, p := range c.Programs[:min(len(c.Programs), len(programClasses))] {
		var b strings.Builder
		for n, l := range p.Lag {
			b.WriteString("ML"[min(n, 1):min(n, 1)+1] + x(float64(l.After)/float64(last)) + " " + y(float64(l.Offsets), top))
		}
		plot.Lines = append(plot.Lines, lagLine{programClasses[i], b.String()})
	}
	return plot
}
