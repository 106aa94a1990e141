package main

import (
	"math"
	"slices"
	"time"
)

// histogram counts times in intervals from 0 on. A time before 0 counts as 0.
func histogram(times []time.Duration, interval time.Duration) []int {
	var counts []int
	for _, at := range times {
		i := int(max(at, 0) / interval)
		for len(counts) <= i {
			counts = append(counts, 0)
		}
		counts[i]++
	}
	return counts
}

// mostWithin is the largest number of times in any half-open window of a length.
func mostWithin(times []time.Duration, window time.Duration) int {
	sorted := slices.Sorted(slices.Values(times))
	most, from := 0, 0
	for i, at := range sorted {
		for at-sorted[from] >= window {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// correlation is Pearson's coefficient of two histograms, the shorter one being continued with zeros. It is NaN when one of them is flat.
func correlation(a, b []int) float64 {
	n := max(len(a), len(b))
	a, b = append(slices.Clone(a), make([]int, n-len(a))...), append(slices.Clone(b), make([]int, n-len(b))...)
	meanA, meanB := mean(a), mean(b)
	var both, squareA, squareB float64
	for i := range n {
		da, db := float64(a[i])-meanA, float64(b[i])-meanB
		both, squareA, squareB = both+da*db, squareA+da*da, squareB+db*db
	}
	return both / math.Sqrt(squareA*squareB)
}

func mean(counts []int) float64 {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return float64(sum) / float64(len(counts))
}
