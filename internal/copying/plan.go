package copying

import (
	"fmt"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
)

// plan is what is copied, found out before anything is written.
type plan struct {
	partitions  []*partition // in order
	compression format.Compression

	rotateBytes, rotateRecords int64 // of the capture that all inputs agree about; 0: none
}

// partition is one of the new archive.
type partition struct {
	tp          format.TopicPartition
	source      origin.Source
	shares      []*share // in the order of the inputs
	from, until int64    // covered
}

// share is a partition of an input.
type share struct {
	input    *Input
	tp       format.TopicPartition // its name there
	encoding format.Encoding       // of its segments
	coverage format.Coverage
}

func newPlan(inputs []Input, o Options) (*plan, error) {
	p := &plan{}
	byName := map[format.TopicPartition]*partition{}
	for i := range inputs {
		if err := p.addInput(&inputs[i], byName); err != nil {
			return nil, err
		}
	}
	p.partitions = slices.DeleteFunc(p.partitions, func(one *partition) bool { return !one.clip(o.Window) })
	sortPartitions(p.partitions)
	for _, one := range p.partitions {
		if err := one.checkHoles(); err != nil {
			return nil, err
		}
		one.source.Rules = rulesOf(one.allRules(), o.Reshape, inputs)
	}
	return p, p.capture(inputs)
}

func (p *plan) addInput(in *Input, byName map[format.TopicPartition]*partition) error {
	encoding := in.Archive.Identity().Encoding
	for _, tp := range in.Archive.Partitions() {
		if in.Takes != nil && !in.Takes(tp) {
			continue
		}
		coverage, err := in.Archive.Coverage(tp)
		if err != nil {
			return fmt.Errorf("%s: %w", in.Name, err)
		}
		topic, err := in.rename(tp.Topic)
		if err != nil {
			return err
		}
		name := format.TopicPartition{Topic: topic, Partition: tp.Partition}
		one := byName[name]
		if one == nil {
			one = &partition{tp: name, source: coverage.Source}
			byName[name] = one
			p.partitions = append(p.partitions, one)
		}
		if err := one.add(&share{in, tp, encoding, coverage}); err != nil {
			return err
		}
	}
	return nil
}

func (in *Input) rename(topic string) (string, error) {
	if in.Topic == nil {
		return topic, nil
	}
	return in.Topic(topic)
}

func (p *partition) add(s *share) error {
	if len(p.shares) > 0 {
		if err := p.checkSource(p.shares[0], s); err != nil {
			return err
		}
	}
	p.shares = append(p.shares, s)
	return nil
}

// checkSource refuses what is not of one log, or was read of it in different ways. Rules may differ: what one left out, another may have.
func (p *partition) checkSource(first, s *share) error {
	a, b := first.coverage.Source, s.coverage.Source
	reason := ""
	switch {
	case first.input == s.input:
		reason = "two topics of one archive would become one"
	case a.ClusterID != b.ClusterID:
		reason = fmt.Sprintf("one is of cluster %s, the other of %s", orUnknown(a.ClusterID), orUnknown(b.ClusterID))
	case a.TopicID != b.TopicID:
		reason = fmt.Sprintf("one has the topic id %s, the other %s", orUnknown(a.TopicID), orUnknown(b.TopicID))
	case a.Isolation != b.Isolation:
		reason = fmt.Sprintf("one was read as %s, the other as %s", orUnknown(string(a.Isolation)), orUnknown(string(b.Isolation)))
	default:
		return nil
	}
	return &SourceError{p.tp.Topic, [2]string{first.input.Name, s.input.Name}, reason}
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// clip bounds what is covered by the offsets of a window, and says whether that leaves anything. Offsets of the window between shares stay: they
// are a hole also where the window ends before the next share.
func (p *partition) clip(w format.Selection) bool {
	p.from, p.until = p.shares[0].coverage.From, p.shares[0].coverage.Next
	for _, s := range p.shares {
		p.from, p.until = min(p.from, s.coverage.From), max(p.until, s.coverage.Next)
	}
	p.from = max(p.from, w.FromOffset)
	if w.UntilOffset != 0 {
		p.until = min(p.until, w.UntilOffset)
	}
	p.shares = slices.DeleteFunc(p.shares, func(s *share) bool { return s.coverage.Next <= p.from || s.coverage.From >= p.until })
	return p.from < p.until
}

// checkHoles refuses shares that do not overlap or adjoin.
func (p *partition) checkHoles() error {
	byOffset := slices.SortedFunc(slices.Values(p.shares), func(a, b *share) int { return int(min(max(a.coverage.From-b.coverage.From, -1), 1)) })
	at := p.from
	for _, s := range byOffset {
		if s.coverage.From > at {
			return &HoleError{p.tp, at, s.coverage.From}
		}
		at = max(at, s.coverage.Next)
	}
	if at < p.until {
		return &HoleError{p.tp, at, p.until}
	}
	return nil
}

func (p *partition) allRules() []string {
	var rules []string
	for _, s := range p.shares {
		rules = append(rules, s.coverage.Source.Rules)
	}
	return rules
}
