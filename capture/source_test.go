package capture

import (
	"maps"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
)

func TestWhatIsBehindIsCountedByTopic(t *testing.T) {
	at := func(topic string, at, high, end int64) *feed {
		return &feed{tp: format.TopicPartition{Topic: topic}, at: at, high: high, end: end}
	}
	s := &source{order: []*feed{at("orders", 10, 15, noEnd), at("orders", 10, 10, noEnd), at("orders", 10, 100, 12), at("users", 7, 5, noEnd)}}
	if got, want := s.behind(), map[string]lag{"orders": {7, 2}}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestALaneThatTakesNothingMoreEndsNoOtherOfItsPartition(t *testing.T) {
	left := 0
	s := newSource(t.Context(), nil, &kafka.Metadata{}, &settings{Options: Options{StallTimeout: time.Hour}})
	s.unreadable = func(error) { left++ }
	w := work{tp: format.TopicPartition{Topic: "orders"}, end: noEnd}
	first, second := make(chan chunk, 1), make(chan chunk, 1)
	s.add(w, first)
	old := s.feeds[w.tp]
	s.quit(w.tp, first) // another capture was faster; a fetch is under way
	s.add(w, second)
	s.leave(old, ErrCorruptBatch)
	if left != 0 || s.feeds[w.tp] == nil || s.feeds[w.tp] == old {
		t.Errorf("got %d partitions left, and %v, want none and the second lane", left, s.feeds[w.tp])
	}
	s.leave(s.feeds[w.tp], ErrCorruptBatch)
	if _, open := <-second; open || left != 1 || len(s.feeds) != 0 {
		t.Errorf("got %d partitions left, %d fed, want 1 and none", left, len(s.feeds))
	}
}
