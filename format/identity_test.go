package format_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/ondisk"
	"github.com/karchive/karchive/test/memfs"
)

// planned has something in every field.
var planned = format.Identity{
	CreatedBy: "test", ClusterID: "cluster-a",
	Topics: []origin.Topic{{Name: "orders", ID: "topic-id", Partitions: 2, Configs: map[string]string{"retention.ms": "-1"}}, {Name: "events"}},
	Capture: &origin.Plan{
		Mode: "snapshot", Isolation: origin.ReadCommitted, From: "-2h", Until: "end", Rules: "r",
		Options: map[string]string{"compression": "zstd:1", "topics": "orders,<ev*>"},
		Partitions: []origin.PlanRange{
			{Topic: "orders", Partition: 1, Start: 0, End: math.MaxInt64},
			{Topic: "orders", Partition: 0, Start: math.MaxInt64 - 2, End: math.MaxInt64 - 1},
			{Topic: "events", Start: 5, End: -1},
		},
	},
}

// versions are the format versions that archives of an encoding name.
var versions = map[format.Encoding]string{format.Parquet: "1.0", format.Arrow: "1.1"}

func TestTheIdentityComesBack(t *testing.T) {
	eachEncoding(t, checkIdentity)
}

func checkIdentity(t *testing.T, e format.Encoding) {
	fsys := memfs.New(memfs.Options{})
	id := planned
	if e != format.Parquet { // which is the default
		id.Encoding = e
	}
	a, err := format.Create(fsys, id)
	if err != nil {
		t.Fatal(err)
	}
	created := a.Identity()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	got := mustOpen(t, fsys).Identity()
	if !reflect.DeepEqual(got, created) {
		t.Errorf("got %+v, want %+v", got, created)
	}
	if len(got.ArchiveID) != 36 || got.Version != versions[e] || got.Encoding != e || got.CreatedBy != "test" {
		t.Errorf("got %+v, want an id, a version, an encoding", got)
	}
	if at, err := time.Parse(time.RFC3339, got.CreatedAt); err != nil || at.Location() != time.UTC {
		t.Errorf("got creation time %s, %v", got.CreatedAt, err)
	}
	want := []origin.PlanRange{
		{Topic: "events", Start: 5, End: -1},
		{Topic: "orders", Partition: 0, Start: math.MaxInt64 - 2, End: math.MaxInt64 - 1},
		{Topic: "orders", Partition: 1, Start: 0, End: math.MaxInt64},
	}
	if !reflect.DeepEqual(got.Capture.Partitions, want) {
		t.Errorf("got plan %+v, want %+v", got.Capture.Partitions, want)
	}
	if got.Topics[0].Name != "events" || got.Topics[1].Configs["retention.ms"] != "-1" || got.Topics[1].Codecs["zstd"] == 7 || got.Capture.Options["topics"] != "orders,<ev*>" {
		t.Errorf("got %+v", got)
	}
}

func TestTwoArchivesHaveTwoIDs(t *testing.T) {
	a, b := mustOpen(t, memArchive(t)), mustOpen(t, memArchive(t))
	if a.Identity().ArchiveID == b.Identity().ArchiveID {
		t.Error("they have the same")
	}
}

func TestSetIdentityKeepsWhatAnArchiveIs(t *testing.T) {
	fsys := memArchive(t)
	a := mustOpenForWriting(t, fsys)
	old := a.Identity()
	id := planned
	id.ArchiveID, id.CreatedAt, id.CreatedBy, id.Version = "", "x", "x", "7.0"
	if err := a.SetIdentity(id); err != nil {
		t.Fatal(err)
	}
	got := mustOpen(t, fsys).Identity()
	if got.ArchiveID != old.ArchiveID || got.CreatedAt != old.CreatedAt || got.CreatedBy != old.CreatedBy || got.Version != "1.0" {
		t.Errorf("got %+v, want it to keep %+v", got, old)
	}
	if got.Capture == nil || got.Capture.From != "-2h" || !reflect.DeepEqual(a.Identity(), got) {
		t.Errorf("got %+v on disk, %+v in memory", got, a.Identity())
	}
}

func TestAnIdentityIsACopy(t *testing.T) {
	a, counted := mustOpenForWriting(t, memArchive(t)), planned
	counted.Topics = slices.Clone(planned.Topics)
	counted.Topics[0].Codecs = origin.Codecs{"zstd": 1}
	if err := a.SetIdentity(counted); err != nil {
		t.Fatal(err)
	}
	id := a.Identity()
	id.Topics[1].Configs["retention.ms"] = "7"
	id.Topics[0].Name = "x"
	id.Topics[1].Codecs["zstd"] = 7
	id.Capture.Options["topics"] = "x"
	id.Capture.Partitions[0].Start = 7
	id.Capture.Mode = "follow"
	if got := a.Identity(); reflect.DeepEqual(got, id) || got.Topics[1].Configs["retention.ms"] != "-1" || got.Capture.Mode != "snapshot" ||
		got.Capture.Options["topics"] == "x" || got.Capture.Partitions[0].Start == 7 || got.Topics[0].Name == "x" {
		t.Errorf("changing the copy changed the archive: %+v", got)
	}
	if planned.Capture.Partitions[0].Topic != "orders" {
		t.Error("the caller's value was sorted")
	}
}

