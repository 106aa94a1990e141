package origin

import (
	"fmt"
	"slices"

	"github.com/karchive/karchive/internal/ondisk"
)

// Pruned says that the beginning of a partition was removed from an archive that held it: the offsets [From, Until). What lies before Until
// is of no interest to a reader, whether it is still there or not.
type Pruned struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"` // the first offset that was ever removed
	Until     int64  `json:"until"`
	At        string `json:"at"` // RFC 3339, UTC: the last time
	By        string `json:"by"` // what asked for it, such as "keep 30d"
}

// FindPruned is what was pruned of a partition, in place, among all sorted by topic and partition; nil: nothing.
func FindPruned(all []Pruned, topic string, number int32) *Pruned {
	i, ok := slices.BinarySearchFunc(all, partition{topic, number}, func(p Pruned, at partition) int {
		return partition{p.Topic, p.Partition}.compare(at)
	})
	if !ok {
		return nil
	}
	return &all[i]
}

// SortedPruned is a sorted copy.
func SortedPruned(all []Pruned) []Pruned {
	return slices.SortedFunc(slices.Values(all), func(a, b Pruned) int {
		return partition{a.Topic, a.Partition}.compare(partition{b.Topic, b.Partition})
	})
}

// CheckPruned refuses what cannot be pruned.
func CheckPruned(all []Pruned) error {
	for i, p := range all {
		if err := ondisk.CheckTopic(p.Topic); err != nil {
			return err
		}
		if i > 0 && (partition{all[i-1].Topic, all[i-1].Partition}).compare(partition{p.Topic, p.Partition}) >= 0 {
			return fmt.Errorf("what was pruned of %s-%d is there twice or out of order", p.Topic, p.Partition)
		}
		if p.Partition < 0 || p.From < 0 || p.Until <= p.From {
			return fmt.Errorf("from %d to %d of partition %d of topic %s, which was pruned, is no range", p.From, p.Until, p.Partition, p.Topic)
		}
	}
	return nil
}
