package format

import (
	"fmt"

	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
)

// Recover writes what from, an archive from OpenIntact, holds into another archive, which is open for writing and holds no segment yet. What
// is lost stands in the new archive's ledger as gaps of reason ledger.Corrupt, also of a partition of which nothing is left; its segments are
// cut as they were. After an error into holds a part of them and is not to be used.
func Recover(from, into *Archive, o ConvertOptions) error {
	source := from.Identity().sources()
	for _, tp := range from.holdings() {
		if err := recoverPartition(from, into, tp, source(tp.Topic), o); err != nil {
			return fmt.Errorf("recover: %w", err)
		}
	}
	return nil
}

// recoverPartition takes source for that of what is lost, until a segment tells it.
func recoverPartition(from, into *Archive, tp TopicPartition, source origin.Source, o ConvertOptions) error {
	covered, err := from.Coverage(tp)
	if err != nil {
		return err
	}
	next := covered.From
	for _, s := range from.list(tp) {
		made, err := copySegment(from, into, s, next, o)
		if err != nil {
			return err
		}
		next, source = made.NextOffset, made.Source
	}
	if next < covered.Next {
		return writeLost(into, tp, ledger.Gap{From: next, Until: covered.Next, Reason: ledger.Corrupt}, source)
	}
	return nil
}

// writeLost writes a segment of nothing but a gap.
func writeLost(into *Archive, tp TopicPartition, g ledger.Gap, source origin.Source) error {
	p, err := into.NewSegment(WriterOptions{Topic: tp.Topic, Partition: tp.Partition, Base: g.From, Source: source})
	if err != nil {
		return err
	}
	defer p.Discard() // does nothing after Seal
	if err := p.Gap(g); err != nil {
		return err
	}
	_, _, err = p.Seal(g.Until)
	return err
}

// sources says where a capture by the archive's plan takes the records of a topic from.
func (id Identity) sources() func(topic string) origin.Source {
	s := origin.Source{ClusterID: id.ClusterID}
	if id.Capture != nil {
		s.Isolation, s.Rules = id.Capture.Isolation, id.Capture.Rules
	}
	topicIDs := make(map[string]string, len(id.Topics))
	for _, t := range id.Topics {
		topicIDs[t.Name] = t.ID
	}
	return func(topic string) origin.Source {
		of := s
		of.TopicID = topicIDs[topic]
		return of
	}
}
