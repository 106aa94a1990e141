//go:build unix

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// comparison is how a ratio is made: what was measured under one name, to the sum of its floors in the same run.
//
// A floor does only the part that cannot be left out, on as many goroutines as the measured command has at work: cores that share
// caches, memory and boost slow each other down, so that one core alone would be a floor that nothing can reach. It is compared by CPU
// time where the machine may have other work; a ratio of wall times says more of that work than of us and is guarded nowhere. No limit is
// a time or a rate: those belong to a processor. Memory does not, and is the only absolute figure with a limit.
type comparison struct {
	name    string
	what    string
	floors  []string
	of      func(*row) float64
	inverse bool    // of rates: the floors' time over what was measured
	target  float64 // of the design; a minimum with inverse
	limit   float64 // what -check fails beyond; 0: not guarded
}

// comparisons are the targets of the design. A limit stands about halfway from the usual ratio to that of the mistake that it is for: a
// capture that compresses everything twice, a reader that decodes every row group twice. See proof.go.
var comparisons = []comparison{
	{name: "capture CPU / floors, J1K", what: "capture J1K-4-none", floors: []string{"consume J1K-4-none", "zstd -1 J1K"}, of: cpu, target: 1.12, limit: 1.23},
	{name: "capture CPU / floors, J100", what: "capture J100-4-none", floors: []string{"consume J100-4-none", "zstd -1 J100"}, of: cpu, target: 1.15, limit: 1.23},
	{name: "capture rate / consume rate, J1K", what: "capture J1K-4-none", floors: []string{"consume J1K-4-none"}, of: wall, inverse: true, target: 0.30},
	{name: "capture rate / consume rate, J100", what: "capture J100-4-none", floors: []string{"consume J100-4-none"}, of: wall, inverse: true, target: 0.52},
	{name: "capture rate, one partition / four, J1K", what: "capture J1K-1-none", floors: []string{"capture J1K-4-none"}, of: wall, inverse: true, target: 0.9},
	{name: "capture rate, bucket / directory, J1K", what: "capture into a bucket J1K-4-none", floors: []string{"capture J1K-4-none"}, of: apart, inverse: true, target: 0.9},
	{name: "capture CPU, bucket / directory, J1K", what: "capture into a bucket J1K-4-none", floors: []string{"capture J1K-4-none"}, of: cpu, target: 1.1},
	{name: "capture rate, bucket / directory, one partition", what: "capture into a bucket J1K-1-none", floors: []string{"capture J1K-1-none"}, of: apart, inverse: true, target: 0.9},
	{name: "capture rate, bucket / directory, 1,000 partitions", what: "capture into a bucket J1K-1000-none", floors: []string{"capture J1K-1000-none"}, of: apart, inverse: true, target: 0.9},
	{name: "size on disk / zstd -3 in row order, J1K", what: "capture J1K-4-none", floors: []string{"zstd -3 J1K"}, of: out, target: 0.98},
	{name: "size on disk / zstd -3 in row order, J100", what: "capture J100-4-none", floors: []string{"zstd -3 J100"}, of: out, target: 0.75},
	{name: "replay CPU / floors, J1K", what: "replay J1K-4-none", floors: []string{"produce J1K-4-none", "zstd decode J1K"}, of: cpu, target: 1.25, limit: 2},
	{name: "replay CPU / floors, J100", what: "replay J100-4-none", floors: []string{"produce J100-4-none", "zstd decode J100"}, of: cpu, target: 1.25, limit: 2.2},
	{name: "replay wall / produce, J1K", what: "replay J1K-4-none", floors: []string{"produce J1K-4-none"}, of: wall, target: 1.25},
	{name: "replay wall / produce, J100", what: "replay J100-4-none", floors: []string{"produce J100-4-none"}, of: wall, target: 1.25},
	{name: "capture CPU / floors, J1K in zstd", what: "capture J1K-4-zstd", floors: []string{"consume J1K-4-zstd", "zstd -1 J1K"}, of: cpu, target: 1.12},
	{name: "replay CPU / floors, J1K in zstd", what: "replay J1K-4-zstd", floors: []string{"produce J1K-4-zstd", "zstd decode J1K"}, of: cpu, target: 1.25},
	{name: "capture CPU / floors, J1K in lz4", what: "capture J1K-4-lz4", floors: []string{"consume J1K-4-lz4", "zstd -1 J1K"}, of: cpu, target: 1.12},
	{name: "replay CPU / floors, J1K in lz4", what: "replay J1K-4-lz4", floors: []string{"produce J1K-4-lz4", "zstd decode J1K"}, of: cpu, target: 1.25},
	{name: "verify CPU / floor, J1K", what: "verify J1K-4-none", floors: []string{"SHA-256 J1K-4-none"}, of: cpu, target: 1.3},
	{name: "verify --deep CPU / floor, J1K", what: "verify --deep J1K-4-none", floors: []string{"check J1K"}, of: cpu, target: 1.6, limit: 2.2},
	{name: "copy as files, rate / cp and sha256sum", what: "copy as files J1K-4-none", floors: []string{"cp and sha256sum J1K-4-none"}, of: wall, inverse: true, target: 0.7},
	{name: "copy as bytes, rate / cp and sha256sum", what: "copy as bytes J1K-4-none", floors: []string{"cp and sha256sum J1K-4-none"}, of: wall, inverse: true, target: 0.7},
	{name: "copy with decoding, CPU / capture", what: "copy, decoded J1K-4-none", floors: []string{"capture J1K-4-none"}, of: cpu, target: 1},
	{name: "diff, wall / verify --deep of both", what: "diff, decoded J1K-4-none", floors: []string{"verify --deep of both J1K-4-none"}, of: wall, target: 1},
	{name: "diff, CPU / verify --deep of both", what: "diff, decoded J1K-4-none", floors: []string{"verify --deep of both J1K-4-none"}, of: cpu, target: 1},
	{name: "diff of equal archives, wall / verify --deep of both", what: "diff of equals J1K-4-none", floors: []string{"verify --deep of both J1K-4-none"}, of: wall, target: 0.1},
	{name: "rate of a consumer of serve / of Kafka, J1K", what: "consume served J1K-4-none", floors: []string{"consume J1K-4-none"}, of: wall, target: 0.35, inverse: true},
	{name: "serve CPU / floors, J1K", what: "consume served J1K-4-none", floors: []string{"produce J1K-4-none", "zstd decode J1K"}, of: cpu, target: 1.25, limit: 2.5},
	{name: "rate of three consumers of serve / of one, J1K", what: "consume served by 3 J1K-4-none", floors: []string{"consume served J1K-4-none"}, of: wall, target: 1, inverse: true},
	{name: "capture is so many times as fast as kafka-backup, J1K", what: "capture J1K-4-none", floors: []string{"kafka-backup, zstd -1, J1K-4-none"}, of: wall, inverse: true, target: 1.5},
	{name: "capture is so many times as fast as kafka-backup, J100", what: "capture J100-4-none", floors: []string{"kafka-backup, zstd -1, J100-4-none"}, of: wall, inverse: true, target: 2.5},
	{name: "replay is so many times as fast as kafka-backup, J1K", what: "replay J1K-4-none", floors: []string{"kafka-backup restores J1K-4-none"}, of: wall, inverse: true, target: 3},
	{name: "replay is so many times as fast as kafka-backup, J100", what: "replay J100-4-none", floors: []string{"kafka-backup restores J100-4-none"}, of: wall, inverse: true, target: 3},
	{name: "info CPU / floor, 10,000 segments", what: "info, 10,000 segments", floors: []string{"footers, 10,000 segments"}, of: cpu, target: 6},
}

