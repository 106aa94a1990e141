package replay

import (
	"os"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay/internal/checkpoint"
)

// sentRecord is a record of an archive, and where it went.
type sentRecord struct {
	from   int // the partition of the archive
	offset int64
	target int32
	at     int64 // in the target
}

// groupCase is what a fuzzer makes up: committed offsets in each of some partitions, and records, of which each is followed by a gap, left out,
// or sent to one of the partitions of the target, behind others.
type groupCase struct {
	committed [3][]int64
	sent      []sentRecord
	ends      [4]int64
	marks     map[format.TopicPartition][]checkpoint.Mark
}

func readGroupCase(b []byte) *groupCase {
	c := &groupCase{marks: map[format.TopicPartition][]checkpoint.Mark{}}
	next := func() int64 {
		if len(b) == 0 {
			return 0
		}
		n := int64(b[0])
		b = b[1:]
		return n
	}
	for from := range c.committed {
		for range next() % 4 {
			c.committed[from] = append(c.committed[from], next()%64)
		}
	}
	var offsets [3]int64
	var kept [3]checkpoint.Partition
	for len(b) > 0 {
		how := next()
		from := int(how % 3)
		offsets[from] += 1 + how/3%4 // a gap
		target := int32(how / 12 % 5)
		if target == 4 {
			continue // left out
		}
		c.ends[target] += 1 + how/60 // what others sent lies between
		one := sentRecord{from, offsets[from] - 1, target, c.ends[target] - 1}
		c.sent = append(c.sent, one)
		boundsOf(c.committed[from]).mark(&kept[from], &entry{offset: one.offset, fate: acknowledged, record: kgo.Record{Partition: target, Offset: one.at}})
	}
	for from := range kept {
		c.marks[sourceOf(from)] = kept[from].Marks
	}
	return c
}

func boundsOf(committed []int64) bounds {
	return append(bounds{}, committed...).sorted()
}

func sourceOf(from int) format.TopicPartition {
	return format.TopicPartition{Topic: "t", Partition: int32(from)}
}

// FuzzGroupPositions holds the position of a group, which goes by marks alone, against one that goes by every record: it misses nothing, and says
// whether it reads something twice.
func FuzzGroupPositions(f *testing.F) {
	if seeds, err := os.ReadDir("testdata/fuzz/" + f.Name()); err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds in testdata/fuzz/%s: %v", f.Name(), err)
	}
	f.Fuzz(func(t *testing.T, b []byte, which uint16) {
		if len(b) > 1<<12 {
			return
		}
		c := readGroupCase(b)
		p := positioner{marks: c.marks, ends: map[format.TopicPartition]int64{}}
		for target := range c.ends {
			p.ends[format.TopicPartition{Topic: "into", Partition: int32(target)}] = c.ends[target]
			at := GroupPosition{Topic: "into", Partition: int32(target)}
			var committed [3]int64
			for from, all := range c.committed {
				if committed[from] = -1; len(all) > 0 {
					committed[from] = all[int(which>>(4*from))%len(all)]
				}
				at.From = append(at.From, GroupSource{"t", int32(from), committed[from]})
			}
			if err := p.place(&at); err != nil {
				t.Fatal(err)
			}
			want, exact := c.position(int32(target), committed)
			if at.Offset != want || at.Exact != exact {
				t.Errorf("%v in target %d: got offset %d, exact %v; want %d, %v", committed, target, at.Offset, at.Exact, want, exact)
			}
		}
	})
}

// position goes by every record.
func (c *groupCase) position(target int32, committed [3]int64) (offset int64, exact bool) {
	first, last := int64(-1), int64(-1)
	for _, r := range c.sent {
		switch {
		case r.target != target:
		case r.offset < committed[r.from]:
			last = max(last, r.at)
		case first < 0:
			first = r.at
		}
	}
	switch {
	case first >= 0:
		return first, last < first
	case last >= 0:
		return last + 1, true
	}
	return c.ends[target], true
}
