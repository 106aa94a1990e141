package imports

import "github.com/twmb/franz-go/pkg/kgo"

// Partitioner says which partition a record gets whose file names none.
type Partitioner string

// The partitioners.
const (
	ByKey      Partitioner = "key"         // as Kafka's producers hash keys; records without a key go to all in turn
	RoundRobin Partitioner = "round-robin" // to all in turn
)

// Partitioners lists the partitioners, the default first.
func Partitioners() []Partitioner { return []Partitioner{ByKey, RoundRobin} }

// partition is that of the next record of a topic.
func (i *importer) partition(t *topic, key []byte) int32 {
	n := i.options.Partitions
	if n <= 1 {
		return 0
	}
	if key != nil && i.options.Partitioner != RoundRobin {
		return int32(i.byKey.Partition(&kgo.Record{Key: key}, int(n)))
	}
	p := t.turn
	t.turn = (t.turn + 1) % n
	return p
}
