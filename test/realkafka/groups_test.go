//go:build kafka

package realkafka

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/test/kafkatest"
)

// TestAJavaConsumerGoesOnInAnotherCluster has a group read half of a topic, moves topic and group by an archive, and has it read on.
func TestAJavaConsumerGoesOnInAnotherCluster(t *testing.T) {
	source, target := kafkatest.Start(t, kafkatest.Options{HeapMB: 384}), kafkatest.Start(t, kafkatest.Options{HeapMB: 384})
	from, into := newClient(t, source), newClient(t, target)
	all := writeWithAGap(t, source, from)
	commit(t, from, "in-the-gap", 0, 55)
	read := map[string][]string{}
	for _, protocol := range []string{"classic", "consumer"} {
		read[protocol] = consume(t, source, "invoices", protocol, 110)
	}
	bin, dir := buildCommand(t), filepath.Join(t.TempDir(), "run1")
	mustRun(t, bin, "capture", "-b", source.Brokers()[0], "-t", "invoices", "--groups", "*", "-o", dir)

	for _, c := range []struct {
		topic    string
		already  int // records in each partition of the target
		args     []string
		sent     func(value string) bool
		afterGap int64
	}{
		{"empty", 0, nil, func(string) bool { return true }, 50},
		{"used", 7, nil, func(string) bool { return true }, 57},
		{"filtered", 0, []string{"--filter", `value.endsWith("3")`}, func(v string) bool { return strings.HasSuffix(v, "3") }, 5},
	} {
		t.Run(c.topic, func(t *testing.T) {
			createTopic(t, into, c.topic, 2, kept)
			for p := range int32(2) {
				produce(t, into, texts(c.topic, p, "was there", c.already)...)
			}
			mustRun(t, bin, append([]string{"replay", dir, "-b", target.Brokers()[0], "--map", "invoices:=" + c.topic, "--groups", "*"}, c.args...)...)
			if got := committed(t, into, "in-the-gap", c.topic); got != c.afterGap {
				t.Errorf("the offset in a gap became %d, want %d", got, c.afterGap)
			}
			for protocol, before := range read {
				var want []string
				for _, v := range all {
					if c.sent(v) && !slices.Contains(before, v) {
						want = append(want, v)
					}
				}
				got := consume(t, target, c.topic, protocol, len(want))
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("%s: got %d records %q, want %d records %q", protocol, len(got), got, len(want), want)
				}
			}
		})
	}
}

// writeWithAGap writes 100 records into each of two partitions, and gives partition 0 an aborted transaction at the offsets 50 to 60.
func writeWithAGap(t *testing.T, b *kafkatest.Broker, client *kgo.Client) (values []string) {
	t.Helper()
	createTopic(t, client, "invoices", 2, kept)
	txn := newClient(t, b, kgo.TransactionalID("t"))
	for p := range int32(2) {
		records := texts("invoices", p, fmt.Sprintf("invoice %d", p), 100)
		for _, r := range records {
			values = append(values, string(r.Value))
		}
		produce(t, client, records[:50]...)
		if p == 0 {
			transaction(t, txn, kgo.TryAbort, texts("invoices", p, "aborted", 10)...)
		}
		produce(t, client, records[50:]...)
	}
	return values
}

// consume reads n values of the topic with Java's consumer, in a group that is named after the protocol.
func consume(t *testing.T, b *kafkatest.Broker, topic, protocol string, n int) []string {
	t.Helper()
	var out bytes.Buffer
	err := b.Tool(t.Context(), &out, "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", b.Brokers()[0], "--topic", topic,
		"--group", protocol, "--consumer-property", "group.protocol="+protocol, "--consumer-property", "auto.offset.reset=earliest",
		"--consumer-property", "isolation.level=read_committed", "--max-messages", strconv.Itoa(n), "--timeout-ms", "20000")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

func commit(t *testing.T, client *kgo.Client, group string, partition int32, offset int64) {
	t.Helper()
	var at kadm.Offsets
	at.AddOffset("invoices", partition, offset, -1)
	if err := kadm.NewClient(client).CommitAllOffsets(t.Context(), group, at); err != nil {
		t.Fatal(err)
	}
}

// committed is the offset of a group in partition 0.
func committed(t *testing.T, client *kgo.Client, group, topic string) int64 {
	t.Helper()
	offsets, err := kadm.NewClient(client).FetchOffsets(t.Context(), group)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := offsets.Lookup(topic, 0)
	return o.At
}
