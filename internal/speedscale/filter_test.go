package speedscale

import (
	"errors"
	"strings"
	"testing"
)

func TestFilterChoosesAsTheDocumentationSays(t *testing.T) {
	const pair = `{"ts":"2026-03-01T12:00:00Z","command":"POST","direction":"OUT","l7protocol":"https","location":"/users/42","status":"200","service":"frontend",
		"uuid":"ViwGhZ1oTiy6FZ8tq26CLA==","resource":"responder","network_address":"grpc-server:80","tags":{"a.b":"x","source":"goproxy"},
		"http":{"req":{"url":"/users/42","method":"POST","headers":{"User-Agent":["ELB-HealthChecker/2.0","second"]},"bodyBase64":"eyJmb28iOiJiYXIiLCJuIjpbMSwyXX0="},
		"res":{"bodyBase64":"eyJlcnJvciI6InVzZXItNyBub3QgZm91bmQifQ=="}}}`
	for filter, want := range map[string]bool{
		`(command IS "POST")`:                                          true,
		`(command IS  "POST")`:                                         true,
		`command IS POST`:                                              true,
		`(command IS "post")`:                                          false,
		`(command IS NOT "POST")`:                                      false,
		`(command IS NOT "GET")`:                                       true,
		`(networkaddr NOT grpc-server:80)`:                             false,
		`(location CONTAINS "/users")`:                                 true,
		`(location NOT CONTAINS "/login")`:                             true,
		`(location REGEX "^\/users\/([0-9]*)$")`:                       true,
		`(location NOT REGEX "^/users/")`:                              false,
		`(location CONTAINS "")`:                                       true,
		`(cluster IS "x")`:                                             false,
		`(cluster IS NOT "x")`:                                         true,
		`(cluster CONTAINS "")`:                                        false,
		`(header[user-agent] CONTAINS "ELB\-HealthChecker/")`:          true,
		`(header[User-Agent] IS "second")`:                             true,
		`(header[User-Agent] NOT CONTAINS "ELB")`:                      false,
		`(tag[a.b] IS x)`:                                              true,
		`(l7protocol NOT CONTAINS HTTP)`:                               false,
		`(l7protocol IS HTTPS)`:                                        true,
		`(req_json[foo] IS bar)`:                                       true,
		`(req_json[n] IS 2)`:                                           true,
		`(resp_json[error] REGEX "user-[0-9]+")`:                       true,
		`(text CONTAINS "not found")`:                                  true,
		`(text CONTAINS "nowhere")`:                                    false,
		`(source IS goproxy)`:                                          true,
		`(uuid IS 562C0685-9d68-4e2c-ba15-9f2dab6e822c)`:               true,
		`(timerange IS "2026-03-01T11:00:00Z" "2026-03-01T12:00:00Z")`: false,
		`(timerange IS "2026-03-01T12:00:00Z" "2026-03-01T12:00:01Z")`: true,
		`(status IS 404 OR status IS 200)`:                             true,
		`(status IS 200) AND (command IS GET)`:                         false,
		`(status IS 200) AND (command IS GET OR direction IS OUT)`:     true,
		`status IS 200 OR command IS GET AND command IS PUT`:           true,
		`(status IS 200 OR command IS GET) AND command IS PUT`:         false,
		`((((status IS 200))))`:                                        true,
	} {
		f, err := ParseFilter(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := f.Match(RRPair{JSON: []byte(pair)}); got != want {
			t.Errorf("%s: got %t, want %t", filter, got, want)
		}
	}
}

func TestFilterSeesThePayloadOfKafka(t *testing.T) {
	f, err := ParseFilter(`(command IS "Fetch") AND (resp_json[FetchResponse.topics.0.name] IS "transactions") AND (resp_json[apiKey] IS KAFKA_API_KEY_FETCH)`)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range pairs(t, readFile(t, "testdata/snapshot.jsonl")) {
		if f.Match(p) {
			n++
		}
	}
	if n != 22 {
		t.Errorf("got %d, want 22", n)
	}
}

func TestWhatIsNoFilterIsNamedWithItsColumn(t *testing.T) {
	for filter, want := range map[string]string{
		``:                                      "column 1: it ends where a keyword is expected",
		`(command IS "Fetch"`:                   "column 20: it ends where AND, OR or ) is expected",
		`(command IS "Fetch`:                    "column 13: a quote that nothing closes",
		`(command IS)`:                          `column 12: ")" where a value is expected`,
		`(command "Fetch")`:                     `column 10: "Fetch" where IS, IS NOT, CONTAINS, NOT CONTAINS or REGEX is expected`,
		`(comand IS Fetch)`:                     "column 2: unknown keyword comand; did you mean command?",
		`(sample IS "1/5")`:                     "unknown keyword sample",
		`(header IS x)`:                         "column 2: write header[...] with what it is about",
		`(header[x IS x)`:                       "column 8: a [ that nothing closes",
		`(status[x] IS x)`:                      "unknown keyword status",
		`(location REGEX "(")`:                  "column 17: ",
		`(timerange IS yesterday today)`:        `column 15: "yesterday" is no time`,
		`(timerange IS "2026-03-01T12:00:00Z")`: `column 37: ")" where the time that the range ends with is expected`,
		`(a IS b) (c IS d)`:                     "unknown keyword a",
		`(status IS 1) (status IS 2)`:           `column 15: "(" where AND, OR or the end is expected`,
		`"status" IS 1`:                         "where a keyword is expected",
		strings.Repeat("(", 200):                "too many brackets in brackets",
	} {
		_, err := ParseFilter(filter)
		if !errors.Is(err, ErrFilter) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", filter, err, want)
		}
	}
}

// FuzzFilter looks for a filter that cannot be parsed or applied without harm.
func FuzzFilter(f *testing.F) {
	pair := RRPair{JSON: []byte(`{"command":"Fetch","ts":"2026-03-01T12:00:00Z","l7protocol":"kafka","kafka":{"request":{"a":[1]}},"tags":{"x":null},"http":{"req":{"headers":{"A":[""]}}}}`)}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseFilter(text)
		if err != nil {
			if !errors.Is(err, ErrFilter) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		bracketed, err := ParseFilter("(" + text + ") AND (command IS Fetch)")
		if err != nil && !strings.Contains(err.Error(), "too many brackets") {
			t.Fatalf("%q in brackets: %v", text, err)
		}
		if err == nil && bracketed.Match(pair) != filter.Match(pair) {
			t.Fatalf("%q in brackets is another", text)
		}
	})
}
