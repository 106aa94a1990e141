package registry

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/schema"
	"github.com/karchive/karchive/test/registrytest"
)

// archived are schemas of which one refers to another.
func archived(t *testing.T) *schema.Set {
	t.Helper()
	s := &schema.Set{}
	err := s.Add(
		origin.Schema{ID: 11, Type: origin.AvroSchema, Text: `{"type":"record","name":"Inner","fields":[]}`, Versions: []origin.SchemaVersion{{Subject: "inner", Version: 3}}},
		origin.Schema{ID: 12, Type: origin.AvroSchema, Text: `{"type":"record","name":"Outer","fields":[{"name":"i","type":"Inner"}]}`,
			References: []origin.SchemaReference{{Name: "Inner", Subject: "inner", Version: 3}},
			Versions:   []origin.SchemaVersion{{Subject: "t-value", Version: 2, Compatibility: "FULL"}, {Subject: "u-value", Version: 1}}},
		origin.Schema{ID: 13, Type: origin.ProtobufSchema, Text: `syntax = "proto3"; message M {}`, Versions: []origin.SchemaVersion{{Subject: "p-value", Version: 1}}},
		origin.Schema{ID: 14, Type: origin.AvroSchema, Text: `"int"`})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func target(t *testing.T) (*registrytest.Registry, *Client) {
	t.Helper()
	r := registrytest.New()
	t.Cleanup(r.Close)
	c, err := Open(context.Background(), Options{URLs: []string{r.URL()}, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return r, c
}

func TestSchemasAreRestoredUnderTheirIDs(t *testing.T) {
	r, c := target(t)
	for _, dry := range []bool{true, false} {
		restore := NewRestore(c, archived(t), KeepIDs, dry)
		record := format.Record{Value: framed(12, 1), Key: framed(13, 0)}
		if err := restore.Rewrite(context.Background(), &record); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(record.Value, framed(12, 1)) || !bytes.Equal(record.Key, framed(13, 0)) {
			t.Errorf("got %x and %x; want the same bytes", record.Value, record.Key)
		}
		want := []Restored{{11, 11, "inner", 3, Registered}, {12, 12, "t-value", 2, Registered}, {13, 13, "p-value", 1, Registered}}
		if got := restore.Done(); !reflect.DeepEqual(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		if got := r.SubjectExists("t-value"); got == dry {
			t.Errorf("dry %v: the subject is there: %v", dry, got)
		}
	}
	for _, at := range []origin.SchemaVersion{{Subject: "inner", Version: 3}, {Subject: "t-value", Version: 2}, {Subject: "u-value", Version: 1}} {
		if _, ok := r.GetSchema(at.Subject, int(at.Version)); !ok {
			t.Errorf("%v is not there", at)
		}
		if mode, own := r.Mode(at.Subject); own {
			t.Errorf("%s was left in mode %s", at.Subject, mode)
		}
	}
	again := NewRestore(c, archived(t), KeepIDs, false)
	if one, err := again.Target(context.Background(), schema.Name{ID: 12}); err != nil || one.Action != Present {
		t.Errorf("again: got %v, %v; want that it is present", one, err)
	}
}

func TestAnIDThatIsTakenIsRefusedOrRewritten(t *testing.T) {
	r, c := target(t)
	r.SeedSchema("others", 1, 13, sr.Schema{Schema: `"long"`})
	record := format.Record{Value: framed(13, 0)}
	err := NewRestore(c, archived(t), KeepIDs, false).Rewrite(context.Background(), &record)
	if taken, ok := errors.AsType[*TakenError](err); !ok || taken.ID != 13 || r.SubjectExists("p-value") {
		t.Errorf("keep: got %v; want an error about id 13, and nothing registered", err)
	}
	restore := NewRestore(c, archived(t), MapIDs, false)
	before := bytes.Clone(record.Value)
	value := record.Value
	if err := restore.Rewrite(context.Background(), &record); err != nil {
		t.Fatal(err)
	}
	one := restore.Done()[0]
	if one.Action != Anew || one.Target == 13 || one.Target == 0 {
		t.Errorf("got %v; want another id", one)
	}
	if want := framed(byte(one.Target), 0); !bytes.Equal(record.Value, want) || !bytes.Equal(value, before) {
		t.Errorf("got %x, and %x where it was; want %x, and %x", record.Value, value, want, before)
	}
}

// A subject that has versions cannot be in the import mode.
func TestASubjectInUseIsMapped(t *testing.T) {
	r, c := target(t)
	r.SeedSchema("p-value", 1, 1, sr.Schema{Schema: `syntax = "proto3"; message M { int32 a = 1; }`, Type: sr.TypeProtobuf})
	_, err := NewRestore(c, archived(t), KeepIDs, false).Target(context.Background(), schema.Name{ID: 13})
	if taken, ok := errors.AsType[*TakenError](err); !ok || taken.Err == nil {
		t.Errorf("keep: got %v; want an error with its reason", err)
	}
	one, err := NewRestore(c, archived(t), MapIDs, false).Target(context.Background(), schema.Name{ID: 13})
	if err != nil || one.Action != Anew {
		t.Errorf("map: got %v, %v; want it registered anew", one, err)
	}
}

func TestFramesThatCannotBeMappedAreRefused(t *testing.T) {
	_, c := target(t)
	restore := NewRestore(c, archived(t), MapIDs, false)
	for what, record := range map[string]format.Record{
		"an unknown schema": {Value: framed(99, 1, 2)},
		"no subject":        {Value: framed(14, 2)},
		"an unknown GUID":   {Value: []byte{1}, Headers: []format.Header{{Key: "__value_schema_id", Value: append([]byte{1}, make([]byte, 16)...)}}},
	} {
		if err := restore.Rewrite(context.Background(), &record); err == nil {
			t.Errorf("%s: got no error; want one", what)
		}
	}
	for what, record := range map[string]format.Record{
		"nothing":             {},
		"JSON":                {Value: []byte(`{"a":1}`)},
		"a number of 8 bytes": {Key: framed(99, 1, 2, 3)},
	} {
		if err := restore.Rewrite(context.Background(), &record); err != nil {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
