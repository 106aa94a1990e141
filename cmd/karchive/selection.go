package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/suggest"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/selection"
)

// selected is which records of an archive or cluster a command is about.
type selected struct {
	topics      cli.StringSlice
	partitions  []int32
	from, until string
	shard       routing.Shard // of replay
}

func (s *selected) flags() []cli.Flag {
	return []cli.Flag{
		s.topicsFlag(),
		parsed("partitions", "only these `PARTITIONS`, such as 0,3-5", "", &s.partitions, selection.ParsePartitions),
		&cli.StringFlag{Name: "from", Usage: "first `POSITION`, inclusive: beginning, end, offset:N, @MS, a date or time, -2h, end-2h", Destination: &s.from},
		&cli.StringFlag{Name: "until", Usage: "last `POSITION`, exclusive", Destination: &s.until},
	}
}

func (s *selected) topicsFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "topics", Aliases: []string{"t"}, Usage: "`TOPICS`: names and globs such as orders-*, in a comma list or repeated", Destination: &s.topics}
}

// names are the topics and globs, from comma lists and repeated flags.
func (s *selected) names() []string {
	return units.SplitList(strings.Join(s.topics.Value(), ","))
}

const positionsHint = "karchive help positions explains them"

// positions reads --from and --until.
func (s *selected) positions() (from, until selection.Position, err error) {
	if from, err = position("--from", s.from); err != nil {
		return from, until, err
	}
	until, err = position("--until", s.until)
	return from, until, err
}

// position reads a position; empty text is one that is not given.
func position(flag, text string) (selection.Position, error) {
	if text == "" {
		return selection.Position{}, nil
	}
	p, err := selection.ParsePosition(text)
	if err != nil {
		return p, &usageError{fmt.Sprintf("%s %v", flag, err), positionsHint}
	}
	return p, nil
}

// checkWindow refuses positions that select no records of any archive, before anything else is done.
func (s *selected) checkWindow() error {
	from, until, err := s.positions()
	if err != nil {
		return err
	}
	if err := selection.CheckWindow(from, until); err != nil {
		return usage("--%v", err)
	}
	return nil
}

// window is what --from and --until select of archives.
func (s *selected) window(e *env, archives ...*format.Archive) (format.Selection, error) {
	from, until, err := s.positions()
	if err != nil {
		return format.Selection{}, err
	}
	w, err := selection.Window(from, until, e.now(), archives...)
	if err != nil {
		return w, fmt.Errorf("--%w", err)
	}
	return w, nil
}

// takes says whether the selection has a partition.
func (s *selected) takes(tp format.TopicPartition) bool {
	names := s.names()
	return (len(names) == 0 || selection.MatchesAny(names, tp.Topic)) && (len(s.partitions) == 0 || slices.Contains(s.partitions, tp.Partition)) && s.shard.Takes(tp)
}

// among are the topics that are selected of those that there are. A name or a glob that none of them fits is an error.
func (s *selected) among(topics []string) ([]string, error) {
	names := s.names()
	for _, name := range names {
		if err := selection.CheckGlobs([]string{name}); err != nil {
			return nil, usage("%v", err)
		}
		if _, err := selection.Topics([]string{name}, topics, selection.Archive); err != nil {
			return nil, err
		}
	}
	if len(names) == 0 {
		return topics, nil
	}
	return selection.Topics(names, topics, selection.Archive)
}

// check refuses topics and partitions that none of the archives has.
func (s *selected) check(archives ...*format.Archive) (topics []string, err error) {
	if topics, err = s.among(selection.TopicsOf(archives...)); err != nil {
		return nil, err
	}
	return topics, selection.CheckPartitions(s.partitions, topics, archives...)
}

// chosen are the selected partitions of an archive, in order, and the window of their records.
func (s *selected) chosen(e *env, a *format.Archive) ([]format.TopicPartition, format.Selection, error) {
	topics, err := s.check(a)
	if err != nil {
		return nil, format.Selection{}, err
	}
	window, err := s.window(e, a)
	partitions := slices.DeleteFunc(selection.Partitions(a, topics, s.partitions), func(tp format.TopicPartition) bool { return !s.shard.Takes(tp) })
	return partitions, window, err
}

// topicHint says what a topic that is not there may be meant to be.
func topicHint(e *selection.MissingTopicError) string {
	if s := suggest.Nearest(e.Topic, e.Known); s != "" {
		return "did you mean " + s + "?"
	}
	if e.In == selection.Archive && len(e.Known) > 0 {
		return "the archive has " + strings.Join(e.Known, ", ")
	}
	return ""
}
