package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/outcome"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/selection"
)

// diffSide is a side of a comparison that is open.
type diffSide struct {
	diff.Side
	name  string   // as it was given
	lacks []string // of what it was to hold
	close func()
}

// topicURL and topicPrefix begin a side that is a topic.
const (
	topicURL    = "kafka://"
	topicPrefix = "topic:"
)

func (o *diffOptions) openSides(ctx context.Context, e *env) (a, b *diffSide, err error) {
	if a, err = o.openSide(ctx, e, 0); err != nil {
		return nil, nil, err
	}
	if b, err = o.openSide(ctx, e, 1); err != nil {
		a.close()
	}
	return a, b, err
}

func (o *diffOptions) openSide(ctx context.Context, e *env, i int) (*diffSide, error) {
	s := &diffSide{name: o.sides[i]}
	if i == 0 && len(o.mapping) > 0 {
		s.Name = o.renamed
	}
	connection, topics, live, err := o.live(o.sides[i])
	if err != nil {
		return nil, err
	}
	if live {
		return s, s.capture(ctx, e, connection, topics, o.partitions)
	}
	if s.Archive, err = openArchive(e, s.name); err != nil {
		return nil, err
	}
	s.Archive.IgnoreCatalog()
	s.close = func() { s.Archive.Close() }
	s.lacks = e.warnSelected(s.name, s.Archive, &o.selected)
	return s, nil
}

// renamed is the topic of the second side that a topic of the first is compared with. A name that Kafka would refuse has no counterpart.
func (o *diffOptions) renamed(topic string) string {
	name, err := o.mapping.Topic(topic)
	if err != nil {
		return topic
	}
	return name
}

// live says how to reach a side that is a topic.
func (o *diffOptions) live(name string) (c connection, topics []string, live bool, err error) {
	c = o.connection
	if names, ok := strings.CutPrefix(name, topicPrefix); ok {
		return c, units.SplitList(names), true, nil
	}
	if !strings.HasPrefix(name, topicURL) {
		return c, nil, false, nil
	}
	u, err := url.Parse(name)
	if err != nil || u.User != nil || u.Host == "" || len(u.Path) < 2 || u.RawQuery != "" || u.Fragment != "" {
		return c, nil, true, &usageError{"a side that begins with kafka:// and is not kafka://HOST:PORT/TOPIC", "user and password go into --config FILE"}
	}
	c.brokers = *cli.NewStringSlice(u.Host)
	return c, units.SplitList(u.Path[1:]), true, nil
}

// capture copies what topics hold now into a temporary archive, so that both sides are compared as they were at one moment.
func (s *diffSide) capture(ctx context.Context, e *env, c connection, topics []string, partitions []int32) (err error) {
	cfg, opts, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	aside.RemoveLeftovers()
	t, err := aside.CreateTemporary()
	if err != nil {
		return err
	}
	s.close = t.End
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	progress := newProgress(e, "capture")
	defer progress.done()
	into, report, err := outcome.Capture(ctx, opts, t.Dir, madeBy(), capture.Options{Topics: topics, Partitions: partitions,
		ConnectTimeout: c.timeout, Now: e.now, OnProgress: func(p capture.Progress) { progress.set(p.Offsets, p.PlannedOffsets, captureProgress(p)) }})
	if err != nil {
		return captureHint(err, cfg.Explain(err))
	}
	s.Archive, s.close = into, func() { into.Close(); t.End() }
	if report.Lost() > 0 {
		lost := fmt.Sprintf("%s: the cluster had deleted %s before they could be read", s.name, units.Of(report.Lost(), "record"))
		s.lacks = []string{lost}
		e.warnf("%s", lost)
	}
	return nil
}

// selectTopics applies the selection to both sides. A name counts as the topics are compared.
func (o *diffOptions) selectTopics(e *env, a, b *diffSide) error {
	w, err := o.window(e, a.Archive, b.Archive)
	if err != nil {
		return err
	}
	e.warnUnused(o.mapping, a.Archive)
	names := o.names()
	var all []string
	for _, s := range []*diffSide{a, b} {
		s.Selection = w
		s.Selection.Partitions = o.partitions
		for _, topic := range selection.TopicsOf(s.Archive) {
			name := s.compared(topic)
			all = append(all, name)
			if selection.MatchesAny(names, name) {
				s.Selection.Topics = append(s.Selection.Topics, topic)
			}
		}
	}
	if _, err := o.among(slices.Compact(slices.Sorted(slices.Values(all)))); err != nil {
		return err
	}
	for _, s := range []*diffSide{a, b} {
		if len(names) > 0 && len(s.Selection.Topics) == 0 {
			return fmt.Errorf("%s has none of the topics that are compared", s.name)
		}
	}
	return nil
}

// readSides loads what is needed to read payloads that are by a schema.
func (o *diffOptions) readSides(ctx context.Context, e *env, rules *reshape.Pipeline, sides ...*diffSide) error {
	for _, s := range sides {
		var err error
		if s.Schemas, err = o.schemas(ctx, e, s.Archive); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	compared := func(tp format.TopicPartition) bool {
		return slices.ContainsFunc(sides, func(s *diffSide) bool {
			return len(s.Selection.Topics) == 0 || slices.Contains(s.Selection.Topics, tp.Topic)
		})
	}
	if rules == nil && o.readsPayloads() {
		o.warnUnread(e, sides[0].Archive, sides[1].Archive)
		return nil
	}
	return o.load(ctx, e, rules, compared, sides[0].Archive, sides[1].Archive)
}

// readsPayloads says whether payloads are paired or compared by what they say.
func (o *diffOptions) readsPayloads() bool {
	c := &o.compare
	return c.JSON || c.Pair == diff.ByPath || len(c.Tolerance) > 0 || slices.ContainsFunc(c.Ignore, func(p string) bool { return strings.ContainsAny(p, ".[") })
}

func (s *diffSide) compared(topic string) string {
	if s.Name == nil {
		return topic
	}
	return s.Name(topic)
}

// pathUsage makes a wrong command line of an error about a path.
func pathUsage(err error) error {
	option, wrong := errors.AsType[*diff.OptionError](err)
	switch {
	case wrong:
		return usage("%v", option)
	case errors.Is(err, reshape.ErrPath):
		return usage("%v", err)
	}
	return err
}
