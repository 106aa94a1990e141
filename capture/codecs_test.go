package capture

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/test/membucket"
	"github.com/karchive/karchive/test/memfs"
)

// everyCodec is every codec of Kafka.
var everyCodec = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

// compressible is a record that each codec makes smaller, so that the client does compress it.
func compressible(size int) *kgo.Record { return &kgo.Record{Value: bytes.Repeat([]byte("v"), size)} }

// canonical is how many bytes a record takes without its key and headers.
func canonical(size int) int64 { return int64(33 + size) }

func TestAnArchiveSaysWhatTheBatchesOfEachTopicWereCompressedWith(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(2, "none", "gzip", "snappy", "lz4", "zstd", "mixed"))
	for name, codec := range everyCodec {
		client := b.client(kgo.ProducerBatchCompression(codec))
		b.send(client, name, 1, compressible(5000), compressible(5000))
		b.send(client, "mixed", 0, compressible(1000))
	}
	b.send(b.client(kgo.ProducerBatchCompression(kgo.Lz4Compression())), "mixed", 1, compressible(1000))
	place := newPlace(t)
	report := place.capture(b, Options{Topics: []string{"*"}})
	id := place.identity()
	if id.Version != "1.5" || len(id.Topics) != len(everyCodec)+1 {
		t.Errorf("version %s with %d topics, want 1.5 with %d", id.Version, len(id.Topics), len(everyCodec)+1)
	}
	var sum int64
	for _, topic := range id.Topics {
		want := origin.Codecs{topic.Name: 2 * canonical(5000)}
		if topic.Name == "mixed" {
			want = origin.Codecs{"none": canonical(1000), "gzip": canonical(1000), "snappy": canonical(1000), "lz4": 2 * canonical(1000), "zstd": canonical(1000)}
		}
		if !maps.Equal(topic.Codecs, want) {
			t.Errorf("%s: got %v, want %v", topic.Name, topic.Codecs, want)
		}
		for _, bytes := range topic.Codecs {
			sum += bytes
		}
	}
	if sum != report.Bytes {
		t.Errorf("the codecs are of %d bytes, want the %d that were captured", sum, report.Bytes)
	}
}

func TestCodecsAddUpOverCapturesAndChangeNoSegment(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	zstd, none := b.client(kgo.ProducerBatchCompression(kgo.ZstdCompression())), b.client(kgo.ProducerBatchCompression(kgo.NoCompression()))
	b.send(none, "orders", 0, compressible(1000))
	inTwo := newPlace(t)
	inTwo.capture(b, Options{Topics: []string{"orders"}, RotateRecords: 1})
	b.send(zstd, "orders", 0, compressible(2000), compressible(3000))
	inTwo.capture(b, Options{Topics: []string{"orders"}, RotateRecords: 1})
	inTwo.capture(b, Options{Topics: []string{"orders"}, RotateRecords: 1}) // which finds nothing

	want := origin.Codecs{"none": canonical(1000), "zstd": canonical(2000) + canonical(3000)}
	if got := inTwo.identity().Topics[0].Codecs; !maps.Equal(got, want) {
		t.Errorf("of two captures: got %v, want %v", got, want)
	}
	atOnce := newPlace(t)
	atOnce.capture(b, Options{Topics: []string{"orders"}, RotateRecords: 1, FetchBytes: 3000})
	if got := atOnce.identity().Topics[0].Codecs; !maps.Equal(got, want) {
		t.Errorf("of one: got %v, want %v", got, want)
	}
	if different := unequal(inTwo.data(), atOnce.data()); len(different) > 0 || len(atOnce.data()) != 3 {
		t.Errorf("%v differ, of %d segments", different, len(atOnce.data()))
	}
}

func TestACaptureThatCrashesLeavesTheCodecOfWhatItSealed(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	client := b.client(kgo.ProducerBatchCompression(kgo.GzipCompression()))
	for range 3 {
		b.send(client, "orders", 0, compressible(1000))
	}
	place, o := newPlace(t), Options{Topics: []string{"orders"}, RotateRecords: 1}
	seals := 0
	place.fs.Inject(func(op memfs.Op) *memfs.Fault {
		if op.Call == memfs.Link && strings.HasPrefix(op.To, "data/") {
			if seals++; seals == 2 {
				return &memfs.Fault{Err: memfs.ErrCrashed}
			}
		}
		return nil
	})
	if report, err := place.try(t.Context(), b, o); err == nil {
		t.Fatalf("got %+v, want a crash", report)
	}
	place.fs = place.fs.Crash(0)
	if got, want := place.identity().Topics[0].Codecs, (origin.Codecs{"gzip": canonical(1000)}); !maps.Equal(got, want) {
		t.Errorf("after the crash: got %v, want %v", got, want)
	}
	place.capture(b, o)
	if got := place.identity().Topics[0].Codecs.Most(nil); got != "gzip" {
		t.Errorf("in the end: got %q, want gzip", got)
	}
}

