package main

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
)

// codecsGolden is a golden archive that says what the batches of its topics were compressed with.
var codecsGolden = filepath.Join(goldenDir, "golden-1.5-codecs")

var goldenCodecs = []origin.Topic{
	{Name: "events", Partitions: 1, Codecs: origin.Codecs{"a codec of tomorrow": 1 << 60, "none": 0, "zstd": 77}},
	{Name: "orders", ID: source.TopicID, Partitions: 1, Configs: map[string]string{"compression.type": "producer"},
		Codecs: origin.Codecs{"gzip": 1, "lz4": 1<<63 - 1, "none": 2, "snappy": 3, "zstd": 4}},
	{Name: "unread", Partitions: 1},
}

func codecsSegments() []segment {
	return []segment{{"orders", 0, 0, 2, number(0, []format.Record{{Key: []byte("k"), Value: []byte("v")}, {Value: []byte("w")}})}}
}

func writeCodecs(root string) error {
	return writeSegments(root, format.Identity{ClusterID: source.ClusterID, Topics: goldenCodecs}, codecsSegments(), func(segment) []ledger.Gap { return nil })
}

func TestTheGoldenCodecsAreReadAndWrittenAsTheyAre(t *testing.T) {
	renewed(t, codecsGolden, writeCodecs, codecsSegments())
	golden := identityOf(t, codecsGolden)
	if golden.Version != "1.5" || !reflect.DeepEqual(golden.Topics, goldenCodecs) {
		t.Errorf("got version %s and %+v, want 1.5 and %+v", golden.Version, golden.Topics, goldenCodecs)
	}
	writtenAsItIs(t, codecsGolden, writeCodecs, "topics")
}
