package serve

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/test/memfs"
)

const (
	cluster = "abcdefghijklmnopqrstuv"
	topicID = "AQIDBAUGBwgJCgsMDQ4PEA"
)

// log is what an archive has of a partition: its records, and what it covers.
type log struct {
	tp         format.TopicPartition
	base, next int64
	records    []format.Record
	cut        int // records a row group; 0: one
	segments   []int64
}

// newArchive makes an archive of logs. Each topic has as many partitions as it needs.
func newArchive(t testing.TB, logs ...log) (*format.Archive, *memfs.FS) {
	t.Helper()
	fsys := memfs.New(memfs.Options{})
	id := format.Identity{ClusterID: cluster}
	for _, l := range logs {
		i := slices.IndexFunc(id.Topics, func(o origin.Topic) bool { return o.Name == l.tp.Topic })
		if i < 0 {
			i = len(id.Topics)
			id.Topics = append(id.Topics, origin.Topic{Name: l.tp.Topic, Configs: map[string]string{"retention.ms": "-1"}})
			if i == 0 {
				id.Topics[i].ID = topicID
			}
		}
		id.Topics[i].Partitions = max(id.Topics[i].Partitions, l.tp.Partition+1)
	}
	slices.SortFunc(id.Topics, func(a, b origin.Topic) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	a, err := format.Create(fsys, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	for _, l := range logs {
		l.write(t, a)
	}
	return a, fsys
}

func (l *log) write(t testing.TB, a *format.Archive) {
	t.Helper()
	base := l.base
	for _, next := range append(slices.Clone(l.segments), l.next) {
		p, err := a.NewSegment(format.WriterOptions{Topic: l.tp.Topic, Partition: l.tp.Partition, Base: base, Source: origin.Source{ClusterID: cluster}})
		if err != nil {
			t.Fatal(err)
		}
		written := 0
		for i := range l.records {
			if r := &l.records[i]; r.Offset >= base && r.Offset < next {
				if err := p.Write(r); err != nil {
					t.Fatal(err)
				}
				if written++; l.cut > 0 && written%l.cut == 0 {
					if err := p.Cut(); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if _, _, err := p.Seal(next); err != nil {
			t.Fatal(err)
		}
		base = next
	}
}

func start(t testing.TB, o Options) *Server {
	t.Helper()
	o.TempDir = t.TempDir()
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func serving(t testing.TB, a *format.Archive) *Server {
	return start(t, Options{Sources: []Source{{Archive: a}}, OnTrouble: func(err error) { t.Error(err) }})
}

func client(t testing.TB, s *Server, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.Addr()), kgo.MetadataMinAge(10 * time.Millisecond)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// take polls until there are n records, and returns them by partition and offset.
func take(t testing.TB, c *kgo.Client, n int) []*kgo.Record {
	t.Helper()
	var out []*kgo.Record
	for len(out) < n {
		fetches := c.PollFetches(within(t))
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d of %d records: %v", len(out), n, err)
		}
		out = append(out, fetches.Records()...)
	}
	slices.SortStableFunc(out, func(a, b *kgo.Record) int {
		return bytes.Compare(fmt.Appendf(nil, "%s %9d %19d", a.Topic, a.Partition, a.Offset), fmt.Appendf(nil, "%s %9d %19d", b.Topic, b.Partition, b.Offset))
	})
	return out
}

// same fails unless the client got what the archive has.
func same(t testing.TB, got []*kgo.Record, logs ...log) {
	t.Helper()
	i := 0
	for _, l := range logs {
		for j := range l.records {
			if i == len(got) {
				t.Fatalf("got %d records, want more", len(got))
			}
			if g, w := described(got[i]), describe(l.tp, &l.records[j]); g != w {
				t.Fatalf("record %d:\n got %s\nwant %s", i, g, w)
			}
			i++
		}
	}
	if i != len(got) {
		t.Fatalf("got %d records, want %d", len(got), i)
	}
}

func describe(tp format.TopicPartition, r *format.Record) string {
	s := fmt.Sprintf("%s %d ms %d type %d epoch %d", tp, r.Offset, r.TimestampMs, max(r.TimestampType, 0), r.LeaderEpoch)
	s += payload(r.Key) + payload(r.Value)
	for _, h := range r.Headers {
		s += " " + h.Key + payload(h.Value)
	}
	return s
}

func described(r *kgo.Record) string {
	one := format.Record{Offset: r.Offset, TimestampMs: r.Timestamp.UnixMilli(), TimestampType: format.TimestampType(r.Attrs.TimestampType()),
		LeaderEpoch: r.LeaderEpoch, Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		one.Headers = append(one.Headers, format.Header(h))
	}
	return describe(format.TopicPartition{Topic: r.Topic, Partition: r.Partition}, &one)
}

func payload(b []byte) string {
	if b == nil {
		return " null"
	}
	if len(b) > 100 {
		return fmt.Sprintf(" %d bytes %x", len(b), ondisk.Digest(b))
	}
	return fmt.Sprintf(" %q", b)
}

var orders0 = format.TopicPartition{Topic: "orders", Partition: 0}

// plain is a log of a record at every offset, the n-th a second after the one before.
func plain(tp format.TopicPartition, base, next int64) log {
	l := log{tp: tp, base: base, next: next}
	for o := base; o < next; o++ {
		l.records = append(l.records, format.Record{Offset: o, TimestampMs: 1e12 + o*1000, Key: fmt.Appendf(nil, "k%d", o%7), Value: fmt.Appendf(nil, "%s value %d", tp, o)})
	}
	return l
}
