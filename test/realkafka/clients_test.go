//go:build kafka

package realkafka

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/serve"
	"github.com/karchive/karchive/test/kafkatest"
)

// readWithOtherLibraries reads records of all kinds with libraries that karchive does not use: from Kafka, and from the archive of it that is served.
// Both are what the archive has.
func readWithOtherLibraries(t *testing.T, source *kafkatest.Broker) {
	bin := filepath.Join(t.TempDir(), "clients")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".")
	build.Dir = "../clients"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dir := filepath.Join(t.TempDir(), "archive")
	createIn(t, dir, format.Parquet)
	mustCapture(t, source, dir, capture.Options{Topics: slices.Collect(maps.Keys(partitionsOf))})
	archive := openArchive(t, dir)
	s, err := serve.Start(serve.Options{Sources: []serve.Source{{Archive: archive}}, TempDir: t.TempDir(), OnTrouble: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, library := range libraries {
		t.Run(library.name, func(t *testing.T) {
			r := reading{library, bin, source.Brokers()[0], s.Addr()}
			for _, topic := range []string{kinds, txns, compacted, appendTime, trimmed} {
				r.checkPartitions(t, archive, topic)
			}
			r.checkGroup(t, archive, kinds)
			r.checkTimes(t, archive)
		})
	}
}

// library is what test/clients reads with.
type library struct {
	name    string
	folds   bool     // null is empty
	misread []string // topics that it misreads in Kafka: it shows transaction markers, or other timestamps than those that the broker set
}

// Both libraries count time in nanoseconds: the topic farFuture is too much for them.
var libraries = []library{{"sarama", false, nil}, {"kafka-go", true, []string{txns, appendTime}}}

// reading is a library that reads from Kafka and from what is served of its archive.
type reading struct {
	library
	bin, source, served string
}

func (r *reading) run(t *testing.T, mode, broker, topic string, args ...string) []string {
	t.Helper()
	var stderr bytes.Buffer
	c := exec.CommandContext(t.Context(), r.bin, append([]string{r.name, mode, broker, topic}, args...)...)
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s of %s at %s: %v: %s", r.name, mode, topic, broker, err, stderr.String())
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// checkPartitions compares all records. What an archive has was committed, so read_uncommitted of it is that, too.
func (r *reading) checkPartitions(t *testing.T, archive *format.Archive, topic string) {
	t.Helper()
	var counts, want []string
	for p := range partitionsOf[topic] {
		records := archived(t, archive, format.TopicPartition{Topic: topic, Partition: p})
		counts = append(counts, strconv.Itoa(len(records)))
		for i := range records {
			want = append(want, r.line(p, &records[i]))
		}
	}
	sameText(t, topic+" served", r.run(t, "read", r.served, topic, counts...), want)
	sameText(t, topic+" served, uncommitted too", r.run(t, "dirty", r.served, topic, counts...), want)
	if !slices.Contains(r.misread, topic) {
		sameText(t, topic+" in Kafka", r.run(t, "read", r.source, topic, counts...), want)
	}
}

// checkGroup reads a topic as members of a group, one after the other.
func (r *reading) checkGroup(t *testing.T, archive *format.Archive, topic string) {
	t.Helper()
	var want []string
	for p := range partitionsOf[topic] {
		records := archived(t, archive, format.TopicPartition{Topic: topic, Partition: p})
		for i := range records {
			want = append(want, r.line(p, &records[i]))
		}
	}
	half := len(want) / 2
	got := r.run(t, "group", r.served, topic, r.name, strconv.Itoa(half))
	got = append(got, r.run(t, "group", r.served, topic, r.name, strconv.Itoa(len(want)-half))...)
	slices.Sort(got)
	slices.Sort(want)
	sameText(t, topic+" by a group", got, want)
}

// checkTimes looks up the times of records at the start, in the middle and at the end of logs with gaps.
func (r *reading) checkTimes(t *testing.T, archive *format.Archive) {
	t.Helper()
	for topic, partition := range map[string]int32{kinds: 1, compacted: 1, trimmed: 0} {
		records := archived(t, archive, format.TopicPartition{Topic: topic, Partition: partition})
		for _, i := range []int{0, len(records) / 2, len(records) - 1} {
			args := []string{strconv.Itoa(int(partition)), strconv.FormatInt(max(records[i].TimestampMs, 0), 10)}
			sameText(t, fmt.Sprintf("%s since %s", topic, args[1]), r.run(t, "since", r.served, topic, args...), r.run(t, "since", r.source, topic, args...))
		}
	}
}

func sameText(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("%s, line %d:\n got %s\nwant %s", what, i, got[i], want[i])
			return
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: got %d lines, want %d", what, len(got), len(want))
	}
}

// line is a record as test/clients prints it.
func (l *library) line(partition int32, r *format.Record) string {
	ms := "-"
	if r.TimestampMs > 0 {
		ms = strconv.FormatInt(r.TimestampMs, 10)
	}
	line := fmt.Sprintf("%d %d %s %s %s", partition, r.Offset, ms, l.payload(r.Key), l.payload(r.Value))
	for _, h := range r.Headers {
		line += fmt.Sprintf(" %q=%s", h.Key, l.payload(h.Value))
	}
	return line
}

func (l *library) payload(b []byte) string {
	const most = 64
	switch {
	case b == nil || l.folds && len(b) == 0:
		return "null"
	case len(b) > most:
		return fmt.Sprintf("%d:%x", len(b), sha256.Sum256(b))
	}
	return fmt.Sprintf("%q", b)
}
