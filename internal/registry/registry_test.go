package registry

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
)

func fake(t *testing.T, opts ...srfake.Option) *srfake.Registry {
	t.Helper()
	r := srfake.New(opts...)
	t.Cleanup(r.Close)
	return r
}

func open(t *testing.T, r *srfake.Registry) *Client {
	t.Helper()
	c, err := Open(context.Background(), Options{URLs: []string{r.URL()}, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func framed(id byte, body ...byte) []byte { return append([]byte{0, 0, 0, 0, id}, body...) }

func TestWhatRecordsNameIsFetchedOnce(t *testing.T) {
	r := fake(t)
	r.SeedSchema("inner", 1, 3, sr.Schema{Schema: `{"type":"record","name":"Inner","fields":[]}`})
	outer := sr.Schema{Schema: `{"type":"record","name":"Outer","fields":[{"name":"i","type":"Inner"}]}`, References: []sr.SchemaReference{{Name: "Inner", Subject: "inner", Version: 1}}}
	r.SeedSchema("t-value", 2, 5, outer)
	if _, _, err := r.RegisterSchema("u-value", outer); err != nil {
		t.Fatal(err)
	}
	if err := r.SetCompat("t-value", sr.CompatFull); err != nil {
		t.Fatal(err)
	}
	c := open(t, r)
	asked := 0
	r.Intercept(func(http.ResponseWriter, *http.Request) bool { asked++; return false })
	see := func(record format.Record) {
		t.Helper()
		if err := c.See(context.Background(), &record); err != nil {
			t.Fatal(err)
		}
	}
	see(format.Record{Key: framed(9, 1), Value: framed(5, 1)})
	got := c.Take()
	for i := range got {
		if got[i].GUID == "" {
			t.Errorf("schema %d has no GUID", got[i].ID)
		}
	}
	guid := got[1].GUID
	want := []origin.Schema{
		{ID: 3, GUID: got[0].GUID, Type: origin.AvroSchema, Text: `{"type":"record","name":"Inner","fields":[]}`, Versions: []origin.SchemaVersion{{Subject: "inner", Version: 1}}},
		{ID: 5, GUID: guid, Type: origin.AvroSchema, Text: outer.Schema, References: []origin.SchemaReference{{Name: "Inner", Subject: "inner", Version: 1}},
			Versions: []origin.SchemaVersion{{Subject: "t-value", Version: 2, Compatibility: "FULL"}, {Subject: "u-value", Version: 1}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if c.Unknown() != 1 {
		t.Errorf("got %d unknown schemas; want 1", c.Unknown())
	}
	before := asked
	see(format.Record{Key: framed(9, 2), Value: framed(5, 2)})
	see(format.Record{Value: []byte(`{"json":true}`), Key: []byte("k")})
	if asked != before || len(c.Take()) > 0 {
		t.Errorf("got %d more questions, and schemas; want none", asked-before)
	}
}

func TestAGUIDOfAHeaderIsFetched(t *testing.T) {
	r := fake(t)
	r.SeedSchema("t-value", 1, 5, sr.Schema{Schema: `"int"`})
	s, _ := r.GetSchema("t-value", 1)
	if s.GUID == "" {
		t.Skip("the fake has no GUIDs")
	}
	c := open(t, r)
	record := format.Record{Value: []byte{4}, Headers: []format.Header{{Key: "__value_schema_id", Value: guidBytes(t, s.GUID)}}}
	if err := c.See(context.Background(), &record); err != nil {
		t.Fatal(err)
	}
	got := c.Take()
	if len(got) != 1 || got[0].ID != 5 || got[0].GUID != s.GUID {
		t.Errorf("got %v; want schema 5", got)
	}
}

func TestARegistryThatFailsIsAnError(t *testing.T) {
	r := fake(t)
	c := open(t, r)
	r.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusForbidden)
		return true
	})
	err := c.See(context.Background(), &format.Record{Value: framed(5)})
	if err == nil || !strings.Contains(err.Error(), "fetch schema 5 from the schema registry: 403") {
		t.Errorf("got %v; want an error that names the schema and 403", err)
	}
	r.ClearInterceptors()
	if err := c.See(context.Background(), &format.Record{Value: framed(5)}); err != nil { // it is asked again
		t.Errorf("got %v", err)
	}
}

func TestARegistryWantsItsLogin(t *testing.T) {
	r := fake(t, srfake.WithAuth("Basic YWxpY2U6c2VjcmV0"))
	for _, c := range []struct {
		password string
		works    bool
	}{{"secret", true}, {"wrong", false}} {
		_, err := Open(context.Background(), Options{URLs: []string{r.URL()}, User: "alice", Password: c.password, Timeout: 10 * time.Second})
		if (err == nil) != c.works || err != nil && strings.Contains(err.Error(), c.password) {
			t.Errorf("%s: got %v", c.password, err)
		}
	}
	for _, url := range []string{"ftp://x", "http://alice:secret@x", "x:9", "", "http://x?key=secret"} {
		_, err := Open(context.Background(), Options{URLs: []string{url}, Timeout: time.Second})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v; want an error without the secret", url, err)
		}
	}
}

func guidBytes(t *testing.T, guid string) []byte {
	t.Helper()
	id, err := uuid.Parse(guid)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{1}, id[:]...)
}

// answering makes a registry answer questions whose path ends so.
func answering(r *srfake.Registry, end, answer string) {
	r.Intercept(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.HasSuffix(q.URL.Path, end) {
			return false
		}
		w.Write([]byte(answer))
		return true
	})
}

