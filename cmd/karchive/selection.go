package main

import (
	"cmp"
	"errors"
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
	w, err := position.Window(cmp.Or(s.from, "beginning"), cmp.Or(s.until, "end"), e.now())
	if errors.Is(err, position.ErrInvalid) {
		return w, &usageError{"--" + err.Error(), positionsHint}
	}
	if err != nil {
		return w, usage("--%v", err)
	}
	return w, nil
}

const positionsHint = "karchive help positions explains them"

func (s *selection) position(e *env, flag, given, absent string) (position.Position, error) {
	if given == "" {
		given = absent
	}
	p, err := position.Parse(given, e.now())
	if err != nil {
		return p, &usageError{fmt.Sprintf("%s %v", flag, err), positionsHint}
	}
	return p, nil
}
