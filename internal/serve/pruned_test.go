package serve

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/memfs"
)

// shared is an archive that is served while another process changes it.
type shared struct {
	*Server
	logs   []log // two partitions of three segments each, with a leader epoch each
	writer *format.Archive
	fsys   *memfs.FS

	mu   sync.Mutex
	told []string
}

func serveShared(t *testing.T) *shared {
	t.Helper()
	s := &shared{}
	for p := range int32(2) {
		l := plain(format.TopicPartition{Topic: "orders", Partition: p}, 0, 60)
		l.cut, l.segments = 5, []int64{20, 40}
		for i := range l.records {
			l.records[i].LeaderEpoch = int32(i / 20)
		}
		s.logs = append(s.logs, l)
	}
	s.writer, s.fsys = newArchive(t, s.logs...)
	reader, err := format.Open(s.fsys)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = start(t, Options{Sources: []Source{{Archive: reader}}, OnTrouble: func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told = append(s.told, err.Error())
	}})
	return s
}

// prune removes all of partition 0 before offset 40.
func (s *shared) prune(t *testing.T) {
	t.Helper()
	if err := s.writer.Prune(map[format.TopicPartition]int64{orders0: 40}, "a test", time.Now()); err != nil {
		t.Fatal(err)
	}
}

// tells fails unless all that was said of the archive names partition 0 and has a text.
func (s *shared) tells(t *testing.T, text string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	said := map[string]int{}
	for _, line := range s.told {
		if said[line]++; said[line] > 1 || !strings.Contains(line, text) || !strings.Contains(line, "topic orders, partition 0") {
			t.Errorf("told %q, want partition 0 and %q, once", line, text)
		}
	}
	if len(said) == 0 {
		t.Errorf("nothing was said, want %q", text)
	}
}

func TestAPartitionBeginsWhereItDoesAfterAPrune(t *testing.T) {
	for name, ask := range map[string]func(t *testing.T, s *shared, c *kgo.Client) string{
		"a fetch": func(t *testing.T, s *shared, c *kgo.Client) string {
			p := fetched(t, c, 25, nil).Topics[0].Partitions[0]
			return fmt.Sprint(kerr.ErrorForCode(p.ErrorCode) == kerr.OffsetOutOfRange, p.LogStartOffset, len(p.RecordBatches))
		},
		"a time": func(t *testing.T, s *shared, c *kgo.Client) string {
			listed, err := kadm.NewClient(c).ListOffsetsAfterMilli(within(t), 1e12+25_000, "orders")
			one, _ := listed.Lookup("orders", 0)
			return fmt.Sprint(err == nil && one.Err == nil, one.Offset, 0)
		},
		"a leader epoch": func(t *testing.T, s *shared, c *kgo.Client) string {
			ends, err := kadm.NewClient(c).OffsetForLeaderEpoch(within(t), kadm.OffsetForLeaderEpochRequest{"orders": {0: 0}})
			one := ends["orders"][0]
			return fmt.Sprint(err == nil && one.Err == nil, one.EndOffset, one.LeaderEpoch)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveShared(t)
			c := client(t, s.Server, kgo.MaxVersions(fetchVersion(11)))
			fetched(t, c, 0, func(m *kmsg.FetchRequest) { m.Topics[0].Partitions[0].PartitionMaxBytes = 1 })
			s.prune(t)
			if got, want := ask(t, s, c), "true 40 0"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			start, err := kadm.NewClient(c).ListStartOffsets(within(t), "orders")
			if zero, _ := start.Lookup("orders", 0); err != nil || zero.Offset != 40 {
				t.Errorf("then it begins at %d, %v; want 40", zero.Offset, err)
			}
		})
	}
}

func TestConsumersGoOnBehindWhatWasPruned(t *testing.T) {
	s := serveShared(t)
	s.prune(t)
	c := client(t, s.Server, kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	rest := s.logs[0]
	rest.records = rest.records[40:]
	same(t, take(t, c, 80), rest, s.logs[1])
	s.tells(t, "pruned in the meantime")
}

func TestWhatWasDeletedIsAnErrorOfItsPartition(t *testing.T) {
	s := serveShared(t)
	for _, segment := range s.writer.Segments(orders0)[1:2] {
		if err := s.fsys.Remove(segment.Path); err != nil {
			t.Fatal(err)
		}
	}
	c := client(t, s.Server, kgo.MaxVersions(fetchVersion(11)))
	for range 3 {
		p := fetched(t, c, 20, nil).Topics[0].Partitions[0]
		if kerr.ErrorForCode(p.ErrorCode) != kerr.CorruptMessage || len(p.RecordBatches) > 0 || p.LogStartOffset != 0 {
			t.Fatalf("got error %d, %d bytes, start %d; want %v, none, 0", p.ErrorCode, len(p.RecordBatches), p.LogStartOffset, kerr.CorruptMessage)
		}
	}
	for p, offset := range map[int32]int64{0: 40, 1: 20} {
		got := fetched(t, c, offset, func(m *kmsg.FetchRequest) { m.Topics[0].Partitions[0].Partition = p }).Topics[0].Partitions[0]
		if got.ErrorCode != 0 || len(got.RecordBatches) == 0 {
			t.Errorf("partition %d, offset %d: got error %d, %d bytes; want records", p, offset, got.ErrorCode, len(got.RecordBatches))
		}
	}
	s.tells(t, "no such file")
}
