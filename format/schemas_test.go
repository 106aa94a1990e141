package format_test

import (
	"reflect"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/test/memfs"
)

func someSchemas() []origin.Schema {
	return []origin.Schema{
		{ID: 1, GUID: "3f2504e0-4f89-11d3-9a0c-0305e82c3301", Type: origin.AvroSchema, Text: `"int"`, Versions: []origin.SchemaVersion{{Subject: "a", Version: 1, Compatibility: "FULL"}, {Subject: "b", Version: 2}}},
		{ID: 7, Type: "NEWER", Text: "?", References: []origin.SchemaReference{{Name: "n", Subject: "a", Version: 1}}},
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
	id.Schemas = []origin.Schema{someSchemas()[1], someSchemas()[0]}
	if err := a.SetIdentity(id); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = mustOpen(t, fsys)
	if id := a.Identity(); id.Version != "1.3" || !reflect.DeepEqual(id.Schemas, someSchemas()) {
		t.Errorf("got version %s and %v; want 1.3 and %v", id.Version, id.Schemas, someSchemas())
	}
}

func TestSchemasThatCannotBeAreRefused(t *testing.T) {
	for what, change := range map[string]func(*origin.Schema){
		"no id":       func(s *origin.Schema) { s.ID = 0 },
		"an id twice": func(s *origin.Schema) { s.ID = 7 },
		"no type":     func(s *origin.Schema) { s.Type = "" },
		"a GUID":      func(s *origin.Schema) { s.GUID = "x" },
		"a version":   func(s *origin.Schema) { s.Versions[0].Version = 0 },
		"a subject":   func(s *origin.Schema) { s.Versions[0].Subject = "" },
		"a reference": func(s *origin.Schema) { s.References = []origin.SchemaReference{{}} },
	} {
		all := someSchemas()
		change(&all[0])
		if _, err := format.Create(memfs.New(memfs.Options{}), format.Identity{Schemas: all}); err == nil {
			t.Errorf("%s: got no error; want one", what)
		}
	}
}
