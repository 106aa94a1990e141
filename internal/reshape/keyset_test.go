package reshape

import (
	"slices"
	"testing"

	"github.com/karchive/karchive/format"
)

// keyed is a record for each key that anybody may ask for.
var keyed = [][]byte{nil, {}, []byte("a"), []byte("b"), []byte("c"), {0xff}, []byte("1"), []byte(`"a"`)}

func TestKeysThatAFilterAsksForAreFound(t *testing.T) {
	for filter, want := range map[string][]string{
		`key == "a"`: {"a"}, `"a" == key`: {"a"}, `key in ["a", "b"]`: {"a", "b"}, `key == b"\xff"`: {"\xff"}, `key == ""`: {""},
		`value.x > 1 && key == "a"`: {"a"}, `key in ["a", "b"] && key == "b"`: {"b"}, `key in []`: {},
		`key == "a" || key == "b"`: nil, `key != "a"`: nil, `key == topic`: nil, `key in ["a", topic]`: nil, `key in value.list`: nil, `key == null`: nil, `!(key == "a")`: nil,
		`key.id == "a"`: nil, `"a" in key`: nil, `topic == "a"`: nil, `headers.key == "a"`: nil, `[1].exists(key, key == 1)`: nil, `key > "a"`: nil, `"a" == "a"`: nil,
	} {
		p := pipelineOf(t, filterRules(filter))
		matches := p.MatchesKey()
		if (matches == nil) != (want == nil) {
			t.Errorf("%s: keys tell: %v, want %v", filter, matches != nil, want != nil)
			continue
		}
		for _, key := range keyed {
			if matches != nil && matches(key) != slices.Contains(want, string(key)) {
				t.Errorf("%s: key %q matches: %v", filter, key, matches(key))
			}
		}
	}
}

// What keys tell without it, the filter says too.
func TestAFilterWithKeysDecidesAsOneWithout(t *testing.T) {
	for _, filter := range []string{`key == "a"`, `key in ["a", "b", ""]`, `key == b"\xff"`, `key == "a" && value.x == 1`, `value.x == 1 && key == "b"`, `key == "1" && value == "y"`} {
		with, without := pipelineOf(t, filterRules(filter)), pipelineOf(t, filterRules(filter))
		without.filter.keys = nil
		for _, key := range keyed {
			for _, value := range []string{`{"x":1}`, `{"x":2}`, `no JSON`} {
				r := Record{Topic: "t", Record: format.Record{Key: key, Value: []byte(value)}}
				got, err := with.Worker().Apply(&r)
				want, wantErr := without.Worker().Apply(&r)
				if got != want || err != nil || wantErr != nil {
					t.Errorf("%s, key %q, value %s: got %v, %v, want %v, %v", filter, key, value, got, err, want, wantErr)
				}
			}
		}
	}
}

func TestRecordsThatNoWorkerWasShownAreInTheReport(t *testing.T) {
	p := pipelineOf(t, filterRules(`key == "a"`))
	p.LeaveOut(7)
	p.Worker().Apply(&Record{Record: format.Record{Key: []byte("a")}})
	if r := p.Report(); r.Read != 8 || r.Filtered != 7 || r.Passed != 1 {
		t.Errorf("got %+v", r)
	}
}
