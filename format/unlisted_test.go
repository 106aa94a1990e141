package format_test

import (
	"slices"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/memfs"
)

func TestSegmentsThatTheSumsDoNotListAreUnlisted(t *testing.T) {
	fsys := memfs.New(memfs.Options{})
	a, err := format.Create(fsys, format.Identity{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(3) {
		p, err := a.NewSegment(format.WriterOptions{Topic: "orders", Base: i})
		if err == nil {
			err = p.Write(&format.Record{Offset: i, LeaderEpoch: format.NoLeaderEpoch})
		}
		if err == nil {
			_, _, err = p.Seal(i + 1)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	segments := a.Segments(format.TopicPartition{Topic: "orders"})
	files := fsys.Files()
	all := files["SHA256SUMS"]
	lines := []int{len(all) / 3, 2 * len(all) / 3} // each is as long as any other
	files["SHA256SUMS"] = all[:lines[0]]
	later := memfs.FromFiles(memfs.Options{}, files)
	open := mustOpen(t, later)
	if got, err := open.Unlisted(); err != nil || !slices.EqualFunc(got, segments[1:], func(a, b format.Segment) bool { return a.Path == b.Path }) {
		t.Errorf("got %v, %v, want the two segments behind the first", got, err)
	}
	f, err := later.OpenAppend("SHA256SUMS") // as a capture that is under way does
	if err == nil {
		_, err = f.Write(all[lines[0]:lines[1]])
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, err := open.Unlisted(); err != nil || len(got) != 1 || got[0].Path != segments[2].Path {
		t.Errorf("with another line: got %v, %v, want the last segment", got, err)
	}
	if got, err := mustOpen(t, fsys).Unlisted(); err != nil || len(got) != 0 {
		t.Errorf("of a whole archive: got %v, %v", got, err)
	}
}

func TestWhereSeveralWriteNothingIsUnlistedBeforeTheEnd(t *testing.T) {
	fsys := memfs.New(memfs.Options{})
	one := shared(t, fsys)
	mustSeal(t, one, full(orders0, 0, 10))
	reader := mustOpen(t, fsys)
	s := reader.Segments(format.TopicPartition{Topic: orders0.Topic, Partition: orders0.Partition})
	if got, err := reader.Unlisted(); err != nil || len(got) != 0 || len(s) != 1 || s[0].SHA256 != "" {
		t.Errorf("got %v, %v of %v, want none, and a segment without a line", got, err, s)
	}
	closed(t, one)
}
