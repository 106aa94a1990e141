package capture

import (
	"maps"
	"testing"

	"github.com/karchive/karchive/format"
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
