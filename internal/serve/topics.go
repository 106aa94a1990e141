package serve

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
)

// topic is an archived topic, as it is served.
type topic struct {
	name       string
	id         [16]byte
	configs    map[string]string
	partitions []*partition
}

// topics are all archived topics.
type topics struct {
	byName map[string]*topic
	byID   map[[16]byte]*topic
}

// newTopics finds out what the sources have.
func newTopics(sources []Source) (topics, error) {
	all := topics{map[string]*topic{}, map[[16]byte]*topic{}}
	for i := range sources {
		if err := all.add(&sources[i]); err != nil {
			return topics{}, err
		}
	}
	return all, nil
}

func (all *topics) add(s *Source) error {
	described := s.topics()
	for _, name := range slices.Sorted(maps.Keys(described)) {
		t, err := s.topic(described[name])
		if err != nil {
			return err
		}
		if t == nil {
			continue
		}
		if all.byName[t.name] != nil {
			return fmt.Errorf("two archives, or a renamed topic, have topic %s", t.name)
		}
		for t.id == [16]byte{} || all.byID[t.id] != nil {
			rand.Read(t.id[:])
		}
		all.byName[t.name], all.byID[t.id] = t, t
	}
	return nil
}

// topics describes the archive's topics, by name, also those that only segments tell of.
func (s *Source) topics() map[string]origin.Topic {
	found := map[string]origin.Topic{}
	for _, t := range s.Archive.Identity().Topics {
		found[t.Name] = t
	}
	for _, tp := range s.Archive.Partitions() {
		t := found[tp.Topic]
		t.Name = tp.Topic
		t.Partitions = max(t.Partitions, tp.Partition+1)
		found[t.Name] = t
	}
	return found
}

// topic is a topic as it is served; nil when it is not.
func (s *Source) topic(of origin.Topic) (*topic, error) {
	t := &topic{name: of.Name, configs: of.Configs}
	if s.Rename != nil {
		var err error
		if t.name, err = s.Rename(of.Name); err != nil {
			return nil, err
		}
	}
	if id, err := base64.RawURLEncoding.DecodeString(of.ID); err == nil && len(id) == len(t.id) {
		t.id = [16]byte(id)
	}
	some := false
	var g errgroup.Group
	g.SetLimit(measuredAtOnce)
	for n := range max(of.Partitions, 1) {
		tp := format.TopicPartition{Topic: of.Name, Partition: n}
		p := &partition{source: s, tp: tp, topic: t.name, epoch: format.NoLeaderEpoch}
		if s.Takes == nil || s.Takes(tp) {
			some = true
			g.Go(p.measure)
		}
		t.partitions = append(t.partitions, p)
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if !some {
		return nil, nil
	}
	return t, nil
}

// measuredAtOnce is how many partitions are measured at a time: for each its last segment is read, which takes a request in a bucket.
const measuredAtOnce = 16

// measure finds out the offsets that a partition is served from and to, and its leader epoch.
func (p *partition) measure() error {
	a := p.source.Archive
	resume, ok, err := a.Resume(p.tp)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", p.tp, err)
	case !ok:
		err = nil
		p.start = planned(a, p.tp)
		p.end = p.start
	default:
		p.start, p.end, p.epoch = a.Segments(p.tp)[0].Base, resume.Next, resume.LeaderEpoch
		err = p.narrow()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.tp, err)
	}
	p.high.Store(p.end)
	return nil
}

// planned is where a partition without a segment begins and ends.
func planned(a *format.Archive, tp format.TopicPartition) int64 {
	if plan := a.Identity().Capture; plan != nil {
		for _, r := range plan.Partitions {
			if r.Topic == tp.Topic && r.Partition == tp.Partition {
				return max(r.Start, 0)
			}
		}
	}
	return 0
}

// narrow applies the window.
func (p *partition) narrow() error {
	w := p.source.Window
	p.start = max(p.start, w.FromOffset)
	if w.UntilOffset != 0 {
		p.end = min(p.end, w.UntilOffset)
	}
	p.start = min(p.start, p.end)
	if w.From.IsZero() && w.Until.IsZero() {
		return nil
	}
	return p.narrowByTime()
}

// narrowByTime leaves out the row groups before the first and behind the last that may have a record in the window.
func (p *partition) narrowByTime() error {
	walk := p.source.Archive.Walk(p.tp, p.source.Window)
	first, end := p.end, p.start
	for {
		place, err := walk.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		g := place.Group()
		first, end = min(first, g.FirstOffset), g.LastOffset+1
	}
	p.start, p.end = max(p.start, min(first, p.end)), max(min(end, p.end), min(first, p.end))
	return nil
}

// find is the archived topic of a name or, where requests have ids, of an id; nil when there is none.
func (all *topics) find(name string, id [16]byte, byID bool) *topic {
	if byID {
		return all.byID[id]
	}
	return all.byName[name]
}

// partition is a partition of the topic; nil when it has no such number, and of a nil topic.
func (t *topic) partition(n int32) *partition {
	if t == nil || n < 0 || int(n) >= len(t.partitions) {
		return nil
	}
	return t.partitions[n]
}

// each calls do with all partitions, in order.
func (all *topics) each(do func(*partition)) {
	for _, name := range slices.Sorted(maps.Keys(all.byName)) {
		for _, p := range all.byName[name].partitions {
			do(p)
		}
	}
}
