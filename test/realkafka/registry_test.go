//go:build kafka

package realkafka

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/karchive/karchive/test/kafkatest"
	"github.com/karchive/karchive/test/registrytest"
)

// pythonEnv names the environment variable with a Python that has what requirements.txt says.
const pythonEnv = "KARCHIVE_PYTHON"

// registries are two clusters, each with a registry of its own.
type registries struct {
	source, target *kafkatest.Broker
	from, into     *kafkatest.Registry
	bin, dir       string
	python         string
}

// stockPython is a Python with the stock serializers.
func stockPython(t *testing.T) string {
	t.Helper()
	python := os.Getenv(pythonEnv)
	if python == "" {
		t.Skipf("run make test-registry, or set %s", pythonEnv)
	}
	return python
}

func startRegistries(t *testing.T) *registries {
	t.Helper()
	python := stockPython(t)
	r := &registries{from: kafkatest.StartRegistry(t), into: kafkatest.StartRegistry(t), python: python, bin: buildCommand(t), dir: filepath.Join(t.TempDir(), "run1")}
	r.source, r.target = kafkatest.Start(t, kafkatest.Options{HeapMB: 256}), kafkatest.Start(t, kafkatest.Options{HeapMB: 256})
	for _, one := range []*kafkatest.Registry{r.from, r.into} {
		if err := one.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// stock runs the writer and reader with stock serializers.
func stock(t *testing.T, python, how, broker, registry string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, slices.Concat([]string{"stock.py", how, broker, registry}, args)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("stock.py %s: %v\n%s", how, err, said.Bytes())
	}
	return string(out)
}

func (r *registries) stock(t *testing.T, how string, b *kafkatest.Broker, of *kafkatest.Registry, args ...string) string {
	t.Helper()
	return stock(t, r.python, how, b.Brokers()[0], of.URL(), args...)
}

// stockTopics are those that stock.py writes, stockCount records each.
var stockTopics = []string{"people", "payments", "events"}

const stockCount = 12

// TestRecordsOfStockSerializersAreReadUnderTheSameIDs is the cheap one: clusters and registries are fakes in this process, of which that of the
// target has the import mode, and the serializers are Confluent's own.
func TestRecordsOfStockSerializersAreReadUnderTheSameIDs(t *testing.T) {
	python, bin, dir := stockPython(t), buildCommand(t), filepath.Join(t.TempDir(), "run1")
	from, into := registrytest.New(), registrytest.New()
	t.Cleanup(from.Close)
	t.Cleanup(into.Close)
	for i := range 30 { // ids that a new registry would not give
		from.SeedSchema(fmt.Sprintf("own-%d", i), 1, i+1, sr.Schema{Schema: fmt.Sprintf(`{"type":"fixed","name":"F","size":%d}`, i+1)})
	}
	var brokers []string
	for _, id := range []string{"source", "target"} {
		c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID(id), kfake.SeedTopics(1, stockTopics...))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		brokers = append(brokers, c.ListenAddrs()[0])
	}
	stock(t, python, "write", brokers[0], from.URL())
	mustRun(t, bin, "capture", "-b", brokers[0], "-t", strings.Join(stockTopics, ","), "--schema-registry", from.URL(), "-o", dir)
	mustRun(t, bin, "replay", dir, "-b", brokers[1], "--schema-registry", into.URL(), "--mask", "value.email=redact", "--mask", "?value.friends.#.email=redact")
	for _, topic := range stockTopics {
		want := maskedEmails(t, lines(stock(t, python, "read", brokers[0], from.URL(), topic, strconv.Itoa(stockCount))))
		if got := lines(stock(t, python, "read", brokers[1], into.URL(), topic, strconv.Itoa(stockCount))); !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", topic, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if s, ok := into.GetSchema("people-value", 2); !ok || s.ID <= 30 {
		t.Errorf("got schema %+v in the target, want that of the source under its id", s.ID)
	}
}

