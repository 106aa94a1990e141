//go:build unix

package main

import (
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/scan"
)

// Two partitions are two row groups, and one of them has the key.
func TestRowGroupsWithoutTheKeyOfAFilterAreNotDecoded(t *testing.T) {
	addr, client := ordersCluster(t)
	for i, key := range []string{"a", "b"} {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Partition: int32(i), Key: []byte(key)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "run")
	runHere(t, "capture", "-b", addr, "-t", "orders", "-o", dir)
	for _, backwards := range []bool{false, true} {
		a, err := format.OpenPath(dir)
		if err != nil {
			t.Fatal(err)
		}
		rules, err := reshape.Compile(reshape.Rules{Filter: []reshape.Expression{{Text: `key == "b"`}}})
		if err != nil {
			t.Fatal(err)
		}
		var leftOut int64
		var keys []string
		s := &scan.Scanner{Archive: a, Partitions: a.Partitions(), Backwards: backwards, Keys: rules.MatchesKey(), LeftOut: func(n int64) { leftOut += n }}
		err = s.Each(t.Context(), func(_ format.TopicPartition, records []format.Record) error {
			for _, r := range records {
				keys = append(keys, string(r.Key))
			}
			return nil
		})
		a.Close()
		if err != nil || leftOut != 1 || len(keys) != 1 || keys[0] != "b" {
			t.Errorf("backwards %v: decoded %q, left out %d records, %v", backwards, keys, leftOut, err)
		}
	}
	for _, args := range [][]string{{"--count"}, {"--last", "1", "-f", "%k"}, {"--reverse", "-f", "%k"}} {
		for key, want := range map[string]string{"b": map[bool]string{true: "1\n", false: "b"}[args[0] == "--count"], "none": map[bool]string{true: "0\n", false: ""}[args[0] == "--count"]} {
			r := runBeside(t, append([]string{"cat", dir, "-q", "--filter", `key == "` + key + `"`}, args...)...)
			if r.code != exitDone || r.stdout != want {
				t.Errorf("%q, key %s: exit code %d, %q, want %q; %s", args, key, r.code, r.stdout, want, r.stderr)
			}
		}
	}
}
