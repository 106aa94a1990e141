//go:build kafka

package realkafka

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/serve"
	"github.com/karchive/karchive/test/kafkatest"
)

// servedArchive has text at the offsets 3 to 402 of two partitions, with gaps, a change of epoch and null values.
func servedArchive(t *testing.T) (a *format.Archive, lines []string) {
	t.Helper()
	fsys, err := storage.DirFS(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a, err = format.Create(fsys, format.Identity{Topics: []origin.Topic{{Name: "orders", Partitions: 2}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	for partition := range int32(2) {
		p, err := a.NewSegment(format.WriterOptions{Topic: "orders", Partition: partition, Base: 3})
		if err != nil {
			t.Fatal(err)
		}
		for i := range int64(400) {
			if i%10 == 9 {
				continue // a gap
			}
			r := format.Record{Offset: 3 + i, TimestampMs: 1e12 + i, LeaderEpoch: int32(i / 250), Key: fmt.Appendf(nil, "k%d", i), Value: fmt.Appendf(nil, "value %d", i)}
			if err := p.Write(&r); err != nil {
				t.Fatal(err)
			}
			if i%50 == 0 {
				if err := p.Cut(); err != nil {
					t.Fatal(err)
				}
			}
			lines = append(lines, fmt.Sprintf("%d %d %d %s %s", partition, r.Offset, r.TimestampMs, r.Key, r.Value))
		}
		if _, _, err := p.Seal(450); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(lines)
	return a, lines
}

func served(t *testing.T) (addr string, lines []string) {
	t.Helper()
	a, lines := servedArchive(t)
	s, err := serve.Start(serve.Options{Sources: []serve.Source{{Archive: a}}, TempDir: t.TempDir(), OnTrouble: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.Addr(), lines
}

// sameLines fails unless the client printed the archive's records, in any order of partitions.
func sameLines(t *testing.T, got string, want []string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(got), "\n")
	slices.Sort(lines)
	for i := range min(len(lines), len(want)) {
		if lines[i] != want[i] {
			t.Fatalf("line %d: got %q, want %q", i, lines[i], want[i])
		}
	}
	if len(lines) != len(want) {
		t.Errorf("got %d lines, want %d", len(lines), len(want))
	}
}

func TestJavasConsoleConsumerReadsAServedArchive(t *testing.T) {
	broker := kafkatest.Start(t, kafkatest.Options{}) // for its programs
	for _, protocol := range []string{"classic", "consumer"} {
		t.Run(protocol, func(t *testing.T) {
			addr, lines := served(t)
			var out bytes.Buffer
			err := broker.Tool(t.Context(), &out, "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", addr, "--topic", "orders", "--group", "g",
				"--consumer-property", "group.protocol="+protocol, "--consumer-property", "auto.offset.reset=earliest", "--consumer-property", "isolation.level=read_committed", "--max-messages", fmt.Sprint(len(lines)),
				"--property", "print.partition=true", "--property", "print.offset=true", "--property", "print.timestamp=true", "--property", "print.key=true", "--property", "key.separator= ")
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for line := range strings.Lines(out.String()) { // CreateTime:MS Partition:P Offset:O KEY VALUE
				f := strings.SplitN(strings.TrimSpace(line), " ", 4)
				if len(f) < 4 {
					t.Fatalf("got line %q", line)
				}
				fmt.Fprintln(&got, strings.TrimPrefix(f[1], "Partition:"), strings.TrimPrefix(f[2], "Offset:"), strings.TrimPrefix(f[0], "CreateTime:"), f[3])
			}
			sameLines(t, got.String(), lines)
		})
	}
}

func TestKcatReadsAServedArchive(t *testing.T) {
	if _, err := exec.LookPath("kcat"); err != nil {
		t.Skip("there is no kcat here")
	}
	addr, lines := served(t)
	out, err := exec.CommandContext(t.Context(), "kcat", "-C", "-b", addr, "-t", "orders", "-o", "beginning", "-e", "-q", "-f", "%p %o %T %k %s\n").Output()
	if err != nil {
		t.Fatal(err)
	}
	sameLines(t, string(out), lines)
	at := exec.CommandContext(t.Context(), "kcat", "-Q", "-b", addr, "-t", "orders:1:1000000000100")
	if out, err := at.Output(); err != nil || !strings.Contains(string(out), "offset 103") {
		t.Errorf("offset of a time: got %q, %v; want 103", out, err)
	}
}

// pythonClients print what they read of orders, each with a library of its own, in a group.
var pythonClients = map[string]string{
	"kafka-python": `
import sys
from kafka import KafkaConsumer
c = KafkaConsumer("orders", bootstrap_servers=sys.argv[1], group_id="g", auto_offset_reset="earliest", isolation_level="read_committed", consumer_timeout_ms=60000)
for n, m in enumerate(c):
    print(m.partition, m.offset, m.timestamp, m.key.decode(), m.value.decode())
    if n + 1 == int(sys.argv[2]): break
c.close()
`,
	"confluent-kafka": `
import sys
from confluent_kafka import Consumer
c = Consumer({"bootstrap.servers": sys.argv[1], "group.id": "g", "auto.offset.reset": "earliest"})
c.subscribe(["orders"])
for _ in range(int(sys.argv[2])):
    m = c.poll(60)
    assert m is not None and not m.error(), m and m.error()
    print(m.partition(), m.offset(), m.timestamp()[1], m.key().decode(), m.value().decode())
c.close()
`,
}

func TestPythonClientsReadAServedArchive(t *testing.T) {
	python := pythonWith(t, slices.Collect(maps.Keys(pythonClients))...)
	for name, program := range pythonClients {
		t.Run(name, func(t *testing.T) {
			addr, lines := served(t)
			cmd := exec.CommandContext(t.Context(), python, "-c", program, addr, fmt.Sprint(len(lines)))
			var stderr bytes.Buffer
			cmd.Stderr, cmd.WaitDelay = &stderr, time.Second
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, stderr.String())
			}
			sameLines(t, string(out), lines)
		})
	}
}

// pythonVersions are the pinned versions of the libraries, and of what one of them needs for a codec.
var pythonVersions = map[string]string{"kafka-python": "2.2.15", "confluent-kafka": "2.11.1", snappy: "0.7.3"}

const snappy = "python-snappy"

// pythonWith is a Python that has libraries; the test is skipped where they cannot be had.
func pythonWith(t *testing.T, libraries ...string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "karchive-python-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if out, err := exec.CommandContext(t.Context(), "python3", "-m", "venv", dir).CombinedOutput(); err != nil {
		t.Skipf("no Python with venv: %v: %s", err, out)
	}
	install := []string{"install", "-q"}
	for _, library := range libraries {
		install = append(install, library+"=="+pythonVersions[library])
	}
	if out, err := exec.CommandContext(t.Context(), dir+"/bin/pip", install...).CombinedOutput(); err != nil {
		t.Skipf("%s cannot be had: %v: %s", libraries, err, out)
	}
	return dir + "/bin/python"
}
