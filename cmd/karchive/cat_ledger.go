package main

import (
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/jsonl"
)

// tell prints what the archive is of, and what is covered of partitions.
func (l *catLines) tell(r *openRecords, takes func(format.TopicPartition) bool) error {
	if r.rules != nil {
		return usage("--ledger is of what the archive has: it does not go with rules, which karchive import takes")
	}
	if err := l.about(&jsonl.About{Archive: aboutArchive(r.Archive.Identity(), takes)}); err != nil {
		return err
	}
	for _, tp := range r.Partitions {
		covered, err := aboutPartition(r.Archive, tp)
		if err != nil {
			return err
		}
		if err := l.about(&jsonl.About{Covered: covered}); err != nil {
			return err
		}
	}
	return nil
}

func (l *catLines) about(a *jsonl.About) (err error) {
	if l.line, err = jsonl.AppendAbout(l.line[:0], a); err != nil {
		return err
	}
	_, err = l.out.Write(l.line)
	return err
}

// aboutArchive is what there is to tell of an archive and of some of its partitions.
func aboutArchive(id format.Identity, takes func(format.TopicPartition) bool) *jsonl.Archive {
	about := &jsonl.Archive{ClusterID: id.ClusterID, Topics: []origin.Topic{}, Capture: id.Capture}
	for _, t := range id.Topics {
		some := false
		for n := range t.Partitions {
			some = some || takes(format.TopicPartition{Topic: t.Name, Partition: n})
		}
		if some {
			about.Topics = append(about.Topics, t)
		}
	}
	if about.Capture != nil {
		plan := *about.Capture
		plan.Partitions = slices.DeleteFunc(slices.Clone(plan.Partitions), func(p origin.PlanRange) bool {
			return !takes(format.TopicPartition{Topic: p.Topic, Partition: p.Partition})
		})
		for i := range plan.Partitions { // what was pruned is not said to be missing
			p := &plan.Partitions[i]
			if pruned := origin.FindPruned(id.Pruned, p.Topic, p.Partition); pruned != nil {
				p.Start = max(p.Start, pruned.Until)
			}
		}
		about.Capture = &plan
	}
	return about
}

func aboutPartition(a *format.Archive, tp format.TopicPartition) (*jsonl.Covered, error) {
	c, err := a.Coverage(tp)
	if err != nil {
		return nil, err
	}
	end, _, err := a.Resume(tp)
	if err != nil {
		return nil, err
	}
	return &jsonl.Covered{Topic: tp.Topic, Partition: tp.Partition, From: c.From, Next: c.Next, LeaderEpoch: end.LeaderEpoch,
		Control: c.Ledger.Control, Filtered: c.Ledger.Filtered, Gaps: c.Ledger.Ranges, Source: c.Source}, nil
}
