package origin_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/karchive/karchive/format/origin"
)

func someSchemas() []origin.Schema {
	return []origin.Schema{
		{ID: 1, GUID: "3f2504e0-4f89-11d3-9a0c-0305e82c3301", Type: origin.AvroSchema, Text: `"int"`, Versions: []origin.SchemaVersion{{Subject: "a", Version: 1, Compatibility: "FULL"}, {Subject: "b", Version: 2}}},
		{ID: 7, Type: "NEWER", Text: "?", References: []origin.SchemaReference{{Name: "n", Subject: "a", Version: 1}}},
	}
}

func TestSchemasOfTwoArchivesAreMerged(t *testing.T) {
	more := []origin.Schema{{ID: 1, Type: origin.AvroSchema, Text: `"int"`, Versions: []origin.SchemaVersion{{Subject: "a", Version: 1}, {Subject: "c", Version: 1}}}, {ID: 3, Type: origin.AvroSchema, Text: `"long"`}}
	got, err := origin.MergeSchemas(someSchemas(), more)
	want := someSchemas()
	want[0].Versions = append(want[0].Versions, origin.SchemaVersion{Subject: "c", Version: 1})
	want = []origin.Schema{want[0], more[1], want[1]}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	more[0].Text = `"string"`
	if _, err := origin.MergeSchemas(someSchemas(), more); err == nil || !strings.Contains(err.Error(), "id 1") {
		t.Errorf("got %v; want an error that names id 1", err)
	}
}
