//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
)

// How far archives grow. Twice as much is to cost twice as much.
var (
	growthPartitions = []int{1000, 5000, 10_000, 20_000}
	growthSegments   = []int{100, 1000, 10_000, 33_000}
	growthMillions   = []float64{1, 5, 20} // of records
)

// runGrowth measures commands on archives that grow in partitions, in topics, and in segments of the same records.
func (s *session) runGrowth() error {
	for _, n := range s.sizes(growthPartitions...) {
		if err := s.grown(fmt.Sprintf("%d partitions", n), func(a *format.Archive) error { return thin(a, 1, n) }); err != nil {
			return err
		}
		if err := s.grown(fmt.Sprintf("%d topics", n), func(a *format.Archive) error { return thin(a, n, 1) }); err != nil {
			return err
		}
	}
	for _, n := range s.sizes(growthSegments...) {
		if err := s.cut(n); err != nil {
			return err
		}
	}
	return nil
}

// runSizes measures ever more records beside the floors of each size, because a broker is slower where the page cache does not hold what it has.
func (s *session) runSizes() error {
	for _, millions := range growthMillions {
		t := topic{datasets["J1K"].scaled(millions * s.flags.share), 4, "none"}
		if err := s.fill(t); err != nil {
			return err
		}
		if err := s.alternate(s.flags.repeat, s.sized(s.consume(t), millions), s.sized(s.capture(t), millions)); err != nil {
			return err
		}
		if err := s.broker.drop(s.ctx, t.name()); err != nil {
			return err
		}
		err := s.alternate(s.flags.repeat, s.sized(s.command("verify --deep", t, "verify", "--deep"), millions), s.sized(s.replay(t), millions))
		if err != nil {
			return err
		}
		if err := s.forget(t); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) sized(m measure, millions float64) measure {
	m.name = fmt.Sprintf("%s, %g M", m.name, millions*s.flags.share)
	return m
}

// sizes scales them by the share, for a short look.
func (s *session) sizes(of ...int) (scaled []int) {
	for _, n := range of {
		scaled = append(scaled, max(1, int(float64(n)*s.flags.share)))
	}
	return scaled
}

// thin writes few records into each of many partitions.
func thin(a *format.Archive, topics, partitions int) error {
	for t := range topics {
		for p := range partitions {
			if err := smallSegment(a, fmt.Sprintf("topic-%05d", t), int32(p), 0, 3); err != nil {
				return err
			}
		}
	}
	return nil
}

// grown makes an archive and runs what reads archives on it.
func (s *session) grown(name string, write func(*format.Archive) error) error {
	dir := filepath.Join(s.dir, "growth")
	defer os.RemoveAll(dir)
	a, err := newArchive(dir)
	if err != nil {
		return err
	}
	defer a.Close()
	if err := write(a); err != nil {
		return err
	}
	return s.readGrown(name, dir, a.Partitions())
}

func (s *session) readGrown(name, dir string, partitions []format.TopicPartition) error {
	target, err := growthTarget(s.ctx, partitions)
	if err != nil {
		return err
	}
	defer target.Close()
	replay := []string{"-b", target.ListenAddrs()[0], "--quiet", "--force", "--connect-timeout", "2m"}
	return s.alternate(s.flags.repeat, s.onGrown("info", name, dir, "info"),
		s.onGrown("verify --deep", name, dir, "verify", "--deep"), s.onGrown("cat", name, dir, "cat"),
		s.writeGrown("copy --encoding arrow", name, dir, "copy", "--encoding", "arrow", "--quiet"),
		s.writeGrown("recover", name, dir, "recover", "--quiet"),
		s.onGrown("replay", name, dir, slices.Concat([]string{"replay"}, replay)...),
		s.onGrown("replay --limit 1", name, dir, slices.Concat([]string{"replay", "--limit", "1"}, replay)...),
		s.onGrown("replay, a window of one record", name, dir, slices.Concat([]string{"replay", "--from", "offset:0", "--until", "offset:1", "--partitions", "0", "-t", "topic-00000"}, replay)...),
		s.onGrown("replay --rate", name, dir, slices.Concat([]string{"replay", "--rate", "1000000/s"}, replay)...),
		s.onGrown("replay --speed", name, dir, slices.Concat([]string{"replay", "--speed", "1000000"}, replay)...))
}

// onGrown measures a command on an archive, which it is given behind its name.
func (s *session) onGrown(what, name, dir string, args ...string) measure {
	return measure{what + ", " + name, func() (usage, error) { return s.run(slices.Insert(slices.Clone(args), 1, dir)...) }}
}

// writeGrown measures a command that makes an archive of an archive.
func (s *session) writeGrown(what, name, dir string, args ...string) measure {
	return measure{what + ", " + name, func() (usage, error) {
		into := dir + "-made"
		defer os.RemoveAll(into)
		return s.run(slices.Insert(append(slices.Clone(args), "-o", into), 1, dir)...)
	}}
}

// growthTarget is an embedded broker with the partitions of an archive.
func growthTarget(ctx context.Context, partitions []format.TopicPartition) (*kfake.Cluster, error) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		return nil, err
	}
	counts := map[string]int32{}
	for _, tp := range partitions {
		counts[tp.Topic] = max(counts[tp.Topic], tp.Partition+1)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		c.Close()
		return nil, err
	}
	defer client.Close()
	for topic, n := range counts {
		if _, err := kadm.NewClient(client).CreateTopic(ctx, n, 1, map[string]*string{"retention.ms": kadm.StringPtr("-1")}, topic); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// cut captures the same records into n segments and runs what reads archives on them.
func (s *session) cut(n int) error {
	t := topic{datasets["J100"].scaled(0.35 * s.flags.share), 1, "none"}
	if err := s.broker.fill(s.ctx, t); err != nil {
		return err
	}
	defer s.broker.drop(s.ctx, t.name())
	dir, name := filepath.Join(s.dir, "growth"), fmt.Sprintf("%d segments", n)
	defer os.RemoveAll(dir)
	each := strconv.Itoa((t.data.records + n - 1) / n)
	err := s.alternate(1, measure{"capture, " + name, func() (usage, error) {
		return s.run("capture", "-b", s.broker.address, "-t", t.name(), "-o", dir, "--rotate-records", each, "--quiet")
	}})
	if err != nil {
		return err
	}
	return s.alternate(s.flags.repeat, s.onGrown("info", name, dir, "info"), s.onGrown("verify --deep", name, dir, "verify", "--deep"),
		s.onGrown("cat of a second", name, dir, "cat", "--from", "@1700000060000", "--until", "@1700000061000"),
		s.onGrown("cat of an offset", name, dir, "cat", "--from", "offset:700000", "--until", "offset:700001"),
		s.writeGrown("copy --encoding arrow", name, dir, "copy", "--encoding", "arrow", "--quiet"),
		s.writeGrown("recover", name, dir, "recover", "--quiet"))
}

// newArchive makes an empty archive in a new directory.
func newArchive(dir string) (*format.Archive, error) {
	if err := os.MkdirAll(dir, os.ModePerm); err != nil {
		return nil, err
	}
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return nil, err
	}
	return format.Create(fsys, format.Identity{ClusterID: "bench"})
}