func TestAnswersThatNoRegistryGivesAreRefused(t *testing.T) {
	schemaOf := func(id string) string { return `{"subject":"s","version":1,"id":` + id + `,"schema":"\"int\""}` }
	refers := `{"schema":"\"int\"","references":[{"name":"r","subject":"s","version":1}]}`
	for name, c := range map[string]struct {
		answers [][2]string // end of a path, answer
		want    string
	}{
		"no id":                     {[][2]string{{"/schemas/ids/5", refers}, {"/subjects/s/versions/1", schemaOf("0")}, {"/ids/5/versions", "[]"}}, "0 as an id"},
		"a negative id":             {[][2]string{{"/schemas/ids/5", refers}, {"/subjects/s/versions/1", schemaOf("-7")}, {"/ids/5/versions", "[]"}}, "-7 as an id"},
		"an id of 64 bits":          {[][2]string{{"/schemas/ids/5", refers}, {"/subjects/s/versions/1", schemaOf("4294967296")}, {"/ids/5/versions", "[]"}}, "4294967296 as an id"},
		"a version of nothing":      {[][2]string{{"/schemas/ids/5", refers}, {"/ids/5/versions", `[{"subject":"","version":1}]`}}, `version 1 of subject ""`},
		"a version of 0":            {[][2]string{{"/schemas/ids/5", refers}, {"/ids/5/versions", `[{"subject":"s","version":0}]`}}, `version 0 of subject "s"`},
		"an answer of 33 MiB":       {[][2]string{{"/schemas/ids/5", `{"schema":"` + strings.Repeat("x", 33<<20) + `"}`}}, "more than 32 MiB"},
		"many thousand places":      {[][2]string{{"/schemas/ids/5", refers}, {"/ids/5/versions", "[" + strings.Repeat(`{"subject":"s","version":1},`, 10_000) + `{"subject":"s","version":1}]`}}, "10001 versions"},
		"no schema":                 {[][2]string{{"/schemas/ids/5", "null"}, {"/ids/5/versions", "[]"}}, "no text for schema 5"},
		"a message and no schema":   {[][2]string{{"/schemas/ids/5", `{"error_code":42,"message":"come back later"}`}, {"/ids/5/versions", "[]"}}, "no text for schema 5"},
		"a reference to nothing":    {[][2]string{{"/schemas/ids/5", refers}, {"/subjects/s/versions/1", `{"id":6}`}, {"/versions", "[]"}}, "no text for schema 6"},
		"a reference to version 0":  {[][2]string{{"/schemas/ids/5", `{"schema":"1","references":[{"name":"r","subject":"s","version":0}]}`}, {"/versions", "[]"}}, `version 0 of subject "s"`},
		"a reference to no subject": {[][2]string{{"/schemas/ids/5", `{"schema":"1","references":[{"name":"r","version":1}]}`}, {"/versions", "[]"}}, `version 1 of subject ""`},
		"a reference of 64 bits":    {[][2]string{{"/schemas/ids/5", `{"schema":"1","references":[{"name":"r","subject":"s","version":4294967297}]}`}, {"/versions", "[]"}}, `version 4294967297 of subject "s"`},
		"an answer that is no JSON": {[][2]string{{"/schemas/ids/5", "<html>"}}, "unable to decode"},
	} {
		r := fake(t)
		client := open(t, r)
		for i := range c.answers {
			answering(r, c.answers[i][0], c.answers[i][1])
		}
		err := client.See(context.Background(), &format.Record{Value: framed(5)})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || len(client.Take()) > 0 {
			t.Errorf("%s: got %.300v; want %s", name, err, c.want)
		}
	}
}