const (
	peakTarget = 256 // MB
	peakName   = "peak RSS MB, the largest of all karchive commands"
)

// ratio compares a measurement with its floors.
type ratio struct {
	Name    string  `json:"name"`
	Floor   string  `json:"floor,omitempty"`
	Value   float64 `json:"value"`
	Target  float64 `json:"target"`
	AtLeast bool    `json:"at_least,omitempty"` // Target is a minimum
	Limit   float64 `json:"limit,omitempty"`    // what -check fails beyond; 0: not guarded
}

func (r ratio) over() bool { return r.Limit > 0 && r.Value > r.Limit }

func (r ratio) String() string { return fmt.Sprintf("%s %.2f of %.2f", r.Name, r.Value, r.Limit) }

func (r ratio) met() bool { return r.Value <= r.Target != r.AtLeast || r.Value == r.Target }

// ratios are all that t has the rows for.
func (t *table) ratios() (all []ratio) {
	for _, c := range comparisons {
		what, floors := t.row(c.what), t.rowsOf(c.floors)
		if what == nil || floors == nil {
			continue
		}
		r := ratio{Name: c.name, Floor: describe(floors), Value: c.of(what) / sum(c.of, floors), Target: c.target, AtLeast: c.inverse, Limit: c.limit}
		if c.inverse {
			r.Value = 1 / r.Value
		}
		all = append(all, r)
	}
	if most := t.peak(); most > 0 {
		all = append(all, ratio{Name: peakName, Value: most / (1 << 20), Target: peakTarget, Limit: peakTarget})
	}
	return all
}

