package main

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// logged runs say on an environment that logs JSON, and returns its lines without their time.
func logged(t *testing.T, say func(e *env)) (lines []map[string]any) {
	t.Helper()
	var stderr strings.Builder
	e := newEnv(nil, nil, &stderr)
	e.logs, e.terminal = jsonLog, true
	e.hidden.learn([]string{"swordfish"})
	now := time.Date(2026, 11, 28, 1, 2, 3, 0, time.UTC)
	e.now = func() time.Time { return now }
	say(e)
	checkHarmless(t, "the log", stderr.String())
	for line := range strings.Lines(stderr.String()) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if one["time"] != "2026-11-28T01:02:03Z" {
			t.Errorf("the time of %s is not that of the environment", line)
		}
		delete(one, "time")
		lines = append(lines, one)
	}
	return lines
}

func TestALogForMachinesHasALevelOnEveryLine(t *testing.T) {
	got := logged(t, func(e *env) {
		e.notef("3 topics")
		e.warnf("open transactions\nof %s", takeover)
		e.report(errors.Join(errors.New("one"), withHint(errors.New("two of swordfish"), "give -o")))
		e.report(errInterrupted)
		e.quiet = true
		e.notef("not this")
	})
	want := []map[string]any{
		{"level": "INFO", "msg": "3 topics"}, {"level": "WARN", "msg": "open transactions\nof " + takeover}, {"level": "ERROR", "msg": "one"},
		{"level": "ERROR", "msg": "two of [hidden]", "hint": "give -o"}, {"level": "INFO", "msg": "interrupted"},
	}
	if !slices.EqualFunc(got, want, func(a, b map[string]any) bool { return mustJSON(t, a) == mustJSON(t, b) }) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestProgressInALogForMachinesHasNumbers(t *testing.T) {
	got := logged(t, func(e *env) {
		p := newProgress(e, "capture")
		defer p.done()
		p.said = e.now().Add(-lineInterval)
		p.set(3, 10, "3 of 10")
	})
	if len(got) != 1 || got[0]["done"] != 3.0 || got[0]["total"] != 10.0 || got[0]["msg"] != "capture: 3 of 10" || got[0]["level"] != "INFO" {
		t.Errorf("got %v", got)
	}
}

func TestAWrongCommandLineIsLoggedAsItAsksFor(t *testing.T) {
	for _, args := range [][]string{{"capture", "--log-format", "json", "--bogus"}, {"capture", "--bogus", "--log-format=json"}, {"replay", "--log-format", "json"}, {"serve", "--log-format", "json"}} {
		var stdout, stderr strings.Builder
		code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
		var line struct{ Level, Msg, Hint string }
		if err := json.Unmarshal([]byte(stderr.String()), &line); err != nil || code != exitUsage || line.Level != "ERROR" || line.Msg == "" || line.Hint == "" {
			t.Errorf("%q: exit code %d, %q, %v", args, code, &stderr, err)
		}
	}
}