func TestImpossibleIdentitiesAreRefused(t *testing.T) {
	a := mustOpenForWriting(t, memArchive(t))
	for name, id := range map[string]format.Identity{
		"illegal topic":        {Topics: []origin.Topic{{Name: "a/b"}}},
		"topic twice":          {Topics: []origin.Topic{{Name: "a"}, {Name: "b"}, {Name: "a"}}},
		"negative codec":       {Topics: []origin.Topic{{Name: "a", Codecs: origin.Codecs{"zstd": -1}}}},
		"codec without a name": {Topics: []origin.Topic{{Name: "a", Codecs: origin.Codecs{"": 1}}}},
		"negative partitions":  {Topics: []origin.Topic{{Name: "a", Partitions: -1}}},
		"plan of no topic":     {Capture: &origin.Plan{Partitions: []origin.PlanRange{{Topic: ""}}}},
		"plan from before 0":   {Capture: &origin.Plan{Partitions: []origin.PlanRange{{Topic: "a", Start: -1}}}},
		"plan that ends early": {Capture: &origin.Plan{Partitions: []origin.PlanRange{{Topic: "a", Start: 5, End: 4}}}},
	} {
		if err := a.SetIdentity(id); err == nil {
			t.Errorf("%s: set", name)
		}
		if _, err := format.Create(memfs.New(memfs.Options{}), id); err == nil {
			t.Errorf("%s: created", name)
		}
	}
	if _, err := format.Create(memfs.New(memfs.Options{}), format.Identity{Encoding: "csv"}); err == nil {
		t.Error("created an archive of csv")
	}
}

// identityFile is a karchive.json around an archive value.
func identityFile(value string) []byte {
	sum := xxh3.HashString128(value).Bytes()
	return fmt.Appendf(nil, `{"checksum":"%s","archive":%s}`, hex.EncodeToString(sum[:]), value)
}

func openIdentity(t *testing.T, file []byte) (format.Identity, error) {
	t.Helper()
	a, err := format.Open(memfs.FromFiles(memfs.Options{}, map[string][]byte{"karchive.json": file}))
	if err != nil {
		return format.Identity{}, err
	}
	return a.Identity(), nil
}

// named are the fields of an identity that the tests of its text are not about.
const named = `"archive_id":"a","created_by":"me","created_at":"2026-01-01T00:00:00Z","cluster_id":"",`

