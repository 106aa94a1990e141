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

// table is what was measured, in the order of its first time.
type table []*row

func (t *table) add(name string, u usage) {
	r := t.row(name)
	if r == nil {
		r = &row{Name: name}
		*t = append(*t, r)
	}
	r.Runs = append(r.Runs, u)
}

// row is nil when there is none of that name.
func (t *table) row(name string) *row {
	for _, r := range *t {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// rowsOf is nil unless all of them are there.
func (t *table) rowsOf(names []string) (rows []*row) {
	for _, n := range names {
		r := t.row(n)
		if r == nil {
			return nil
		}
		rows = append(rows, r)
	}
	return rows
}

// peak is the largest peak RSS of a karchive command, in bytes.
func (t *table) peak() (most float64) {
	for _, r := range *t {
		if r.Runs[0].Karchive {
			most = max(most, slices.Max(r.sorted(func(u usage) float64 { return float64(u.RSS) })))
		}
	}
	return most
}

func (r *row) sorted(value func(usage) float64) []float64 {
	var v []float64
	for _, u := range r.Runs {
		v = append(v, value(u))
	}
	slices.Sort(v)
	return v
}

func (r *row) median(value func(usage) float64) float64 {
	v := r.sorted(value)
	return v[len(v)/2]
}

func (r *row) walls() []float64 { return r.sorted(func(u usage) float64 { return u.Wall }) }

// wall, cpu and out are what ratios are made of. The least of some runs is what a thing takes when nothing disturbs it; a median still
// has the disturbance when most of the runs had it.
func wall(r *row) float64 { return r.walls()[0] }
func cpu(r *row) float64  { return r.sorted(func(u usage) float64 { return u.CPU })[0] }
func out(r *row) float64  { return r.sorted(func(u usage) float64 { return float64(u.Out) })[0] }

// apart is the wall time, had the object store a machine of its own: less what its CPU time took of all cores.
func apart(r *row) float64 { return r.sorted(func(u usage) float64 { return u.Wall - u.Store })[0] }

func printRows(w io.Writer, rows table) {
	fmt.Fprintln(w, "| what | goroutines | wall s (least..most) | records/s | MB/s | CPU s (least..most) | peak RSS MB | bytes out |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	for _, r := range rows {
		first, took := r.Runs[0], r.median(func(u usage) float64 { return u.Wall })
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.Name, number(float64(first.Goroutines)), spanOf(r.walls()),
			number(float64(first.Records)/took), number(float64(first.Bytes)/took/1e6), spanOf(r.sorted(func(u usage) float64 { return u.CPU })),
			number(r.median(func(u usage) float64 { return float64(u.RSS) })/(1<<20)), number(float64(first.Out)))
	}
	fmt.Fprintln(w)
}

// spanOf is the median of sorted seconds, with the least and the most; "-" for what was not measured.
func spanOf(v []float64) string {
	if v[len(v)-1] == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f (%.2f..%.2f)", v[len(v)/2], v[0], v[len(v)-1])
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
