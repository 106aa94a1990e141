package selection

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/units"
)

// ErrPartitions is wrapped for text that is no list of partitions.
var ErrPartitions = errors.New("not a list of partitions: use numbers and ranges, such as 0,3-5")

// maxPartitions bounds a list, each spelling counted: a topic has at most some thousands of partitions, and a slip must not take all memory.
const maxPartitions = 100_000

// ParsePartitions reads numbers and inclusive ranges, such as 0,3-5, and returns them sorted, each once. Empty text is no partition.
func ParsePartitions(s string) ([]int32, error) {
	var out []int32
	for _, part := range units.SplitList(s) {
		first, last, ranged := strings.Cut(part, "-")
		if !ranged {
			last = first
		}
		from, err1 := strconv.ParseUint(strings.TrimSpace(first), 10, 31)
		to, err2 := strconv.ParseUint(strings.TrimSpace(last), 10, 31)
		if err1 != nil || err2 != nil || to < from || to-from >= uint64(maxPartitions-len(out)) {
			return nil, fmt.Errorf("%q: %w", s, ErrPartitions)
		}
		for n := from; n <= to; n++ {
			out = append(out, int32(n))
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// CheckPartitions returns a MissingPartitionError for a number that none of the topics has in any of the archives, with records or without.
func CheckPartitions(numbers []int32, topics []string, archives ...*format.Archive) error {
	for _, n := range numbers {
		if !slices.ContainsFunc(archives, func(a *format.Archive) bool { return hasPartition(a, topics, n) }) {
			return &MissingPartitionError{Partition: n}
		}
	}
	return nil
}

func hasPartition(a *format.Archive, topics []string, n int32) bool {
	return slices.ContainsFunc(a.Partitions(), func(tp format.TopicPartition) bool {
		return tp.Partition == n && slices.Contains(topics, tp.Topic)
	}) || slices.ContainsFunc(a.Identity().Topics, func(t origin.Topic) bool {
		return n >= 0 && n < t.Partitions && slices.Contains(topics, t.Name)
	})
}

// Partitions are those of the archive that lie in topics and have one of the numbers, of which none stands for all, in order.
func Partitions(a *format.Archive, topics []string, numbers []int32) []format.TopicPartition {
	return slices.DeleteFunc(a.Partitions(), func(tp format.TopicPartition) bool {
		return !slices.Contains(topics, tp.Topic) || len(numbers) > 0 && !slices.Contains(numbers, tp.Partition)
	})
}
