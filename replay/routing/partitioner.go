package routing

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

var errPartitioner = errors.New("not a partitioner: use keep, key, round-robin or a map like 0=3,1=0")

type partitionerKind int

const (
	keepKind partitionerKind = iota
	keyKind
	roundRobinKind
	tableKind
)

// Partitioner says into which partition of the target a record goes. The zero value is Keep. It is immutable.
type Partitioner struct {
	kind  partitionerKind
	table map[int32]int32
}

// The partitioners that need no table.
var (
	// Keep sends a record to the partition that it came from.
	Keep = Partitioner{}
	// ByKey hashes keys as Kafka's Java producer does (murmur2 over the target's number of partitions), so that topics replayed
	// into equally many partitions stay co-partitioned. Records with a null key go round-robin; an empty key is hashed.
	ByKey = Partitioner{kind: keyKind}
	// RoundRobin sends the records of each source partition to all partitions in turn, starting with its own.
	RoundRobin = Partitioner{kind: roundRobinKind}
)

// Table sends the records of a source partition to the partition that the table names; partitions that it does not name are kept.
func Table(table map[int32]int32) Partitioner {
	return Partitioner{kind: tableKind, table: maps.Clone(table)}
}

// ParsePartitioner reads keep, key, round-robin or a table such as 0=3,1=0.
func ParsePartitioner(s string) (Partitioner, error) {
	switch s {
	case "keep":
		return Keep, nil
	case "key":
		return ByKey, nil
	case "round-robin":
		return RoundRobin, nil
	}
	table := make(map[int32]int32)
	for entry := range strings.SplitSeq(s, ",") {
		from, to, err := parseTableEntry(entry)
		if err != nil {
			return Partitioner{}, fmt.Errorf("%q: %w", s, errPartitioner)
		}
		if _, twice := table[from]; twice {
			return Partitioner{}, fmt.Errorf("%q names partition %d twice: %w", s, from, errPartitioner)
		}
		table[from] = to
	}
	return Partitioner{kind: tableKind, table: table}, nil
}

func parseTableEntry(entry string) (from, to int32, err error) {
	left, right, _ := strings.Cut(entry, "=")
	f, err := strconv.ParseUint(strings.TrimSpace(left), 10, 31)
	if err != nil {
		return 0, 0, err
	}
	t, err := strconv.ParseUint(strings.TrimSpace(right), 10, 31)
	return int32(f), int32(t), err
}

// String spells the partitioner as ParsePartitioner reads it.
func (p Partitioner) String() string {
	switch p.kind {
	case keyKind:
		return "key"
	case roundRobinKind:
		return "round-robin"
	case tableKind:
		var out []string
		for _, from := range slices.Sorted(maps.Keys(p.table)) {
			out = append(out, fmt.Sprintf("%d=%d", from, p.table[from]))
		}
		return strings.Join(out, ",")
	}
	return "keep"
}

// Keeps says whether it is Keep.
func (p Partitioner) Keeps() bool { return p.kind == keepKind }

// Fixed is where all records of a source partition go, or ok false when it depends on the record.
func (p Partitioner) Fixed(source int32) (target int32, ok bool) {
	switch p.kind {
	case keepKind:
		return source, true
	case tableKind:
		if to, named := p.table[source]; named {
			return to, true
		}
		return source, true
	}
	return 0, false
}

// Router chooses target partitions for the records of one source partition, in their order. It is for one goroutine.
type Router struct {
	partitions int32
	fixed      int32                // the partition for all records; -1: it depends on the record
	byKey      kgo.TopicPartitioner // nil: keys do not matter
	turn       int32                // the next partition of the round
}

// Router returns one for a source partition that chooses among so many target partitions, after so many turns in earlier runs.
func (p Partitioner) Router(source, partitions int32, turns int64) *Router {
	r := &Router{partitions: partitions, fixed: -1, turn: int32((int64(source) + turns) % int64(partitions))}
	if target, ok := p.Fixed(source); ok {
		r.fixed = target
	}
	if p.kind == keyKind {
		r.byKey = kgo.StickyKeyPartitioner(nil).ForTopic("")
	}
	return r
}

// Route returns the partition of the next record, of which only the key matters, and whether it was the next one in turn.
func (r *Router) Route(rec *kgo.Record) (target int32, inTurn bool) {
	switch {
	case r.fixed >= 0:
		return r.fixed, false
	case r.byKey != nil && rec.Key != nil:
		return int32(r.byKey.Partition(rec, int(r.partitions))), false
	}
	target = r.turn
	r.turn = (r.turn + 1) % r.partitions
	return target, true
}
