package main

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
)

// shownRun is a command of README and what README says it prints.
type shownRun struct{ command, output string }

func shownRuns(text string) []shownRun {
	var runs []shownRun
	open := false
	for line := range strings.Lines(text) {
		code, indented := strings.CutPrefix(line, "    ")
		command, starts := strings.CutPrefix(code, "$ karchive ")
		switch {
		case !indented:
			open = false
		case starts:
			runs = append(runs, shownRun{command: strings.TrimSpace(command)})
			open = true
		case open:
			runs[len(runs)-1].output += code
		}
	}
	return runs
}

// varies is what differs from one run to the next: addresses, times, how long it took, and how well bytes of other times compress.
var varies = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "ADDRESS"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`"timestamp_ms":\d+`), "MS"},
	{regexp.MustCompile(`in [\d.]+(ms|s|m) \([^)]*\)`), "SPEED"},
	{regexp.MustCompile(`\b\d+(\.\d+)? (B|KiB|MiB)\b`), "SIZE"},
	{regexp.MustCompile(`\bSIZE +\d+\.\d\d\b`), "SIZE RATIO"},
	{regexp.MustCompile(` +`), " "},
}

func withoutWhatVaries(text string) string {
	for _, v := range varies {
		text = v.pattern.ReplaceAllString(text, v.name)
	}
	return text
}

// TestTheReadmeShowsWhatIsPrinted runs the commands of README on the archives of the demo. Those that need the demo's clusters were run by
// the demo itself.
func TestTheReadmeShowsWhatIsPrinted(t *testing.T) {
	runs := shownRuns(readFile(t, "../../README.md"))
	if len(runs) < 5 {
		t.Fatalf("README shows %d commands: they were not found", len(runs))
	}
	t.Chdir(t.TempDir())
	indented := regexp.MustCompile(`(?m)^`).ReplaceAllString(runLine(t, "demo -o ."), "    ")
	byDemo := map[string]string{}
	for _, r := range shownRuns(regexp.MustCompile(`(?m)^ +$`).ReplaceAllString(indented, "")) {
		byDemo[withoutWhatVaries(r.command)] = r.output
	}
	for _, r := range runs {
		got, ok := byDemo[withoutWhatVaries(r.command)]
		if !ok {
			got = runLine(t, r.command)
		}
		if got, want := withoutWhatVaries(got), withoutWhatVaries(r.output); got != want {
			t.Errorf("karchive %s\ngot:\n%swant, by README:\n%s", r.command, got, want)
		}
	}
}

// runLine runs a command line without quotes in it, and returns all that it prints.
func runLine(t *testing.T, line string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), strings.Fields(line), strings.NewReader(""), &stdout, &stderr); code != exitDone {
		t.Fatalf("karchive %s: exit code %d: %s", line, code, &stderr)
	}
	return stdout.String() + stderr.String()
}
