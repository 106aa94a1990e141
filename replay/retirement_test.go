package replay

import (
	"fmt"
	"slices"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay/internal/checkpoint"
)

func TestTopicsAreForgottenWhenAllOfThemIsAnswered(t *testing.T) {
	var forgotten []string
	r := &retirement{
		forget: func(topics ...string) { forgotten = append(forgotten, topics...) },
		topics: map[string]*sentTopic{}, next: retireTopics,
	}
	waiting := newLedger(format.TopicPartition{Topic: "waiting"}, checkpoint.Partition{})
	waiting.enter(&chunk{ledger: waiting, entries: make([]entry, 1), undecided: 1, release: func() {}})
	r.add("waiting", waiting)
	var want []string
	for i := range retireTopics {
		name := fmt.Sprintf("topic %d", i)
		want = append(want, name)
		r.add(name, newLedger(format.TopicPartition{Topic: name}, checkpoint.Partition{}))
		r.add(name, newLedger(format.TopicPartition{Topic: name, Partition: 1}, checkpoint.Partition{}))
	}
	r.finished("waiting")
	for _, name := range want[1:] {
		r.finished(name)
		r.finished(name)
	}
	r.finished(want[0])
	slices.Sort(forgotten)
	slices.Sort(want)
	if got := want[:0:0]; !slices.Equal(forgotten, append(got, slices.DeleteFunc(slices.Clone(want), func(s string) bool { return s == "topic 0" })...)) {
		t.Errorf("got %d topics forgotten, want all of %d but topic 0, half of which is to come, and the one with a record in flight", len(forgotten), len(want))
	}
	(*retirement)(nil).finished("any")
}
