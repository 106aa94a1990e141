//go:build unix

package main

import (
	"fmt"
	"io"
	"slices"
)

// row is everything that was measured under one name.
type row struct {
	Name string  `json:"name"`
	Runs []usage `json:"runs"`
}

func (r *row) median(value func(usage) float64) float64 {
	if r == nil {
		return 0
	}
	v := r.sorted(value)
	return v[len(v)/2]
}

func (r *row) sorted(value func(usage) float64) []float64 {
	var v []float64
	for _, u := range r.Runs {
		v = append(v, value(u))
	}
	slices.Sort(v)
	return v
}

func wall(u usage) float64 { return u.Wall }
func cpu(u usage) float64  { return u.CPU }
func out(u usage) float64  { return float64(u.Out) }
func rss(u usage) float64  { return float64(u.RSS) }
func size(u usage) float64 { return float64(u.Bytes) }

func printRows(w io.Writer, rows []*row) {
	fmt.Fprintln(w, "| what | wall s (least..most) | records/s | MB/s | CPU s | peak RSS MB | bytes out |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|")
	for _, r := range rows {
		first, walls := r.Runs[0], r.sorted(wall)
		took := r.median(wall)
		fmt.Fprintf(w, "| %s | %.2f (%.2f..%.2f) | %s | %s | %s | %s | %s |\n", r.Name, took, walls[0], walls[len(walls)-1],
			number(float64(first.Records)/took), number(float64(first.Bytes)/took/1e6), decimals(r.median(cpu)), number(r.median(rss)/(1<<20)), number(float64(first.Out)))
	}
	fmt.Fprintln(w)
}

// number is a count, with "-" for what was not measured.
func number(v float64) string {
	if v < 0.5 {
		return "-"
	}
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func decimals(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}

// ratio compares a measurement with its floor.
type ratio struct {
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Target  float64 `json:"target"`
	AtLeast bool    `json:"at_least,omitempty"` // Target is a minimum
	Limit   float64 `json:"limit,omitempty"`    // what -check fails beyond; 0: not guarded
}

func (r ratio) over() bool {
	if r.Limit == 0 || r.Value == 0 {
		return false
	}
	if r.AtLeast {
		return r.Value < r.Limit
	}
	return r.Value > r.Limit
}

func (r ratio) met() bool { return r.Value <= r.Target != r.AtLeast || r.Value == r.Target }

// ratios are the targets of the design. Limits are for CPU time and memory only, with room for noise: on a machine that others use, wall time
// says more of them than of us.
func (s *session) ratios() []ratio {
	row := func(name string) *row { return s.rows[name] }
	all := []ratio{
		{Name: "capture CPU / (consume + zstd), J1K", Target: 1.12, Limit: 1.35,
			Value: over(row("capture J1K-4-none"), cpu, sum(cpu, row("consume J1K-4-none"), row("zstd -1 J1K")))},
		{Name: "capture CPU / (consume + zstd), J100", Target: 1.15, Limit: 1.2,
			Value: over(row("capture J100-4-none"), cpu, sum(cpu, row("consume J100-4-none"), row("zstd -1 J100")))},
		{Name: "capture rate / consume rate, J1K", Target: 0.30, AtLeast: true, Value: inverse(over(row("capture J1K-4-none"), wall, sum(wall, row("consume J1K-4-none"))))},
		{Name: "capture rate / consume rate, J100", Target: 0.52, AtLeast: true, Value: inverse(over(row("capture J100-4-none"), wall, sum(wall, row("consume J100-4-none"))))},
		{Name: "capture rate, one partition / four, J1K", Target: 0.9, AtLeast: true, Value: inverse(over(row("capture J1K-1-none"), wall, sum(wall, row("capture J1K-4-none"))))},
		{Name: "size on disk / zstd -3 in row order, J1K", Target: 0.98, Value: over(row("capture J1K-4-none"), out, sum(out, row("zstd -3 J1K")))},
		{Name: "size on disk / zstd -3 in row order, J100", Target: 0.75, Value: over(row("capture J100-4-none"), out, sum(out, row("zstd -3 J100")))},
		{Name: "replay CPU / (produce + zstd decoding), J1K", Target: 1.25, Limit: 1.7,
			Value: over(row("replay J1K-4-none"), cpu, sum(cpu, row("produce J1K-4-none"), row("zstd decode J1K")))},
		{Name: "replay CPU / (produce + zstd decoding), J100", Target: 1.25, Limit: 1.9,
			Value: over(row("replay J100-4-none"), cpu, sum(cpu, row("produce J100-4-none"), row("zstd decode J100")))},
		{Name: "replay wall / produce, J1K", Target: 1.25, Value: over(row("replay J1K-4-none"), wall, sum(wall, row("produce J1K-4-none")))},
		{Name: "replay wall / produce, J100", Target: 1.25, Value: over(row("replay J100-4-none"), wall, sum(wall, row("produce J100-4-none")))},
		{Name: "verify, MB of archive a CPU second", Target: 1000, AtLeast: true, Value: speed(row("verify J1K-4-none"), out)},
		{Name: "verify --deep, MB of records a CPU second", Target: 300, AtLeast: true, Limit: 300, Value: speed(row("verify --deep J1K-4-none"), size)},
		{Name: "info of 10,000 segments, s", Target: 1, Value: s.rows["info, 10,000 segments"].median(wall)},
		{Name: "peak RSS MB, the largest of all karchive commands", Target: 256, Limit: 256, Value: s.peak()},
	}
	return slices.DeleteFunc(all, func(r ratio) bool { return r.Value == 0 })
}

func sum(value func(usage) float64, rows ...*row) float64 {
	var t float64
	for _, r := range rows {
		if r == nil {
			return 0
		}
		t += r.median(value)
	}
	return t
}

func over(r *row, value func(usage) float64, floor float64) float64 {
	if r == nil || floor == 0 {
		return 0
	}
	return r.median(value) / floor
}

func inverse(v float64) float64 {
	if v == 0 {
		return 0
	}
	return 1 / v
}

// speed is how many MB of what value measures a CPU second is enough for.
func speed(r *row, value func(usage) float64) float64 { return over(r, value, sum(cpu, r)) / 1e6 }

// peak is the largest peak RSS of a karchive command, in MB.
func (s *session) peak() float64 {
	var most float64
	for _, r := range s.order {
		for _, command := range []string{"capture ", "replay ", "verify", "info", "cat "} {
			if len(r.Name) >= len(command) && r.Name[:len(command)] == command {
				most = max(most, slices.Max(r.sorted(rss)))
			}
		}
	}
	return most / (1 << 20)
}

func printRatios(w io.Writer, ratios []ratio) {
	fmt.Fprintln(w, "| ratio | value | target | |")
	fmt.Fprintln(w, "|---|---|---|---|")
	for _, r := range ratios {
		word, verdict := "at most", "met"
		if r.AtLeast {
			word = "at least"
		}
		if !r.met() {
			verdict = "missed"
		}
		fmt.Fprintf(w, "| %s | %.2f | %s %.2f | %s |\n", r.Name, r.Value, word, r.Target, verdict)
	}
}