func (t *table) over() (all []ratio) {
	return slices.DeleteFunc(t.ratios(), func(r ratio) bool { return !r.over() })
}

func sum(value func(*row) float64, rows []*row) (total float64) {
	for _, r := range rows {
		total += value(r)
	}
	return total
}

func describe(rows []*row) string {
	var parts []string
	for _, r := range rows {
		part := r.Name
		if n := r.Runs[0].Goroutines; n > 0 {
			part += fmt.Sprintf(" on %d", n)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " + ")
}

func printRatios(w io.Writer, ratios []ratio) {
	fmt.Fprintln(w, "| ratio | value | target | | floor, on how many goroutines |")
	fmt.Fprintln(w, "|---|---|---|---|---|")
	for _, r := range ratios {
		word, verdict := "at most", "met"
		if r.AtLeast {
			word = "at least"
		}
		if !r.met() {
			verdict = "missed"
		}
		fmt.Fprintf(w, "| %s | %.2f | %s %.2f | %s | %s |\n", r.Name, r.Value, word, r.Target, verdict, r.Floor)
	}
	fmt.Fprintf(w, "\n%s", floorsExplained)
}

const floorsExplained = `Ratios are of the least of all runs, each thing by itself: other work on the machine only adds. Floors:

- consume: franz-go's consumer with its default options reads the topic to its end and keeps nothing.
- consume served: the same client reads from karchive serve, of which the CPU time and memory are; by 3: three share the four partitions.
- consume and produce of topics in zstd or lz4: the client decompresses or compresses too.
- zstd -N: the canonical bytes of the same records, in row order and blocks of 1 MiB, are compressed at level N, on as many goroutines as a capture encodes on.
- zstd decode: the blocks of zstd -1 are decompressed, on as many goroutines as a replay reads on.
- check: SHA-256 of the blocks of zstd -1, decompressing them, and XXH3-128 of what comes out, on as many goroutines as verify works on.
- SHA-256: every file of the archive is read and hashed, on as many goroutines as verify works on.
- footers: every segment is opened and its footer read and not looked into, on as many goroutines as info works on.
- cp and sha256sum: the archive is copied by cp and hashed by sha256sum, and synced, as a copy is.
- kafka-backup: its engine (test/peers) with default options and verbatim records; -N: at this level of zstd, of which 3 is its default.
- bucket: versitygw on the same machine. Its CPU time, spread over all cores, is not in the wall time of the ratio, nor is it in the CPU time of the row.
- produce: the same records, from memory, with the client options of a replay. For serve it is what batches cost to encode and write.
`