// client asks a registry.
func client(t *testing.T, of *kafkatest.Registry) *sr.Client {
	t.Helper()
	c, err := sr.NewClient(sr.URLs(of.URL()))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// taken gives the ids of the target's registry to schemas of its own.
func taken(t *testing.T, c *sr.Client, n int) {
	t.Helper()
	for i := range n {
		if _, err := c.RegisterSchema(t.Context(), fmt.Sprintf("own-%d", i), sr.Schema{Schema: fmt.Sprintf(`{"type":"fixed","name":"F","size":%d}`, i+1)}, -1, -1); err != nil {
			t.Fatal(err)
		}
	}
}

func subjects(t *testing.T, c *sr.Client) []string {
	t.Helper()
	all, err := c.Subjects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// TestRecordsOfStockSerializersAreReadThroughAnotherRegistry has Confluent's own serializers write into one cluster, by a real registry. Captured,
// masked and replayed into another cluster, whose registry has other schemas under the same ids, its own deserializers read them.
func TestRecordsOfStockSerializersAreReadThroughAnotherRegistry(t *testing.T) {
	r := startRegistries(t)
	from, into := newClient(t, r.source), newClient(t, r.target)
	for _, topic := range stockTopics {
		createTopic(t, from, topic, 1, kept)
		createTopic(t, into, topic, 1, kept)
	}
	r.stock(t, "write", r.source, r.from)
	want := map[string][]string{}
	for _, topic := range stockTopics {
		want[topic] = lines(r.stock(t, "read", r.source, r.from, topic, strconv.Itoa(stockCount)))
	}
	mustRun(t, r.bin, "capture", "-b", r.source.Brokers()[0], "-t", strings.Join(stockTopics, ","), "--schema-registry", r.from.URL(), "-o", r.dir)

	registry := client(t, r.into)
	taken(t, registry, 9)
	before := subjects(t, registry)
	replayed := []string{"replay", r.dir, "-b", r.target.Brokers()[0], "--schema-registry", r.into.URL(), "--mask", "value.email=redact", "--mask", "?value.friends.#.email=redact"}
	kept := newCommand(r.bin, replayed...)
	if err := kept.Run(); err == nil || !strings.Contains(kept.said.String(), "--schema-ids map") {
		t.Errorf("under the same ids: got %v\n%s\nwant it refused, with a hint", err, kept.said.Bytes())
	}
	mapped := append(replayed, "--schema-ids", "map")
	mustRun(t, r.bin, append(mapped, "--dry-run")...)
	if after := subjects(t, registry); !slices.Equal(after, before) {
		t.Errorf("a refused replay and a dry run left subjects %v, want %v", after, before)
	}
	t.Logf("%s", mustRun(t, r.bin, mapped...).said.Bytes())
	for _, topic := range stockTopics {
		got := lines(r.stock(t, "read", r.target, r.into, topic, strconv.Itoa(stockCount)))
		if masked := maskedEmails(t, want[topic]); !slices.Equal(got, masked) {
			t.Errorf("%s: got\n%s\nwant\n%s", topic, strings.Join(got, "\n"), strings.Join(masked, "\n"))
		}
	}
}

// TestRecordsOfStockJavaSerializersAreReadThroughAnotherRegistry is the same with Apicurio's serializers for Java, which ask the registry in its own
// language.
func TestRecordsOfStockJavaSerializersAreReadThroughAnotherRegistry(t *testing.T) {
	r := startRegistries(t)
	createTopic(t, newClient(t, r.source), "people", 1, kept)
	r.java(t, "write", r.source, r.from)
	want := r.java(t, "read", r.source, r.from)
	if strings.Count(want, "@example.com") != 10 {
		t.Fatalf("the writer wrote\n%s", want)
	}
	mustRun(t, r.bin, "capture", "-b", r.source.Brokers()[0], "-t", "people", "--schema-registry", r.from.URL(), "-o", r.dir)
	taken(t, client(t, r.into), 5)
	mustRun(t, r.bin, "replay", r.dir, "-b", r.target.Brokers()[0], "--create-topics", "--schema-registry", r.into.URL(), "--schema-ids", "map", "--mask", "value.email=fixed=nobody")
	if got, masked := r.java(t, "read", r.target, r.into), regexp.MustCompile(`[^"]*@example.com`).ReplaceAllString(want, "nobody"); got != masked {
		t.Errorf("got\n%s\nwant\n%s", got, masked)
	}
}

// java runs the writer and reader with stock serializers for Java.
func (r *registries) java(t *testing.T, how string, b *kafkatest.Broker, of *kafkatest.Registry) string {
	t.Helper()
	jars, err := kafkatest.Serializers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(jars, "*"), "Stock.java", how, b.Brokers()[0], of.OwnURL())
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Stock.java %s: %v\n%s", how, err, said.Bytes())
	}
	return string(out)
}

func lines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }

// maskedEmails are documents whose members email are redacted, unless they are null. All but that stays as it was.
func maskedEmails(t *testing.T, documents []string) (out []string) {
	t.Helper()
	for _, text := range documents {
		var value struct {
			Email   *string                   `json:"email"`
			Friends []struct{ Email *string } `json:"friends"`
		}
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if value.Email != nil {
			text = strings.ReplaceAll(text, `"`+*value.Email+`"`, `"***"`)
		}
		out = append(out, text)
	}
	return out
}
