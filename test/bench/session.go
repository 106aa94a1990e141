//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
)

// session is one run of the bench.
type session struct {
	ctx      context.Context
	dir      string
	karchive string
	broker   *broker
	flags    flags
	table    table
	procs    int // of all processes
	replays  int
}

// measure is one thing to be measured.
type measure struct {
	name string // of its row
	run  func() (usage, error)
}

// alternate runs all measures as often as asked, one after the other, so that a slow moment of the machine meets them all.
func (s *session) alternate(repeat int, measures ...measure) error {
	for range repeat {
		for _, m := range measures {
			u, err := m.run()
			if err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			fmt.Fprintf(os.Stderr, "bench: %-40s %6.2f s wall %6.2f s CPU %5d MB\n", m.name, u.Wall, u.CPU, u.RSS>>20)
			s.table.add(m.name, u)
		}
	}
	return nil
}

// encoding is on how many goroutines a capture encodes, and info reads.
func (s *session) encoding() string { return strconv.Itoa(s.procs) }

// reading is on how many goroutines verify works; and a replay of four partitions, as far as the broker lets it.
func (s *session) reading() string { return strconv.Itoa(min(s.procs, 4)) }

// run measures a karchive command.
func (s *session) run(args ...string) (usage, error) {
	u, _, err := runProcess(s.ctx, s.karchive, args...)
	u.Karchive = true
	return u, err
}

func (s *session) topic(name string, partitions int, codec string) topic {
	return topic{datasets[name].scaled(s.flags.share), partitions, codec}
}

func (s *session) share() string { return strconv.FormatFloat(s.flags.share, 'g', -1, 64) }

func (s *session) archive(t topic) string { return filepath.Join(s.dir, "archive-"+t.name()) }

func (s *session) consume(t topic) measure {
	return measure{"consume " + t.name(), func() (usage, error) {
		return runWorker(s.ctx, "consume", s.broker.address, t.name())
	}}
}

// arrow is where the archive of a topic in the other encoding is.
func (s *session) arrow(t topic) string { return s.archive(t) + "-arrow" }

// capture measures a capture into a new archive, and leaves the last one for others.
func (s *session) capture(t topic) measure {
	return s.captureAs("capture "+t.name(), t, format.Parquet, s.archive(t))
}

func (s *session) captureArrow(t topic) measure {
	return s.captureAs("capture as Arrow "+t.name(), t, format.Arrow, s.arrow(t))
}

func (s *session) captureAs(name string, t topic, e format.Encoding, dir string) measure {
	return measure{name, func() (usage, error) {
		if err := os.RemoveAll(dir); err != nil {
			return usage{}, err
		}
		u, err := s.run("capture", "-b", s.broker.address, "-t", t.name(), "-o", dir, "--encoding", string(e), "--quiet")
		if err != nil {
			return u, err
		}
		u.Records = int64(t.data.records)
		u.Bytes, u.Out, err = sizes(dir)
		return u, err
	}}
}

// sizes returns the canonical bytes of an archive's records and the size of its files.
func sizes(dir string) (canonical, disk int64, err error) {
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return 0, 0, err
	}
	a, err := format.Open(fsys)
	if err != nil {
		return 0, 0, err
	}
	defer a.Close()
	for _, tp := range a.Partitions() {
		c, err := a.Coverage(tp)
		if err != nil {
			return 0, 0, err
		}
		canonical, disk = canonical+c.Bytes, disk+c.DiskBytes
	}
	return canonical, disk, nil
}

func (s *session) zstd(t topic, level string) measure {
	return measure{"zstd -" + level + " " + t.data.name, func() (usage, error) {
		return runWorker(s.ctx, "zstd", t.data.name, s.share(), level, s.encoding())
	}}
}

func (s *session) unzstd(t topic) measure {
	return measure{"zstd decode " + t.data.name, func() (usage, error) {
		return runWorker(s.ctx, "unzstd", t.data.name, s.share(), "1", s.reading())
	}}
}

func (s *session) check(t topic) measure {
	return measure{"check " + t.data.name, func() (usage, error) {
		return runWorker(s.ctx, "check", t.data.name, s.share(), "1", s.reading())
	}}
}

func (s *session) hash(t topic) measure {
	return measure{"SHA-256 " + t.name(), func() (usage, error) { return runWorker(s.ctx, "hash", s.archive(t), s.reading()) }}
}

// produce and replay write to a topic of their own, which goes when they end.
func (s *session) produce(t topic) measure {
	return measure{"produce " + t.name(), func() (usage, error) {
		name := s.target(t)
		if err := s.broker.create(s.ctx, name, t.partitions); err != nil {
			return usage{}, err
		}
		u, err := runWorker(s.ctx, "produce", s.broker.address, name, strconv.Itoa(t.partitions), t.data.name, s.share(), t.codec)
		if err != nil {
			return u, err
		}
		return u, s.broker.drop(s.ctx, name)
	}}
}

func (s *session) replay(t topic) measure {
	return measure{"replay " + t.name(), func() (usage, error) {
		name := s.target(t)
		if err := s.broker.create(s.ctx, name, t.partitions); err != nil {
			return usage{}, err
		}
		u, err := s.run("replay", s.archive(t), "-b", s.broker.address, "--map", t.name()+":="+name,
			"--allow-source-cluster", "--compression", t.codec, "--quiet")
		if err != nil {
			return u, err
		}
		u.Records = int64(t.data.records)
		if u.Bytes, _, err = sizes(s.archive(t)); err != nil {
			return u, err
		}
		return u, s.broker.drop(s.ctx, name)
	}}
}

func (s *session) target(t topic) string {
	s.replays++
	return fmt.Sprintf("target-%d-%s", s.replays, t.name())
}

