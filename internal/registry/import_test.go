package registry

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/schema"
	"github.com/karchive/karchive/test/registrytest"
)

// evolved are three versions of one subject.
func evolved(t *testing.T) *schema.Set {
	t.Helper()
	s := &schema.Set{}
	for i, text := range []string{`"int"`, `"long"`, `["long","string"]`} {
		err := s.Add(origin.Schema{ID: int32(21 + i), Type: origin.AvroSchema, Text: text, Versions: []origin.SchemaVersion{{Subject: "t-value", Version: int32(2 + i)}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestEveryVersionOfASubjectIsRestoredAlsoByALaterRun(t *testing.T) {
	r, c := target(t)
	restore := func(ids ...int32) {
		t.Helper()
		run := NewRestore(c, evolved(t), KeepIDs, false)
		for _, id := range ids {
			if one, err := run.Target(context.Background(), schema.Name{ID: id}); err != nil || one.Action != Registered {
				t.Fatalf("schema %d: got %v, %v; want it registered", id, one, err)
			}
		}
	}
	restore(23, 21)
	restore(22)
	for version, want := range map[int]int{2: 21, 3: 22, 4: 23} {
		if got, _ := r.GetSchema("t-value", version); got.ID != want {
			t.Errorf("version %d: got schema %d, want %d", version, got.ID, want)
		}
	}
}

func TestNothingIsImportedIntoASubjectWithVersionsOfItsOwn(t *testing.T) {
	for _, dry := range []bool{true, false} {
		r, c := target(t)
		r.SeedSchema("t-value", 2, 1, sr.Schema{Schema: `"bytes"`})
		_, err := NewRestore(c, evolved(t), KeepIDs, dry).Target(context.Background(), schema.Name{ID: 22})
		if err == nil || !strings.Contains(err.Error(), "subject t-value has another version 2 there") {
			t.Errorf("dry %v: got %v; want the version that is in the way", dry, err)
		}
	}
}

func TestARegistryWithoutImportModeRegistersNothingUnderAnotherIDUnasked(t *testing.T) {
	for _, kind := range []registrytest.Modes{registrytest.WithoutModes, registrytest.OnlyYes} {
		r, c := target(t)
		r.Has(kind)
		_, err := NewRestore(c, archived(t), KeepIDs, false).Target(context.Background(), schema.Name{ID: 12})
		if taken, ok := errors.AsType[*TakenError](err); !ok || !errors.Is(taken, errNoImport) || r.SubjectExists("inner") {
			t.Errorf("kind %d: got %v, inner registered: %v; want an error, and nothing registered", kind, err, r.SubjectExists("inner"))
		}
	}
}

func TestADryRunSaysThatThereIsNoImportMode(t *testing.T) {
	r, c := target(t)
	r.Has(registrytest.WithoutModes)
	if _, err := NewRestore(c, archived(t), KeepIDs, true).Target(context.Background(), schema.Name{ID: 12}); !errors.Is(err, errNoImport) {
		t.Errorf("keep: got %v; want %v", err, errNoImport)
	}
	one, err := NewRestore(c, archived(t), MapIDs, true).Target(context.Background(), schema.Name{ID: 12})
	if err != nil || one.Action != Anew || one.Target != 0 {
		t.Errorf("map: got %v, %v; want that it would be registered anew", one, err)
	}
}

// What is registered anew gets versions of the target's choice, and what refers to it must find it there.
// What this program does not know of a subject's mode it does not lose.
func TestAModeThatIsNotKnownIsPutBack(t *testing.T) {
	r, c := target(t)
	if err := c.setMode(t.Context(), "t-value", "FORWARD"); err != nil {
		t.Fatal(err)
	}
	if one, err := NewRestore(c, evolved(t), KeepIDs, false).Target(t.Context(), schema.Name{ID: 21}); err != nil || one.Action != Registered {
		t.Fatalf("got %v, %v; want it registered", one, err)
	}
	if got, own := r.Mode("t-value"); got != "FORWARD" || !own {
		t.Errorf("got mode %q, want FORWARD", got)
	}
}

func TestReferencesFollowWhatIsRegisteredAnew(t *testing.T) {
	r, c := target(t)
	r.Has(registrytest.OnlyYes)
	r.SeedSchema("inner", 1, 1, sr.Schema{Schema: `"bytes"`})
	for range 2 { // the second run finds what the first made
		if _, err := NewRestore(c, archived(t), MapIDs, false).Target(context.Background(), schema.Name{ID: 12}); err != nil {
			t.Fatal(err)
		}
	}
	got, ok := r.GetSchema("t-value", 1)
	if want := []sr.SchemaReference{{Name: "Inner", Subject: "inner", Version: 2}}; !ok || !slices.Equal(got.References, want) {
		t.Errorf("got references %v; want %v", got.References, want)
	}
}

func TestWhatWasDeletedSoftlyIsKeptAndRestored(t *testing.T) {
	r := fake(t)
	r.SeedSchema("t-value", 1, 5, sr.Schema{Schema: `"int"`})
	r.SeedSchema("t-value", 2, 6, sr.Schema{Schema: `"long"`})
	c := open(t, r)
	if err := c.registry.DeleteSchema(context.Background(), "t-value", 1, sr.SoftDelete); err != nil {
		t.Fatal(err)
	}
	for _, id := range []byte{5, 6} {
		if err := c.See(context.Background(), &format.Record{Value: framed(id, 2)}); err != nil {
			t.Fatal(err)
		}
	}
	for i, got := range c.Take() {
		if want := []origin.SchemaVersion{{Subject: "t-value", Version: int32(1 + i)}}; !slices.Equal(got.Versions, want) {
			t.Errorf("schema %d: got versions %v, want %v", got.ID, got.Versions, want)
		}
	}
	_, into := target(t)
	if one, err := NewRestore(into, c.Schemas(), KeepIDs, false).Target(context.Background(), schema.Name{ID: 5}); err != nil || one.Action != Registered {
		t.Errorf("got %v, %v; want it registered", one, err)
	}
}

// Each context numbers its own schemas.
func TestASchemaOfAContextIsComparedInItsContext(t *testing.T) {
	r := registrytest.New()
	t.Cleanup(r.Close)
	r.SeedSchema("others", 1, 7, sr.Schema{Schema: `"bytes"`})
	c := open(t, r.Registry)
	set := &schema.Set{}
	err := set.Add(origin.Schema{ID: 7, Type: origin.AvroSchema, Text: `"int"`, Versions: []origin.SchemaVersion{{Subject: ":.staging:t-value", Version: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	one, err := NewRestore(c, set, KeepIDs, true).Target(context.Background(), schema.Name{ID: 7})
	if err != nil || one.Action != Registered {
		t.Errorf("got %v, %v; want that id 7 is free in its context", one, err)
	}
}
