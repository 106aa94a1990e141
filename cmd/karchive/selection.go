package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/position"
	"github.com/karchive/karchive/internal/units"
)

// selection is which records of an archive or cluster a command is about.
type selection struct {
	topics     cli.StringSlice
	partitions []int32
	from       string
	until      string
}

// names are the topics and globs, from comma lists and repeated flags.
func (s *selection) names() []string {
	return units.SplitList(strings.Join(s.topics.Value(), ","))
}

func (s *selection) flags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "topics", Aliases: []string{"t"}, Usage: "`TOPICS`: names and globs such as orders-*, in a comma list or repeated", Destination: &s.topics},
		parsed("partitions", "only these `PARTITIONS`, such as 0,3-5", "", &s.partitions, units.ParsePartitions),
		&cli.StringFlag{Name: "from", Usage: "first `POSITION`, inclusive: beginning, end, offset:N, @MS, a date or time, -2h", Destination: &s.from},
		&cli.StringFlag{Name: "until", Usage: "last `POSITION`, exclusive", Destination: &s.until},
	}
}

// checkPositions refuses what is no position before anything else is done.
func (s *selection) checkPositions(e *env) error {
	if _, err := s.position(e, "--from", s.from, "beginning"); err != nil {
		return err
	}
	_, err := s.position(e, "--until", s.until, "end")
	return err
}

// window reads --from and --until as a selection by offset or timestamp.
func (s *selection) window(e *env) (format.Window, error) {
	var w format.Window
	from, err := s.position(e, "--from", s.from, "beginning")
	if err != nil {
		return w, err
	}
	until, err := s.position(e, "--until", s.until, "end")
	if err != nil {
		return w, err
	}
	switch from.Kind {
	case position.Offset:
		w.FromOffset = from.Offset
	case position.Time:
		w.FromMs = &from.Ms
	case position.End:
		return w, usage("--from end: an archive has no records after its end")
	}
	switch until.Kind {
	case position.Offset:
		w.UntilOffset = until.Offset
	case position.Time:
		w.UntilMs = &until.Ms
	}
	if until.Kind == position.Beginning || until.Kind == position.Offset && until.Offset == 0 {
		return w, usage("--until %s: there are no records before it", s.until)
	}
	return w, nil
}

func (s *selection) position(e *env, flag, given, absent string) (position.Position, error) {
	if given == "" {
		given = absent
	}
	p, err := position.Parse(given, e.now())
	if err != nil {
		return p, &usageError{fmt.Sprintf("%s %v", flag, err), "karchive help positions explains them"}
	}
	return p, nil
}
