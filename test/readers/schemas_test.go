package main

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
)

// schemasGolden is a golden archive with the schemas of a registry, and records that name them.
var schemasGolden = filepath.Join(goldenDir, "golden-1.3-schemas")

var goldenSchemas = []origin.Schema{
	{ID: 1, GUID: "8ea6d8c7-51e0-4b1f-9c83-0f2c2a5a2c11", Type: origin.AvroSchema, Text: `{"type":"record","name":"Place","fields":[{"name":"city","type":"string"}]}`,
		Versions: []origin.SchemaVersion{{Subject: "place", Version: 1, Compatibility: "FULL"}, {Subject: "place", Version: 3, Compatibility: "FULL"}}},
	{ID: 7, Type: origin.AvroSchema, Text: `{"type":"record","name":"User","fields":[{"name":"id","type":"long"},{"name":"home","type":["null","Place"]}]}`,
		References: []origin.SchemaReference{{Name: "Place", Subject: "place", Version: 1}}, Versions: []origin.SchemaVersion{{Subject: "users-value", Version: 2}}},
	{ID: 9, Type: origin.ProtobufSchema, Text: "syntax = \"proto3\";\nmessage Paid { int64 cents = 1; }\n"},
	{ID: 1 << 30, Type: "XML", Text: "ü"},
}

var schemasIdentity = format.Identity{
	ClusterID: source.ClusterID, Topics: []origin.Topic{{Name: "users", ID: source.TopicID, Partitions: 1}}, Schemas: goldenSchemas,
}

// schemasSegments have payloads that name a schema by a frame, by a header, one that the archive does not have, and none.
func schemasSegments() []segment {
	guid := append([]byte{1}, 0x8e, 0xa6, 0xd8, 0xc7, 0x51, 0xe0, 0x4b, 0x1f, 0x9c, 0x83, 0x0f, 0x2c, 0x2a, 0x5a, 0x2c, 0x11)
	return []segment{{"users", 0, 0, 5, number(0, []format.Record{
		{Key: []byte("k"), Value: []byte{0, 0, 0, 0, 7, 14, 2, 4, 'U', 'l'}},
		{Value: []byte{4, 'U', 'l'}, Headers: []format.Header{{Key: "__value_schema_id", Value: guid}}},
		{Value: []byte{0, 0, 0, 0, 9, 0, 8, 5}},
		{Key: []byte{0, 0, 0, 0, 8}},
		{Value: []byte(`{"id":7}`)},
	})}}
}

func writeSchemas(root string) error {
	return writeSegments(root, schemasIdentity, schemasSegments(), func(segment) []ledger.Gap { return nil })
}

func TestTheGoldenSchemasAreReadAndWrittenAsTheyAre(t *testing.T) {
	renewed(t, schemasGolden, writeSchemas, schemasSegments())
	golden := identityOf(t, schemasGolden)
	if golden.Version != "1.3" || !reflect.DeepEqual(golden.Schemas, goldenSchemas) {
		t.Errorf("got version %s and %+v, want 1.3 and %+v", golden.Version, golden.Schemas, goldenSchemas)
	}
	writtenAsItIs(t, schemasGolden, writeSchemas, "schemas")
}
