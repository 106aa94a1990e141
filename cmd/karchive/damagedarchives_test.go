package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
)

// damagedPath is the segment of a partition of orders that begins at an offset.
func damagedPath(partition int, base int64) string {
	return fmt.Sprintf("data/topic=orders/partition=%d/%020d.parquet", partition, base)
}

// writeSegments makes an archive of orders: partition 0 has three segments of three row groups of five records, partition 1 has one segment.
// Each record's key says where it is, in a file that is not compressed.
func writeSegments(t *testing.T, dir string) {
	t.Helper()
	a := newArchive(t, dir, format.Identity{ClusterID: "source"})
	hourAgo := time.Now().Add(-time.Hour).UnixMilli()
	for _, s := range []struct {
		partition  int32
		base, next int64
	}{{0, 0, 15}, {0, 15, 30}, {0, 30, 45}, {1, 0, 10}} {
		p, err := a.NewSegment(format.WriterOptions{
			Topic: "orders", Partition: s.partition, Base: s.base, Source: origin.Source{ClusterID: "source"},
			Compression: format.NoCompression,
		})
		for o := s.base; o < s.next && err == nil; o++ {
			err = p.Write(&format.Record{Offset: o, TimestampMs: hourAgo + o, Key: fmt.Appendf(nil, "orders-%d@%d;", s.partition, o)})
			if o%5 == 4 {
				err = errors.Join(err, p.Cut())
			}
		}
		if err == nil {
			_, _, err = p.Seal(s.next)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

// The ways to damage an archive of writeSegments.
func cutSegment(partition int, base int64) func(string) error {
	return func(dir string) error { return os.Truncate(filepath.Join(dir, damagedPath(partition, base)), 400) }
}

func loseSegment(partition int, base int64) func(string) error {
	return func(dir string) error { return os.Remove(filepath.Join(dir, damagedPath(partition, base))) }
}

// spoilGroup flips a bit of the key of a record.
func spoilGroup(base, offset int64) func(string) error {
	return func(dir string) error {
		path := filepath.Join(dir, damagedPath(0, base))
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		at := bytes.Index(content, fmt.Appendf(nil, "orders-0@%d;", offset))
		if at < 0 {
			return fmt.Errorf("%s has no text of offset %d", path, offset)
		}
		content[at] ^= 1
		return os.WriteFile(path, content, 0o600)
	}
}

// intactReaders are the ways to read what is intact of a damaged archive. Each returns the keys that it saw, and what was said of the damage.
var intactReaders = map[string]func(t *testing.T, c *damagedCase) (keys string, report string){
	"records": func(t *testing.T, c *damagedCase) (string, string) {
		fsys, err := storage.DirFS(c.dir)
		if err != nil {
			t.Fatal(err)
		}
		var report strings.Builder
		a, err := format.OpenIntact(fsys, func(f format.FileCheck) error {
			for _, p := range f.Problems {
				fmt.Fprintf(&report, "%s: %s\n", f.Path, p)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return keysIn(t, a), report.String()
	},
	"cat": func(t *testing.T, c *damagedCase) (string, string) {
		out, report := c.run(t, "cat", c.dir, "--skip-corrupt")
		return sortedKeys(out), report
	},
	"extract": func(t *testing.T, c *damagedCase) (string, string) {
		out, report := c.run(t, "extract", c.dir, "--path", "key", "--skip-corrupt")
		return sortedKeys(out), report
	},
	"replay at top speed": func(t *testing.T, c *damagedCase) (string, string) { return c.replay(t, "top") },
	"timed replay":        func(t *testing.T, c *damagedCase) (string, string) { return c.replay(t, "speed", "--speed", "1000") },
	"replay at a rate":    func(t *testing.T, c *damagedCase) (string, string) { return c.replay(t, "rate", "--rate", "100000/s") },
	"limited replay":      func(t *testing.T, c *damagedCase) (string, string) { return c.replay(t, "limit", "--limit", "1000") },
	"recover": func(t *testing.T, c *damagedCase) (string, string) {
		_, report := c.run(t, "recover", c.dir, "-o", c.dir+"-recovered")
		return keysAt(t, c.dir+"-recovered"), report
	},
	"recover and convert": func(t *testing.T, c *damagedCase) (string, string) {
		_, report := c.run(t, "recover", c.dir, "-o", c.dir+"-again")
		runHere(t, "copy", c.dir+"-again", "-o", c.dir+"-arrow", "--encoding", "arrow", "--allow-incomplete")
		return keysAt(t, c.dir+"-arrow"), report
	},
}

type damagedCase struct {
	dir, name string
	addr      string
	admin     *kadm.Client
}

// run wants exit code 3 and returns what is on stdout, and what stderr says of files.
func (c *damagedCase) run(t *testing.T, args ...string) (stdout, report string) {
	t.Helper()
	var out, says bytes.Buffer
	if code := run(t.Context(), args, nil, &out, &says); code != exitIncomplete {
		t.Errorf("%s: exit code %d, want %d, stderr %s", args[0], code, exitIncomplete, says.String())
	}
	for line := range strings.Lines(says.String()) {
		if text, ok := strings.CutPrefix(line, "karchive: warning: "); ok && strings.HasPrefix(text, "data/") {
			report += text
		}
	}
	return out.String(), report
}

// replay replays into a topic of its own and reads that.
func (c *damagedCase) replay(t *testing.T, name string, flags ...string) (string, string) {
	t.Helper()
	topic := c.name + "-" + name
	if _, err := c.admin.CreateTopic(t.Context(), 2, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	_, report := c.run(t, append([]string{"replay", c.dir, "-b", c.addr, "--map", "orders:=" + topic, "--skip-corrupt"}, flags...)...)
	return sortedKeys(c.keysOf(t, topic)), report
}

// keysOf are the keys of a topic.
func (c *damagedCase) keysOf(t *testing.T, topic string) string {
	t.Helper()
	ends, err := c.admin.ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.addr), kgo.ConsumeTopics(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	left := int64(0)
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	var all strings.Builder
	for left > 0 {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		for r := range fetches.RecordsAll() {
			all.Write(r.Key)
			left--
		}
	}
	return all.String()
}

var damagedKey = regexp.MustCompile(`orders-\d@\d+;`)

func sortedKeys(text string) string {
	return strings.Join(slices.Sorted(slices.Values(damagedKey.FindAllString(text, -1))), "")
}

func keysAt(t *testing.T, dir string) string {
	t.Helper()
	a, err := format.OpenPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	return keysIn(t, a)
}

func keysIn(t *testing.T, a *format.Archive) string {
	t.Helper()
	var all []string
	for r, err := range a.Records(t.Context(), format.Selection{}) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%s-%d@%d;", r.Topic, r.Partition, r.Offset); string(r.Key) != want {
			t.Errorf("got key %q, want %q", r.Key, want)
		}
		all = append(all, string(r.Key))
	}
	return sortedKeys(strings.Join(all, ""))
}

// intactKeys are all keys but those of partition 0 in [from, until), or with none of a whole partition.
func intactKeys(from, until int64, without int) string {
	var all []string
	for partition, n := range []int64{45, 10} {
		for o := range n {
			if partition != without && (partition != 0 || o < from || o >= until) {
				all = append(all, fmt.Sprintf("orders-%d@%d;", partition, o))
			}
		}
	}
	return sortedKeys(strings.Join(all, ""))
}

func TestEveryReaderOfADamagedArchiveSeesTheSame(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for name, c := range map[string]struct {
		damage func(dir string) error
		want   string
		named  string // in the report
	}{
		"first-segment":    {cutSegment(0, 0), intactKeys(0, 15, -1), damagedPath(0, 0)},
		"middle-segment":   {cutSegment(0, 15), intactKeys(15, 30, -1), damagedPath(0, 15)},
		"last-segment":     {cutSegment(0, 30), intactKeys(30, 45, -1), damagedPath(0, 30)},
		"first-row-group":  {spoilGroup(0, 2), intactKeys(0, 5, -1), damagedPath(0, 0) + ": row group 0"},
		"middle-row-group": {spoilGroup(15, 22), intactKeys(20, 25, -1), damagedPath(0, 15) + ": row group 1"},
		"last-row-group":   {spoilGroup(30, 42), intactKeys(40, 45, -1), damagedPath(0, 30) + ": row group 2"},
		"a-partition":      {cutSegment(1, 0), intactKeys(0, 0, 1), damagedPath(1, 0)},
		"absent-first":     {loseSegment(0, 0), intactKeys(0, 15, -1), damagedPath(0, 0)},
		"absent-middle":    {loseSegment(0, 15), intactKeys(15, 30, -1), damagedPath(0, 15)},
		"absent-last":      {loseSegment(0, 30), intactKeys(30, 45, -1), damagedPath(0, 30)},
		"absent-partition": {loseSegment(1, 0), intactKeys(0, 0, 1), damagedPath(1, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &damagedCase{dir: filepath.Join(t.TempDir(), "run"), name: name, addr: cluster.ListenAddrs()[0], admin: kadm.NewClient(client)}
			writeSegments(t, d.dir)
			if err := c.damage(d.dir); err != nil {
				t.Fatal(err)
			}
			report := verified(t, d.dir)
			if !strings.Contains(report, c.named) {
				t.Errorf("verify says %q, want it to name %s", report, c.named)
			}
			for reader, read := range intactReaders {
				got, said := read(t, d)
				if got != c.want {
					t.Errorf("%s: got %s\nwant %s", reader, got, c.want)
				}
				if said != report {
					t.Errorf("%s: says of the damage %q, verify says %q", reader, said, report)
				}
			}
			refusesDamage(t, d)
		})
	}
}

// verified is what verify says of bad files.
func verified(t *testing.T, dir string) (report string) {
	t.Helper()
	var out, says bytes.Buffer
	if code := run(t.Context(), []string{"verify", dir, "--deep", "--format", "json"}, nil, &out, &says); code != exitFailed {
		t.Errorf("verify: exit code %d, want %d, stderr %s", code, exitFailed, says.String())
	}
	var v verification
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	for _, b := range v.Bad {
		for _, p := range b.Problems {
			report += b.Path + ": " + p + "\n"
		}
	}
	return report
}

// refusesDamage wants an error, and nothing half done, of every reader that was not told to skip.
func refusesDamage(t *testing.T, d *damagedCase) {
	t.Helper()
	for name, args := range map[string][]string{
		"cat":     {"cat", d.dir},
		"extract": {"extract", d.dir, "--path", "key", "-o", d.dir + ".csv"},
		"replay":  {"replay", d.dir, "-b", d.addr, "--map", "orders:=" + d.name + "-no", "--create-topics"},
		"timed":   {"replay", d.dir, "-b", d.addr, "--map", "orders:=" + d.name + "-no", "--create-topics", "--rate", "100000/s"},
		"limited": {"replay", d.dir, "-b", d.addr, "--map", "orders:=" + d.name + "-no", "--create-topics", "--limit", "1000"},
		"copy":    {"copy", d.dir, "-o", d.dir + "-no", "--encoding", "arrow"},
	} {
		var out, says bytes.Buffer
		if code := run(t.Context(), args, nil, &out, &says); code == exitDone || !strings.Contains(says.String(), "data/topic=orders/") {
			t.Errorf("%s: exit code %d, stderr %s, want a failure that names the file", name, code, says.String())
		}
	}
	for _, left := range []string{".csv", "-no"} {
		if _, err := os.Stat(d.dir + left); err == nil {
			t.Errorf("%s was left behind", left)
		}
	}
}
