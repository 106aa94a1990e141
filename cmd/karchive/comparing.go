package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/reportpage"
	"github.com/karchive/karchive/internal/units"
)

// comparing is the flags that say how records are compared, and what of it is shown.
type comparing struct {
	compare  diff.Options
	by       string
	ignore   cli.StringSlice
	examples int64 // unbounded: as many as suit the format
	html     string
	format   string
}

func (o *comparing) flags(by diff.Pairing) []cli.Flag {
	o.compare.Tolerance, o.examples = map[string]float64{}, unbounded
	return []cli.Flag{
		&cli.StringFlag{Name: "by", Usage: "pair records by `WHAT`: offset, order, key, or a path such as value.id", Value: string(by), Destination: &o.by},
		&cli.StringSliceFlag{Name: "ignore", Usage: "parts that may differ: `PATHS` such as timestamp, offset, headers.trace-id, value.lines.#.at, in a comma list or repeated", Destination: &o.ignore},
		&cli.BoolFlag{Name: "json", Usage: "compare JSON by meaning, and show where it differs", Destination: &o.compare.JSON},
		repeatedSet("tolerance", "numbers at `PATH=N` may differ by N; repeatable", "", o.addTolerance),
		parsed("examples", "show the first `N` differences", "10, all with --format json", &o.examples, units.ParseCount),
		&cli.StringFlag{Name: "html", Usage: "write a page with all counts and the first differences to `FILE`", Destination: &o.html},
		formatFlag(&o.format),
	}
}

func (o *comparing) addTolerance(s string) error {
	i := strings.LastIndexByte(s, '=')
	if i < 0 {
		return errors.New("write PATH=N")
	}
	by, err := strconv.ParseFloat(s[i+1:], 64)
	if err != nil || !(by >= 0) {
		return errors.New("not a number from 0 behind PATH=")
	}
	o.compare.Tolerance[s[:i]] = by
	return nil
}

// complete fills in the library's options.
func (o *comparing) complete(memory int64) error {
	switch pair := diff.Pairing(o.by); pair {
	case diff.ByOffset, diff.ByOrder, diff.ByKey:
		o.compare.Pair = pair
	default:
		o.compare.Pair, o.compare.Path = diff.ByPath, o.by
	}
	o.compare.Ignore = units.SplitList(strings.Join(o.ignore.Value(), ","))
	o.compare.Memory = int64(float64(memory) * sortShare)
	if o.html != "" {
		return checkNoFile(o.html)
	}
	return nil
}

// sortShare is the part of --memory for sorting, which makes as much garbage.
const sortShare = 0.25

// run compares two sides, and shows what comes of it, with what lacks says that was not compared beside what the sides lack. The page has numbers
// of programs that wrote them, if there are any.
func (o *comparing) run(ctx context.Context, e *env, a, b *diffSide, programs []reportpage.Program, lacks func(*diff.Report) []string) (*diff.Report, error) {
	out, err := newDiffOutput(e, o, a, b)
	if err != nil {
		return nil, err
	}
	defer out.abandon()
	defer e.noteStop(ctx, "ending the comparison")()
	if out.page != nil {
		out.page.Programs = programs
	}
	progress := newProgress(e, "diff")
	o.compare.Each = out.take
	o.compare.OnProgress = func(done, total int64) { progress.set(done, total, units.Of(done, "record")) }
	report, err := diff.Run(ctx, a.Side, b.Side, o.compare)
	progress.done()
	if err != nil {
		return nil, pathUsage(err)
	}
	all := slices.Concat(a.lacks, b.lacks, lacks(report))
	if report.Stopped {
		all = append(all, "what follows "+units.Of(report.Differences(), "difference")+" was not compared")
	}
	return report, out.finish(report, all)
}

// decodedText says how much of both sides was decoded.
func decodedText(r *diff.Report) string {
	return fmt.Sprintf("%d of %s of A and %d of %d of B decoded", r.Decoded[0].Groups, units.Of(r.Decoded[0].OfGroups, "row group"), r.Decoded[1].Groups, r.Decoded[1].OfGroups)
}