func TestUnknownFieldsOfAnIdentityAreIgnored(t *testing.T) {
	id, err := openIdentity(t, identityFile(`{"version":"1.99",`+named+`"encoding":"parquet","colour":{"r":1},
		"topics":[{"name":"a","id":"","partitions":9007199254740993,"x":[]}]}`))
	if err == nil {
		t.Fatal("a partition count of 64 bits was taken for one of 32")
	}
	id, err = openIdentity(t, identityFile(`{"version":"1.99",`+named+`"encoding":"parquet","colour":{"r":1},
		"topics":[{"name":"a","id":"","partitions":3,"x":[]}],
		"capture":{"mode":"follow","wind":"north","isolation":"read_committed","from":"beginning","partitions":[{"topic":"a","partition":0,"start":9007199254740993,"end":-1}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if id.Topics[0].Partitions != 3 || id.Capture.Mode != "follow" || id.Capture.Partitions[0].Start != 9007199254740993 {
		t.Errorf("got %+v", id)
	}
}

func TestCodecsOfTopicsAreBelievedWithinBounds(t *testing.T) {
	topic := func(codecs string) []byte {
		return identityFile(`{"version":"1.5",` + named + `"encoding":"parquet","topics":[{"name":"a","id":"","partitions":3,"codecs":` + codecs + `}]}`)
	}
	for codecs, want := range map[string]string{
		`{"zstd":5,"none":7}`: "none", `{"zstd":9223372036854775807}`: "zstd", `{"a codec of tomorrow":1}`: "a codec of tomorrow", `{}`: "", `{"lz4":0}`: "lz4",
	} {
		id, err := openIdentity(t, topic(codecs))
		if err != nil {
			t.Errorf("%s: %v", codecs, err)
		} else if got := id.Topics[0].Codecs.Most(nil); got != want {
			t.Errorf("%s: got %q, want %q", codecs, got, want)
		}
	}
	for _, codecs := range []string{
		`{"zstd":-1}`, `{"":1}`, `{"zstd":9223372036854775808}`, `{"zstd":1.0}`, `{"zstd":1e3}`, `{"zstd":"5"}`, `{"zstd":null}`, `{"zstd":{}}`, `{"zstd":1,"zstd":2}`,
		`null`, `[]`, `["zstd"]`, `"zstd"`, `5`,
	} {
		if _, err := openIdentity(t, topic(codecs)); !errors.Is(err, format.ErrCorrupt) {
			t.Errorf("%s: got %v, want ErrCorrupt", codecs, err)
		}
	}
}

func TestAnArchiveWithCodecsNamesTheirVersion(t *testing.T) {
	fsys := memArchive(t)
	a, counted := mustOpenForWriting(t, fsys), planned
	counted.Topics = []origin.Topic{{Name: "orders", Codecs: origin.Codecs{"zstd": 1}}}
	for version, id := range map[string]format.Identity{"1.5": counted, "1.0": planned} {
		if err := a.SetIdentity(id); err != nil {
			t.Fatal(err)
		}
		if got := mustOpen(t, fsys).Identity().Version; got != version {
			t.Errorf("got version %s, want %s", got, version)
		}
	}
}

func TestANewerMajorVersionIsNamedAndNotCorrupt(t *testing.T) {
	_, err := openIdentity(t, identityFile(`{"version":"2.3","encoding":"stone","topics":7}`))
	if !errors.Is(err, format.ErrVersion) || !strings.Contains(err.Error(), "2.3") || errors.Is(err, format.ErrCorrupt) {
		t.Errorf("got %v, want ErrVersion of 2.3", err)
	}
	fsys := memfs.FromFiles(memfs.Options{}, map[string][]byte{"karchive.json": identityFile(`{"version":"2.3"}`)})
	before := fsys.Files()
	if err := format.Verify(fsys, format.VerifyOptions{}, ignore); !errors.Is(err, format.ErrVersion) {
		t.Errorf("verify: got %v, want ErrVersion", err)
	}
	if _, err := format.OpenForWriting(fsys); !errors.Is(err, format.ErrVersion) {
		t.Errorf("open for writing: got %v, want ErrVersion", err)
	}
	delete(before, ".karchive-lock")
	after := fsys.Files()
	delete(after, ".karchive-lock")
	if !reflect.DeepEqual(after, before) {
		t.Error("it was written to")
	}
}

func TestANewerMinorVersionIsReadAndNotWritten(t *testing.T) {
	fsys := memfs.FromFiles(memfs.Options{}, map[string][]byte{"karchive.json": identityFile(`{"version":"1.99",` + named + `"encoding":"parquet","topics":[],"colour":1}`)})
	mustOpen(t, fsys)
	if _, err := format.OpenForWriting(fsys); !errors.Is(err, format.ErrVersion) {
		t.Errorf("got %v, want ErrVersion: to write it again would lose its colour", err)
	}
	if err := format.RebuildSums(fsys, ignore); !errors.Is(err, format.ErrVersion) {
		t.Errorf("rebuild: got %v, want ErrVersion", err)
	}
}

func TestAnUnknownEncodingIsNamedAndNotCorrupt(t *testing.T) {
	_, err := openIdentity(t, identityFile(`{"version":"1.7",`+named+`"encoding":"stone","topics":[]}`))
	if err == nil || errors.Is(err, format.ErrCorrupt) || !strings.Contains(err.Error(), "stone") {
		t.Errorf("got %v, want an error that names stone", err)
	}
}

func TestDamageToAnIdentityIsFound(t *testing.T) {
	fsys := memfs.New(memfs.Options{})
	a, err := format.Create(fsys, planned)
	if err != nil {
		t.Fatal(err)
	}
	want := a.Identity()
	file := fsys.Files()["karchive.json"]
	for n := range len(file) - 1 { // the last byte is a newline
		if _, err := openIdentity(t, file[:n]); !errors.Is(err, format.ErrCorrupt) {
			t.Fatalf("cut at %d: got %v, want ErrCorrupt", n, err)
		}
	}
	for i := range file {
		for bit := range 8 {
			damaged := bytes.Clone(file)
			damaged[i] ^= 1 << bit
			got, err := openIdentity(t, damaged)
			if err == nil && reflect.DeepEqual(got, want) { // white space around the value
				continue
			}
			if !errors.Is(err, format.ErrCorrupt) {
				t.Fatalf("bit %d of byte %d: got %+v, %v, want ErrCorrupt", bit, i, got, err)
			}
		}
	}
	for _, garbage := range []string{"", "x", "{}", "null", "[]", `{"checksum":1}`, `{"archive":{}}`, "PAR1", string(identityFile("null")), string(identityFile("{}")), string(identityFile(`{"version":"-1"}`))} {
		if _, err := openIdentity(t, []byte(garbage)); !errors.Is(err, format.ErrCorrupt) {
			t.Errorf("%q: got %v, want ErrCorrupt", garbage, err)
		}
	}
}

func TestAFileOfHostileSizeIsNotRead(t *testing.T) {
	for _, name := range []string{"karchive.json", "SHA256SUMS"} {
		dir := t.TempDir()
		archiveOf(t, dirFS(t, dir), full(orders0, 0, 3))
		if err := os.Truncate(filepath.Join(dir, name), 1<<40); err != nil {
			t.Skip(err)
		}
		if _, err := format.Open(dirFS(t, dir)); !errors.Is(err, format.ErrCorrupt) {
			t.Errorf("%s: got %v, want ErrCorrupt", name, err)
		}
	}
}

func TestAnIdentityThatCannotBeWrittenLeavesTheOldOne(t *testing.T) {
	fsys := memArchive(t)
	a := mustOpenForWriting(t, fsys)
	old := a.Identity()
	fsys.SetFree(10)
	if err := a.SetIdentity(planned); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want ENOSPC", err)
	}
	if got := mustOpen(t, fsys).Identity(); !reflect.DeepEqual(got, old) || !reflect.DeepEqual(a.Identity(), old) {
		t.Errorf("got %+v, want %+v", got, old)
	}
	checkNoTemp(t, fsys)
}

func TestAnIdentityIsDurableWhenSetIdentityReturns(t *testing.T) {
	fsys := memArchive(t)
	a := mustOpenForWriting(t, fsys)
	if err := a.SetIdentity(planned); err != nil {
		t.Fatal(err)
	}
	want := a.Identity()
	if got := mustOpen(t, fsys.CrashBare()).Identity(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTopicNamesAreKafkas(t *testing.T) {
	for _, name := range []string{"a", "A-b_c.9", "...", "_schemas", "__consumer_offsets", strings.Repeat("x", 249)} {
		if err := ondisk.CheckTopic(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", ".", "..", "a/b", "a b", "a\\b", "é", "a\x00", "a=b", "a*", strings.Repeat("x", 250)} {
		if ondisk.CheckTopic(name) == nil {
			t.Errorf("%q is taken for legal", name)
		}
	}
}

func TestAnArchiveGetsAnotherID(t *testing.T) {
	fsys := memfs.New(memfs.Options{})
	a, err := format.Create(fsys, format.Identity{ClusterID: "c"})
	if err != nil {
		t.Fatal(err)
	}
	const want = "9b0a1c3e-5d7f-4a2b-8c6d-0e1f2a3b4c5d"
	setID := func(to string) error {
		id := a.Identity()
		id.ArchiveID = to
		return a.SetIdentity(id)
	}
	if err := setID("7"); err == nil || a.Identity().ArchiveID == "7" {
		t.Errorf("what is no UUID: got %v", err)
	}
	if err := setID(want); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = mustOpen(t, fsys)
	defer a.Close()
	if id := a.Identity(); id.ArchiveID != want || id.ClusterID != "c" {
		t.Errorf("got %+v", id)
	}
	if err := setID(want); !errors.Is(err, format.ErrReadOnly) {
		t.Errorf("of an archive that is only read: got %v", err)
	}
}

// A cluster's id is text that somebody else chose, and people print these files on their terminals.
func TestDocumentsShowNothingThatMovesACursor(t *testing.T) {
	const takeover = "c\u009b31m\u202egpj\u2066\u200b\u2028\x7f\u0085\x1b[2J"
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		fsys := memfs.New(memfs.Options{})
		id := planned
		id.ClusterID, id.Capture, id.Encoding = takeover, nil, e
		a, err := format.Create(fsys, id)
		must(t, err)
		must(t, a.Close())
		s := full(orders0, 0, 1).in(e)
		options := s.options()
		options.Source.ClusterID = takeover
		var segment bytes.Buffer
		w, err := format.NewWriter(&segment, options)
		must(t, err)
		must(t, s.writeTo(w))
		_, err = w.Finish(s.next)
		must(t, err)
		for name, data := range map[string][]byte{"karchive.json": fsys.Files()["karchive.json"], "segment": segment.Bytes()} {
			if bytes.Contains(data, []byte("c\u009b")) || bytes.Contains(data, []byte("\u202egpj")) || !bytes.Contains(data, []byte(`c\u009b31m\u202egpj\u2066\u200b\u2028\u007f\u0085\u001b[2J`)) {
				t.Errorf("%s does not spell what moves a cursor", name)
			}
		}
		if got := mustOpen(t, fsys).Identity().ClusterID; got != takeover {
			t.Errorf("got cluster %q, want %q", got, takeover)
		}
	})
}
