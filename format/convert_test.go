package format_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/test/memfs"
)

// oddArchive is an archive with all that a document can say: gaps of every reason, row groups that ended early, a segment without records,
// header keys that are not UTF-8, epochs of markers.
func oddArchive(t *testing.T, e format.Encoding, c format.Compression) *memfs.FS {
	t.Helper()
	fsys := memArchive(t, full(orders0, 0, 100).in(e))
	a := mustOpenForWriting(t, fsys)
	fill := func(s seg, write func(p *format.Pending) error) {
		o := s.options()
		o.Compression = c
		p, err := a.NewSegment(o)
		if err == nil {
			err = write(p)
		}
		if err == nil {
			_, _, err = p.Seal(s.next)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	fill(seg{tp: orders0, base: 100, next: 200}, func(p *format.Pending) error {
		key := format.Header{Key: "caf\xc3", Value: []byte{}}
		return errors.Join(
			p.Gap(ledger.Gap{From: 100, Until: 110, Reason: ledger.Retention}),
			p.Skip(110, 3, ledger.Control),
			p.Write(&format.Record{Offset: 111, TimestampMs: -1, TimestampType: format.TimestampNone, Headers: []format.Header{key, {Key: "k"}}}),
			p.Skip(112, 3, ledger.Filtered),
			p.Cut(),
			p.Write(&format.Record{Offset: 115, Key: []byte{}, Headers: []format.Header{key}}),
			p.Cut(),
			p.Gap(ledger.Gap{From: 150, Until: 160, Reason: ledger.Corrupt}),
			p.Write(&format.Record{Offset: 170, LeaderEpoch: format.NoLeaderEpoch, Value: []byte("v")}),
			p.Skip(180, 9, ledger.Control),
		)
	})
	fill(seg{tp: orders0, base: 200, next: 300}, func(p *format.Pending) error {
		return p.Gap(ledger.Gap{From: 200, Until: 300, Reason: ledger.Retention})
	})
	fill(seg{tp: orders1, base: 7, next: 8}, func(p *format.Pending) error { return nil })
	fill(seg{tp: events0, base: 0, next: 900}, seg{offsets: offsets(0, 900), groups: 5}.writePending)
	return fsys
}

func (s seg) writePending(p *format.Pending) error { return s.writeTo(p) }

// convert converts all segments of an archive.
func convert(from, into *format.Archive, o format.ConvertOptions) error {
	for _, tp := range from.Partitions() {
		for _, s := range from.Segments(tp) {
			if err := format.ConvertSegment(from, into, s, o); err != nil {
				return err
			}
		}
	}
	return nil
}

func converted(t *testing.T, from *memfs.FS, e format.Encoding, o format.ConvertOptions) *memfs.FS {
	t.Helper()
	fsys := memfs.New(memfs.Options{})
	source := mustOpen(t, from)
	id := source.Identity()
	id.Encoding = e
	into, err := format.Create(fsys, id)
	if err == nil {
		err = errors.Join(convert(source, into, o), into.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return fsys
}

// documents are the documents of all segments by their base path, without their versions.
func documents(t *testing.T, a *format.Archive) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, tp := range a.Partitions() {
		for _, s := range a.Segments(tp) {
			d, err := a.Document(s)
			if err != nil {
				t.Fatal(err)
			}
			text := *d
			text.Version = ""
			j, err := json.Marshal(text)
			if err != nil {
				t.Fatal(err)
			}
			all[strings.TrimSuffix(s.Path, path.Ext(s.Path))] = string(j)
		}
	}
	return all
}

func TestConvertingKeepsDocumentsAndConvertingBackKeepsBytes(t *testing.T) {
	other := map[format.Encoding]format.Encoding{format.Parquet: format.Arrow, format.Arrow: format.Parquet}
	for _, c := range []format.Compression{"", "zstd:7", format.NoCompression} {
		t.Run(string(c), func(t *testing.T) {
			eachEncoding(t, func(t *testing.T, e format.Encoding) {
				original := oddArchive(t, e, c)
				there := converted(t, original, other[e], format.ConvertOptions{Compression: c, Encoders: make(chan struct{}, 3)})
				if got := findings(t, there, format.VerifyOptions{Deep: true}); len(got) > 0 {
					t.Errorf("got findings %q", got)
				}
				if got, want := documents(t, mustOpen(t, there)), documents(t, mustOpen(t, original)); !maps.Equal(got, want) {
					t.Errorf("got documents %v\nwant %v", got, want)
				}
				back := converted(t, there, e, format.ConvertOptions{Compression: c})
				// The first segment was compressed in another way.
				if c == "" && !maps.EqualFunc(archived(back), archived(original), bytes.Equal) {
					t.Error("there and back made other bytes")
				}
				again := converted(t, converted(t, back, other[e], format.ConvertOptions{}), e, format.ConvertOptions{Compression: c})
				if !maps.EqualFunc(archived(again), archived(back), bytes.Equal) {
					t.Error("there and back with another compression between made other bytes")
				}
			})
		})
	}
}

func TestConvertingToAnotherCompressionKeepsTheEncoding(t *testing.T) {
	eachEncoding(t, func(t *testing.T, e format.Encoding) {
		original := oddArchive(t, e, "")
		plain := converted(t, original, e, format.ConvertOptions{Compression: format.NoCompression})
		got, want := archived(plain), archived(original)
		path := full(events0, 0, 900).in(e).path()
		if len(got[path]) <= len(want[path]) {
			t.Errorf("got %d bytes without compression, %d with", len(got[path]), len(want[path]))
		}
		if again := converted(t, plain, e, format.ConvertOptions{}); !maps.EqualFunc(archived(again), want, bytes.Equal) {
			t.Error("there and back made other bytes")
		}
	})
}

func TestConvertingStopsAtDamage(t *testing.T) {
	original := oddArchive(t, format.Parquet, "")
	path := full(events0, 0, 900).path()
	damaged := changed(original, map[string][]byte{path: flipRecords(original.Files()[path])})
	into, err := format.Create(memfs.New(memfs.Options{}), format.Identity{Encoding: format.Arrow})
	if err != nil {
		t.Fatal(err)
	}
	defer into.Close()
	err = convert(mustOpen(t, damaged), into, format.ConvertOptions{})
	if !errors.Is(err, format.ErrCorrupt) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want ErrCorrupt that names %s", err, path)
	}
	if slices.Contains(into.Partitions(), events0) {
		t.Error("sealed a segment of what could not be read")
	}
}

func TestConvertingStopsWhenItsCallerSaysSo(t *testing.T) {
	original := mustOpen(t, oddArchive(t, format.Parquet, ""))
	enough := errors.New("enough")
	for n := 1; n <= 4; n++ {
		into := mustOpenForWriting(t, memArchive(t))
		calls := 0
		err := convert(original, into, format.ConvertOptions{OnGroup: func(*format.RowGroup) error {
			if calls++; calls == n {
				return enough
			}
			return nil
		}})
		if !errors.Is(err, enough) || calls != n {
			t.Errorf("got %v after %d row groups, want it after %d", err, calls, n)
		}
	}
}

func TestConvertingWantsATargetThatTakesTheSegment(t *testing.T) {
	original := mustOpen(t, memArchive(t, full(orders0, 0, 10)))
	into := mustOpenForWriting(t, memArchive(t, full(orders0, 5, 10)))
	if err := convert(original, into, format.ConvertOptions{}); err == nil {
		t.Error("into one that goes on elsewhere: got no error")
	}
	empty := mustOpen(t, memArchive(t))
	if err := convert(original, empty, format.ConvertOptions{}); !errors.Is(err, format.ErrReadOnly) {
		t.Errorf("into one that is open for reading: got %v, want ErrReadOnly", err)
	}
}