// arrowCommand measures a karchive command on the archive that captureArrow left.
func (s *session) arrowCommand(name string, t topic, args ...string) measure {
	return measure{name + " of Arrow " + t.name(), func() (usage, error) { return s.onArchive(s.arrow(t), args...) }}
}

// command measures a karchive command on an archive.
func (s *session) command(name string, t topic, args ...string) measure {
	return measure{name + " " + t.name(), func() (usage, error) { return s.onArchive(s.archive(t), args...) }}
}

// duplicate measures what a copy without decoding cannot leave out, with the usual tools.
func (s *session) duplicate(t topic) measure {
	return measure{"cp and sha256sum " + t.name(), func() (usage, error) {
		to := s.archive(t) + "-duplicate"
		defer os.RemoveAll(to)
		u, _, err := runProcess(s.ctx, "sh", "-c", `cp -r "$0" "$1" && find "$1/data" -type f -exec sha256sum {} + && sync -f "$1"`, s.archive(t), to)
		u.Goroutines = 1
		return u, err
	}}
}

// copy measures a copy into a new archive.
func (s *session) copy(name string, t topic, flags ...string) measure {
	return measure{name + " " + t.name(), func() (usage, error) {
		to := s.archive(t) + "-copy"
		defer os.RemoveAll(to)
		return s.onArchive(s.archive(t), append([]string{"copy", "-o", to, "--quiet"}, flags...)...)
	}}
}

// deep measures a deep check of an archive and another of the same records.
func (s *session) deep(t topic, other string) measure {
	return measure{"verify --deep of both " + t.name(), func() (usage, error) {
		u, err := s.onArchive(s.archive(t), "verify", "--deep")
		if err != nil {
			return u, err
		}
		more, err := s.onArchive(other, "verify", "--deep")
		u.Wall, u.CPU, u.RSS, u.Bytes, u.Out = u.Wall+more.Wall, u.CPU+more.CPU, max(u.RSS, more.RSS), u.Bytes+more.Bytes, u.Out+more.Out
		return u, err
	}}
}

// packed is where the packed archive of a topic goes.
func (s *session) packed(t topic) string { return s.archive(t) + ".karchive" }

func (s *session) onArchive(dir string, args ...string) (usage, error) {
	canonical, disk, err := sizes(dir)
	if err != nil {
		return usage{}, err
	}
	for _, made := range []string{dir + ".karchive", dir + ".karchive.html"} {
		os.Remove(made) // of the run before
	}
	u, err := s.run(append(args, dir)...)
	u.Bytes, u.Out = canonical, disk
	return u, err
}

func (s *session) window(t topic) measure {
	return measure{"1 % time window " + t.name(), func() (usage, error) { return runWorker(s.ctx, "window", s.archive(t)) }}
}

func (s *session) kafkaConsumer(t topic) measure {
	return measure{"Kafka's ConsumerPerformance " + t.name(), func() (usage, error) {
		u, err := s.broker.tool(s.ctx, "org.apache.kafka.tools.ConsumerPerformance", "--bootstrap-server", s.broker.address,
			"--topic", t.name(), "--messages", strconv.Itoa(t.data.records), "--timeout", "60000")
		u.Records = int64(t.data.records)
		return u, err
	}}
}

func (s *session) kafkaProducer(t topic) measure {
	return measure{"Kafka's ProducerPerformance " + t.name(), func() (usage, error) {
		name := s.target(t)
		if err := s.broker.create(s.ctx, name, t.partitions); err != nil {
			return usage{}, err
		}
		u, err := s.broker.tool(s.ctx, "org.apache.kafka.tools.ProducerPerformance", "--topic", name, "--num-records",
			strconv.Itoa(t.data.records), "--record-size", "1000", "--throughput", "-1", "--producer-props", "bootstrap.servers="+s.broker.address, "acks=all")
		u.Records = int64(t.data.records)
		if err != nil {
			return u, err
		}
		return u, s.broker.drop(s.ctx, name)
	}}
}

// kcat is measured where it is installed.
func (s *session) kcat(t topic) []measure {
	path, err := exec.LookPath("kcat")
	if err != nil {
		return nil
	}
	return []measure{{"kcat -J " + t.name(), func() (usage, error) {
		out := filepath.Join(s.dir, "kcat.jsonl")
		defer os.Remove(out)
		u, _, err := runProcess(s.ctx, "sh", "-c", strings.Join([]string{"exec", path, "-C", "-e", "-q", "-J", "-o", "beginning", "-b", s.broker.address,
			"-t", t.name(), ">", out}, " "))
		if info, statErr := os.Stat(out); statErr == nil {
			u.Out = info.Size()
		}
		u.Records = int64(t.data.records)
		return u, err
	}}}
}

// manySegments makes an archive of n segments with few records.
func (s *session) manySegments(n int) (dir string, err error) {
	dir = filepath.Join(s.dir, "archive-many")
	if err := os.RemoveAll(dir); err != nil && !os.IsNotExist(err) {
		return "", err
	}
	a, err := newArchive(dir)
	if err != nil {
		return "", err
	}
	defer a.Close()
	const partitions, records = 20, 10
	for i := range n {
		if err := smallSegment(a, "many", int32(i%partitions), int64(i/partitions)*records, records); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func smallSegment(a *format.Archive, topic string, partition int32, base, records int64) error {
	p, err := a.NewSegment(format.WriterOptions{Topic: topic, Partition: partition, Base: base, Source: origin.Source{ClusterID: "bench"}})
	if err != nil {
		return err
	}
	for i := range records {
		if err := p.Write(&format.Record{Offset: base + i, TimestampMs: firstTimestamp + base + i, Value: []byte("small")}); err != nil {
			return err
		}
	}
	_, _, err = p.Seal(base + records)
	return err
}
