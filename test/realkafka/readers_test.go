//go:build kafka

package realkafka

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/serve"
	"github.com/karchive/karchive/test/kafkatest"
)

// readable has what all libraries can read: the Python ones give up on header keys that are not UTF-8, of which torture.kinds has some.
const readable = "torture.readable"

// fillReadable writes null, empty and large payloads, and headers.
func fillReadable(t *testing.T, source *kafkatest.Broker) {
	t.Helper()
	client := newClient(t, source)
	createTopic(t, client, readable, 2, anyTime)
	var records []*kgo.Record
	for p := range int32(2) {
		for _, r := range append(kindsOfPayloads(), texts(readable, p, "text", 50)...) {
			r.Topic, r.Partition = readable, p
			r.Headers = []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a"}, {Key: "é", Value: []byte{}}}
			records = append(records, r)
		}
	}
	produce(t, client, records...)
}

// Python libraries and Java's consumer, of both group protocols, read from Kafka, and from the archive of it that is served. Both are what the archive has.
// It takes a minute for packages and programs to come, so it runs only when asked for: `make test-clients`.
func TestPythonAndJavaReadAServedArchiveAsTheyReadKafka(t *testing.T) {
	if os.Getenv("KARCHIVE_CLIENTS") == "" {
		t.Skip("KARCHIVE_CLIENTS is not set")
	}
	source, _ := newSource(t)
	fillReadable(t, source)
	topics := append(slices.Collect(maps.Keys(partitionsOf)), readable)
	dir := filepath.Join(t.TempDir(), "archive")
	createIn(t, dir, format.Parquet)
	mustCapture(t, source, dir, capture.Options{Topics: topics})
	archive := openArchive(t, dir)
	s, err := serve.Start(serve.Options{Sources: []serve.Source{{Archive: archive}}, TempDir: t.TempDir(), OnTrouble: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	brokers := map[string]string{"served": s.Addr(), "Kafka": source.Brokers()[0]}
	t.Run("python", func(t *testing.T) { readWithPython(t, archive, brokers) })
	t.Run("java", func(t *testing.T) { readWithJava(t, archive, brokers, source) })
}

func readWithPython(t *testing.T, archive *format.Archive, brokers map[string]string) {
	libraries := slices.Sorted(maps.Keys(pythonClients))
	python := pythonWith(t, append(libraries, snappy)...) // in which Kafka has the records
	want, counts := printed(t, archive, txns, compacted, trimmed, readable)
	for _, library := range libraries {
		for name, broker := range brokers {
			for _, isolation := range []string{"read_committed", "read_uncommitted"} {
				if name == "Kafka" && isolation == "read_uncommitted" {
					continue // it has what the archive has not
				}
				var stderr bytes.Buffer
				c := exec.CommandContext(t.Context(), python, append([]string{"reader.py", library, broker, isolation}, counts...)...)
				c.Stderr, c.WaitDelay = &stderr, time.Second
				out, err := c.Output()
				if err != nil {
					t.Fatalf("%s, %s, %s: %v: %s", library, name, isolation, err, stderr.String())
				}
				sameText(t, library+", "+name+", "+isolation, sortedLines(string(out)), want)
			}
		}
	}
}

func readWithJava(t *testing.T, archive *format.Archive, brokers map[string]string, tools *kafkatest.Broker) {
	topics := []string{kinds, txns, compacted, appendTime, trimmed, readable}
	want, _ := printed(t, archive, topics...)
	for _, protocol := range []string{"classic", "consumer"} {
		for name, broker := range brokers {
			var out bytes.Buffer
			if err := tools.Tool(t.Context(), &out, "Reader.java", append([]string{broker, protocol, fmt.Sprint(len(want))}, topics...)...); err != nil {
				t.Fatalf("%s, %s: %v", protocol, name, err)
			}
			sameText(t, protocol+", "+name, sortedLines(out.String()), want)
		}
	}
}

func sortedLines(text string) []string {
	return slices.Sorted(slices.Values(strings.Split(strings.TrimSuffix(text, "\n"), "\n")))
}

// printed is what an archive has of topics, as reader.py and Reader.java print it, sorted; and how many records each partition has.
func printed(t *testing.T, archive *format.Archive, topics ...string) (lines, counts []string) {
	t.Helper()
	for _, topic := range topics {
		var numbers []string
		for _, tp := range archive.Partitions() {
			if tp.Topic != topic {
				continue
			}
			records := archived(t, archive, tp)
			for i := range records {
				lines = append(lines, inHex(tp, &records[i]))
			}
			numbers = append(numbers, fmt.Sprint(len(records)))
		}
		counts = append(counts, topic+":"+strings.Join(numbers, ","))
	}
	slices.Sort(lines)
	return lines, counts
}

// beyondASCII is what Java and Go replace each in their way when it is not UTF-8.
var beyondASCII = regexp.MustCompile(`[^\x00-\x7f]+`)

func inHex(tp format.TopicPartition, r *format.Record) string {
	ms := "-"
	if r.TimestampMs > 0 {
		ms = fmt.Sprint(r.TimestampMs)
	}
	line := fmt.Sprintf("%s %d %d %d %s %s %s", tp.Topic, tp.Partition, r.Offset, r.LeaderEpoch, ms, payloadInHex(r.Key), payloadInHex(r.Value))
	for _, h := range r.Headers {
		line += fmt.Sprintf(" %x=%s", beyondASCII.ReplaceAllString(h.Key, "?"), payloadInHex(h.Value))
	}
	return line
}

func payloadInHex(b []byte) string {
	const most = 64
	switch {
	case b == nil:
		return "null"
	case len(b) > most:
		return fmt.Sprintf("%d:%x", len(b), sha256.Sum256(b))
	}
	return fmt.Sprintf("x%x", b)
}
