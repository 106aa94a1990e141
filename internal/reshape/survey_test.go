package reshape

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/seeds"
)

func surveyOf(records ...format.Record) Surveyed {
	s := NewSurvey("t")
	for i := range records {
		s.Add(&records[i])
	}
	return s.Result()
}

func TestASurveyNamesFieldsWithTheirKindsHeadersAndPayloads(t *testing.T) {
	got := surveyOf(
		format.Record{Key: []byte("k"), Value: []byte(`{"a":1,"b":{"c":null,"d":[true,"x"]}}`), Headers: []format.Header{{Key: "h", Value: []byte("1")}, {Key: "h"}}},
		format.Record{Value: []byte(`{"a":"one","b":"{\"e\":1}"}`), Headers: []format.Header{{Key: "h"}, {Key: "i.j", Value: []byte{}}}},
		format.Record{Key: []byte{}, Value: []byte{0, 1, 2}},
		format.Record{Key: []byte(`"text"`)},
	)
	var fields []string
	for _, f := range got.Fields {
		fields = append(fields, f.Path+": "+strings.Join(f.Kinds, " "))
	}
	want := []string{"key: string", "value: object", "value.a: string number", "value.b: object string", "value.b.c: null", "value.b.d: array",
		"value.b.d.#: string boolean", "value.b|json: object", "value.b|json.e: number"}
	if !slices.Equal(fields, want) {
		t.Errorf("got the fields\n%s\nwant\n%s", strings.Join(fields, "\n"), strings.Join(want, "\n"))
	}
	if want := []HeaderCount{{"headers.h", 2, 1}, {"headers.i.j", 1, 0}}; !slices.Equal(got.Headers, want) {
		t.Errorf("got the headers %v, want %v", got.Headers, want)
	}
	if want := map[PayloadKind]int64{PayloadText: 1, PayloadEmpty: 1, PayloadNull: 1, PayloadJSON: 1}; !maps.Equal(got.Keys, want) {
		t.Errorf("got the keys %v, want %v", got.Keys, want)
	}
	if want := map[PayloadKind]int64{PayloadJSON: 2, PayloadBinary: 1, PayloadNull: 1}; !maps.Equal(got.Values, want) {
		t.Errorf("got the values %v, want %v", got.Values, want)
	}
	if want := []Suspect{{"t", "value", looksBinary, 1}}; !slices.Equal(got.Suspects, want) {
		t.Errorf("got the suspects %v, want %v", got.Suspects, want)
	}
}

func TestASurveyDoesNotTellNamesThatAreSomethingPersonal(t *testing.T) {
	r := format.Record{Value: []byte(`{"jane@example.com":{"x":1},"y":1}`), Headers: []format.Header{{Key: "john@example.com"}}}
	if got := fmt.Sprint(surveyOf(r)); strings.Contains(got, "example") || !strings.Contains(got, "value.*.x") || !strings.Contains(got, "headers.*") {
		t.Errorf("got %s", got)
	}
}

func TestASurveyOfManyNamesKeepsSomeAndSaysThatThereAreMore(t *testing.T) {
	s := NewSurvey("t")
	for i := range 3 * maxShapes {
		mail := fmt.Appendf(nil, "u%d@example.com", i)
		s.Add(&format.Record{Key: mail, Value: fmt.Appendf(nil, `{"n%d":{"m":%q}}`, i, mail), Headers: []format.Header{{Key: fmt.Sprintf("h%d", i), Value: mail}}})
	}
	got := s.Result()
	for name, n := range map[string]int{"fields": len(got.Fields), "headers": len(got.Headers), "suspects": len(got.Suspects) / 2} {
		if n > maxShapes+10 || n < 100 {
			t.Errorf("got %d %s, want some hundred, and at most %d", n, name, maxShapes)
		}
	}
	if n := len(s.looks.plain); n > maxShapes+10 {
		t.Errorf("got %d places, want at most %d", n, maxShapes)
	}
	last := func(paths ...string) bool { return slices.Contains(paths, otherHeaders) }
	if !got.More || !slices.ContainsFunc(got.Headers, func(h HeaderCount) bool { return last(h.Path) }) {
		t.Errorf("got more %t and no %s", got.More, otherHeaders)
	}
	found := int64(0)
	for _, s := range got.Suspects {
		if strings.HasPrefix(s.Path, "headers.") {
			found += s.Records
		}
	}
	if want := int64(3 * maxShapes); found != want {
		t.Errorf("got %d records with an address in a header, want %d", found, want)
	}
}

// FuzzSurvey holds a survey against the coverage that rules require: it finds the same in any record.
func FuzzSurvey(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, key, value []byte, name string, header []byte) {
		r := format.Record{Key: key, Value: value, Headers: []format.Header{{Key: name, Value: header}}}
		p := pipelineOf(t, Rules{RequireCoverage: true})
		w := p.Worker()
		if _, err := w.Apply(&Record{Topic: "t", Record: r}); err != nil {
			t.Fatal(err)
		}
		w.Close()
		if got, want := surveyOf(r).Suspects, p.Report().Uncovered; !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
