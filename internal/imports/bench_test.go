package imports

import (
	"fmt"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/jsonl"
	"github.com/karchive/karchive/internal/speedscale"
	"github.com/karchive/karchive/test/memfs"
)

// BenchmarkImport takes files of records of about 1 KB to an archive in memory. Bytes are those of the file, allocations those of 1,000 records.
func BenchmarkImport(b *testing.B) {
	const records = 1000
	note := strings.Repeat("leave it at the door, ", 35)
	var csv, cat, snapshot strings.Builder
	csv.WriteString("key,value,timestamp\n")
	for i := range records {
		value := fmt.Sprintf(`{"id":%d,"note":"%s"}`, i, note)
		fmt.Fprintf(&csv, "k%d,\"%s\",%d\n", i, strings.ReplaceAll(value, `"`, `""`), 1700000000000+i)
		r := format.Record{Offset: int64(i), TimestampMs: 1700000000000 + int64(i), Key: fmt.Appendf(nil, "k%d", i), Value: []byte(value)}
		cat.Write(jsonl.Append(nil, format.TopicPartition{Topic: "t"}, &r))
		fmt.Fprintf(&snapshot, `{"command":"Fetch","kafka":{"response":{"FetchResponse":{"topics":[{"name":"t","partitions":[{"records":{"baseOffset":"%d","magic":2,"records":[{"keyString":"k%d","valueString":%q}]}}]}]}}}}`+"\n", i, i, value)
	}
	for _, c := range []struct {
		kind Kind
		text string
	}{{CSV, csv.String()}, {JSONL, cat.String()}, {Speedscale, snapshot.String()}} {
		b.Run(string(c.kind), func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				a, err := format.Create(memfs.New(memfs.Options{}), format.Identity{})
				if err != nil {
					b.Fatal(err)
				}
				file := textFile(c.kind, "file", c.text, OpenOptions{Snapshot: SnapshotOptions{Calls: speedscale.Calls{Fetch: true}}})
				r, err := Run(b.Context(), a, []File{file}, Options{Topic: "t"})
				if err != nil || r.Records != records {
					b.Fatal(r, err)
				}
				a.Close()
			}
		})
	}
}