func TestSchemasWithMetadataAndRulesAreFetchedAndNamed(t *testing.T) {
	r := fake(t)
	c := open(t, r)
	answering(r, "/schemas/ids/5", `{"schema":"\"int\"","metadata":{"properties":{"owner":"ann"}},"ruleSet":{"domainRules":[{"name":"r","kind":"CONDITION","mode":"WRITE","type":"CEL"}]}}`)
	answering(r, "/schemas/ids/5/versions", `[]`)
	if err := c.See(context.Background(), &format.Record{Value: framed(5)}); err != nil {
		t.Fatal(err)
	}
	if got := c.Ruled(); len(got) != 1 || got[0] != 5 || len(c.Take()) != 1 {
		t.Errorf("got %v, want schema 5 fetched and named", got)
	}
}

// Registries get new words with their releases. None of them ends a capture.
func TestWordsThatAreNotKnownEndNothing(t *testing.T) {
	const rules = `"metadata":{"tags":{"**.ssn":["PII"]},"future":[1]},"ruleSet":{"encodingRules":[{}],"domainRules":[{"name":"r","kind":"AUDIT","mode":"SOMETIMES","onFailure":7}]}`
	r := fake(t)
	answering(r, "/schemas/types", `["AVRO","XML"]`)
	c := open(t, r)
	answering(r, "/schemas/ids/5", `{"schema":"\"int\"",`+rules+`,"references":[{"name":"r","subject":"x","version":1}]}`)
	answering(r, "/schemas/ids/5/versions", `[{"subject":"s","version":1}]`)
	answering(r, "/subjects/s/versions/1", `{"subject":"s","version":1,"id":5,"guid":"b2e8a1ce-1e9b-4e6a-8f0f-2f1f1e6f9a10","schema":"\"int\"",`+rules+`}`)
	answering(r, "/subjects/x/versions/1", `{"subject":"x","version":1,"id":6,"schemaType":"xml","schema":"<a/>",`+rules+`}`)
	answering(r, "/schemas/ids/6/versions", `[]`)
	answering(r, "/config/s", `{"compatibilityLevel":"MOSTLY","overrideRuleSet":{"domainRules":[{"kind":"AUDIT"}]}}`)
	if err := c.See(context.Background(), &format.Record{Value: framed(5)}); err != nil {
		t.Fatal(err)
	}
	got := c.Take()
	if len(got) != 2 || got[0].Type != "XML" || got[0].Text != "<a/>" {
		t.Fatalf("got %+v, want the schema in another language, and the one that refers to it", got)
	}
	if want := []origin.SchemaVersion{{Subject: "s", Version: 1, Compatibility: "MOSTLY"}}; got[1].GUID == "" || !slices.Equal(got[1].Versions, want) {
		t.Errorf("got %+v, want its GUID and %+v", got[1], want)
	}
	if ids := c.Ruled(); !slices.Equal(ids, []int32{5}) {
		t.Errorf("got %v with metadata or rules, want 5", ids)
	}
}

// An archive has a version once, and a GUID that is one.
func TestWhatIsKeptOfARegistryIsWhatAnArchiveMayHave(t *testing.T) {
	r := fake(t)
	c := open(t, r)
	answering(r, "/subjects/s/versions/1", `{"subject":"s","version":1,"id":5,"guid":"none","schema":"\"int\""}`)
	answering(r, "/schemas/ids/5", `{"schema":"\"int\""}`)
	answering(r, "/schemas/ids/5/versions", `[{"subject":"s","version":1},{"subject":"s","version":1}]`)
	if err := c.See(context.Background(), &format.Record{Value: framed(5)}); err != nil {
		t.Fatal(err)
	}
	if got := c.Take(); len(got) != 1 || got[0].GUID != "" || len(got[0].Versions) != 1 {
		t.Errorf("got %+v; want one version and no GUID", got)
	}
}

func TestAMessageOfARegistryIsOneShortLine(t *testing.T) {
	err := plain(&sr.ResponseError{StatusCode: 422, Message: "a\n b" + strings.Repeat("ü", 1000)})
	if text := err.Error(); !strings.HasPrefix(text, "422: a bü") || len(text) > maxMessage+20 || strings.Contains(text, "\n") {
		t.Errorf("got %q; want one short line", text)
	}
}

func TestALoginIsNotSentOnInClear(t *testing.T) {
	asked := false
	plainly := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer plainly.Close()
	secret := httptest.NewTLSServer(http.RedirectHandler(plainly.URL, http.StatusTemporaryRedirect))
	defer secret.Close()
	_, err := Open(context.Background(), Options{URLs: []string{secret.URL}, User: "alice", Password: "secret", Timeout: 10 * time.Second,
		TLS: secret.Client().Transport.(*http.Transport).TLSClientConfig})
	if err == nil || asked || !strings.Contains(err.Error(), "from https to http") {
		t.Errorf("got %v, asked %v; want it refused", err, asked)
	}
}
