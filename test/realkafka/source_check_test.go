//go:build kafka

package realkafka

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
)

// A source that lacks what a test is about would let that test pass for nothing.
func TestSourceHoldsWhatTheTestsRelyOn(t *testing.T) {
	source, client := newSource(t)
	logs := map[string]*rawLog{}
	for topic, n := range partitionsOf {
		for p := range n {
			logs[fmt.Sprintf("%s/%d", topic, p)] = readLog(t, client, topic, p)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(logs)) {
		l := logs[name]
		t.Logf("%s: offsets %d to %d, high watermark %d, %d records, %d markers", name, l.start, l.end, l.high, len(l.records), len(l.control))
	}

	check := func(what string, holds bool) {
		t.Helper()
		if !holds {
			t.Errorf("not so: %s", what)
		}
	}
	txn, tail := logs[txns+"/0"], logs[txns+"/1"]
	check("20 plain, 35 committed and 18 interleaved records in partition 0", len(txn.records) == 73 && len(txn.control) == 5)
	check("partition 1 ends with aborted records", tail.records[len(tail.records)-1].Offset+200 < tail.end && len(tail.control) == 4)
	for _, r := range append(txn.records, tail.records...) {
		check(fmt.Sprintf("%q was committed", r.Value), !strings.Contains(string(r.Value), "aborted"))
	}
	check("compaction left gaps between records", gapsBetween(logs[compacted+"/0"].records) > 2)
	check("the trimmed log starts at 42", logs[trimmed+"/0"].start == 42 && logs[trimmed+"/0"].records[0].Offset == 42)
	check("a leader epoch changes", logs[kinds+"/0"].records[0].LeaderEpoch < logs[kinds+"/0"].records[len(logs[kinds+"/0"].records)-1].LeaderEpoch)
	check("the broker set the time", logs[appendTime+"/0"].records[0].TimestampMs > 1700000000000+1000)
	check("a time past 2262 is kept", logs[farFuture+"/0"].records[1].TimestampMs == 1700000000000000)
	t.Run("read with other libraries", func(t *testing.T) { readWithOtherLibraries(t, source) })
}

// gapsBetween counts the places where offsets are not consecutive.
func gapsBetween(records []format.Record) int {
	n := 0
	for i := 1; i < len(records); i++ {
		if records[i].Offset != records[i-1].Offset+1 {
			n++
		}
	}
	return n
}
