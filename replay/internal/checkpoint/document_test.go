package checkpoint

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestAStateComesBackFromItsFileAsItWas(t *testing.T) {
	shift := int64(-7)
	want := &State{
		ArchiveID: "a", ClusterID: "c", Options: map[string]string{"limit": "3"}, From: "beginning", Until: "@9", TopicIDs: map[string]string{"t": "id"}, ShiftMs: &shift,
		Partitions: []Partition{{Topic: "t", Partition: 1, Next: 5, Records: 4, Bytes: 44, LeftOut: 1, Turns: 2, Beyond: []Range{{From: 7, Until: 9, Records: 2, Bytes: 20}}}},
	}
	store := Documents(File(filepath.Join(t.TempDir(), "progress")))
	if got, err := store.Load(t.Context()); got != nil || err != nil {
		t.Errorf("got %+v, %v before anything was saved", got, err)
	}
	for range 2 {
		if err := store.Save(t.Context(), want); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := store.Load(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestADocumentOfAnotherKindOrVersionIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"": "not the progress", "hello": "not the progress", `{"a":1}`: "not the progress", "[]": "not the progress", `{"karchive_progress":1}`: "not the progress",
		`{"karchive_progress":2,"archive_id":"a"}`: "version 2",
	} {
		if got, err := Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %+v, %v, want %s", text, got, err, want)
		}
	}
}
