package format_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/memfs"
)

func someSchemas() []format.Schema {
	return []format.Schema{
		{ID: 1, GUID: "3f2504e0-4f89-11d3-9a0c-0305e82c3301", Type: format.AvroSchema, Text: `"int"`, Versions: []format.SchemaVersion{{Subject: "a", Version: 1, Compatibility: "FULL"}, {Subject: "b", Version: 2}}},
		{ID: 7, Type: "NEWER", Text: "?", References: []format.SchemaReference{{Name: "n", Subject: "a", Version: 1}}},
	}
}

func TestSchemasAreKeptAndRaiseTheVersion(t *testing.T) {
	fsys := memfs.New(memfs.Options{})
	a, err := format.Create(fsys, format.Identity{})
	if err != nil {
		t.Fatal(err)
	}
	id := a.Identity()
	if id.Version != "1.0" {
		t.Errorf("without schemas: got version %s; want 1.0", id.Version)
	}
	id.Schemas = []format.Schema{someSchemas()[1], someSchemas()[0]}
	if err := a.SetIdentity(id); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a, err = format.Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if id := a.Identity(); id.Version != "1.3" || !reflect.DeepEqual(id.Schemas, someSchemas()) {
		t.Errorf("got version %s and %v; want 1.3 and %v", id.Version, id.Schemas, someSchemas())
	}
}

func TestSchemasThatCannotBeAreRefused(t *testing.T) {
	for what, change := range map[string]func(*format.Schema){
		"no id":       func(s *format.Schema) { s.ID = 0 },
		"an id twice": func(s *format.Schema) { s.ID = 7 },
		"no type":     func(s *format.Schema) { s.Type = "" },
		"a GUID":      func(s *format.Schema) { s.GUID = "x" },
		"a version":   func(s *format.Schema) { s.Versions[0].Version = 0 },
		"a subject":   func(s *format.Schema) { s.Versions[0].Subject = "" },
		"a reference": func(s *format.Schema) { s.References = []format.SchemaReference{{}} },
	} {
		all := someSchemas()
		change(&all[0])
		if _, err := format.Create(memfs.New(memfs.Options{}), format.Identity{Schemas: all}); err == nil {
			t.Errorf("%s: got no error; want one", what)
		}
	}
}

func TestSchemasOfTwoArchivesAreMerged(t *testing.T) {
	more := []format.Schema{{ID: 1, Type: format.AvroSchema, Text: `"int"`, Versions: []format.SchemaVersion{{Subject: "a", Version: 1}, {Subject: "c", Version: 1}}}, {ID: 3, Type: format.AvroSchema, Text: `"long"`}}
	got, err := format.MergeSchemas(someSchemas(), more)
	want := someSchemas()
	want[0].Versions = append(want[0].Versions, format.SchemaVersion{Subject: "c", Version: 1})
	want = []format.Schema{want[0], more[1], want[1]}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	more[0].Text = `"string"`
	if _, err := format.MergeSchemas(someSchemas(), more); err == nil || !strings.Contains(err.Error(), "id 1") {
		t.Errorf("got %v; want an error that names id 1", err)
	}
}