// The description of an archive takes time for each topic.
func TestManyTopicsAreNotDescribedAnewForEachOfThem(t *testing.T) {
	const topics = 10_000
	var all []origin.Topic
	for i := range topics {
		all = append(all, origin.Topic{Name: fmt.Sprint("t", i)})
	}
	c, described := newCodecCounts(all), 0
	for i := range all {
		var bytes codecBytes
		bytes[kgo.CodecZstd] = 100
		if c.add(all[i].Name, &bytes) {
			described++
			c.describe(all, c.take())
		}
	}
	if described == 0 || described > topicsASeal {
		t.Errorf("described %d times, want at least once and at most %d times", described, topicsASeal)
	}
	if got := all[0].Codecs.Most(nil); got != "zstd" {
		t.Errorf("the first topic has %q, want zstd", got)
	}
}

func TestAnArchiveIsDescribedAnewOnlyWhenATopicHasAnotherCodec(t *testing.T) {
	all := []origin.Topic{{Name: "orders", Codecs: origin.Codecs{"none": 100}}}
	c := newCodecCounts(all)
	for i, step := range []struct {
		codec kgo.CompressionCodecType
		bytes int64
		due   bool
	}{
		{kgo.CodecLz4, 60, false}, {kgo.CodecNone, 50, false}, {kgo.CodecLz4, 100, true}, {kgo.CodecLz4, 100, false}, {kgo.CodecNone, 0, false},
	} {
		var bytes codecBytes
		bytes[step.codec] = step.bytes
		due := c.add("orders", &bytes)
		if due {
			c.describe(all, c.take())
		}
		if due != step.due {
			t.Errorf("step %d: got %v, want %v", i, due, step.due)
		}
	}
	c.describe(all, c.take())
	if want := (origin.Codecs{"none": 150, "lz4": 260}); !maps.Equal(all[0].Codecs, want) {
		t.Errorf("got %v, want %v", all[0].Codecs, want)
	}
}

// A description of an archive in a store is an object that stays.
func TestCodecsThatTakeTurnsInTheLeadAreNotDescribedForEachSegment(t *testing.T) {
	const segments = 20_000
	all := []origin.Topic{{Name: "orders"}}
	c, described := newCodecCounts(all), 0
	for i := range segments {
		var bytes codecBytes
		bytes[[]kgo.CompressionCodecType{kgo.CodecGzip, kgo.CodecZstd}[i%2]] = 1000 // gzip has the most, then of equal ones zstd, as the last by name
		if c.add("orders", &bytes) {
			described++
			c.describe(all, c.take())
		}
	}
	if most := 100; described == 0 || described > most {
		t.Errorf("described %d times of %d segments, want at least once and at most %d times", described, segments, most)
	}
	c.describe(all, c.take())
	if want := (origin.Codecs{"zstd": segments / 2 * 1000, "gzip": segments / 2 * 1000}); !maps.Equal(all[0].Codecs, want) {
		t.Errorf("got %v, want %v", all[0].Codecs, want)
	}
}

func TestWhoDescribesAnArchiveBehindAnotherKeepsTheCodecsOfBoth(t *testing.T) {
	first := membucket.New()
	runs := [2]*run{}
	for i, client := range []*membucket.Bucket{first, first.Other()} {
		a, err := format.OpenOrCreate(bucket.New(t.Context(), client.Open(), bucket.Options{Prefix: "run1"}), format.Identity{Topics: []origin.Topic{{Name: "orders", Partitions: 2}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.SetIdentity(a.Identity()); err != nil { // makes it, the first time
			t.Fatal(err)
		}
		runs[i] = &run{archive: a, codecs: newCodecCounts(a.Identity().Topics)}
	}
	for i, r := range []*run{runs[0], runs[1], runs[0]} { // each knows nothing of what the other wrote
		var bytes codecBytes
		bytes[kgo.CodecZstd] = int64(100 + i)
		r.codecs.add("orders", &bytes)
		if err := r.keepCodecs(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := runs[0].archive.Identity().Topics[0].Codecs, (origin.Codecs{"zstd": 303}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAnArchiveOfBeforeThereWereCodecsGetsThoseOfWhatIsCapturedNow(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders", "quiet"))
	b.send(b.client(kgo.ProducerBatchCompression(kgo.GzipCompression())), "orders", 0, compressible(3000))
	place, o := newPlace(t), Options{Topics: []string{"*"}}
	place.capture(b, o)
	a := place.open()
	old := a.Identity()
	old.Topics[0].Codecs = nil
	if err := errors.Join(a.SetIdentity(old), a.Close()); err != nil {
		t.Fatal(err)
	}
	before := place.data()
	place.capture(b, o) // which finds nothing
	if id := place.identity(); id.Version != "1.0" || id.Topics[0].Codecs != nil {
		t.Errorf("with nothing new: got version %s and %v, want 1.0 and no codecs", id.Version, id.Topics[0].Codecs)
	}
	b.send(b.client(kgo.ProducerBatchCompression(kgo.ZstdCompression())), "orders", 0, compressible(1000))
	place.capture(b, o)
	id := place.identity()
	if want := (origin.Codecs{"zstd": canonical(1000)}); id.Version != "1.5" || id.ArchiveID != old.ArchiveID || !maps.Equal(id.Topics[0].Codecs, want) {
		t.Errorf("got version %s of %s with %v, want 1.5 of %s with %v", id.Version, id.ArchiveID, id.Topics[0].Codecs, old.ArchiveID, want)
	}
	after := place.data()
	for name, content := range before {
		if after[name] != content {
			t.Errorf("%s became another", name)
		}
	}
	if len(after) != len(before)+1 {
		t.Errorf("got %d segments, want one more than %d", len(after), len(before))
	}
}
