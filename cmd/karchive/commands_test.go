package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format/ledger"
)

func shownCommands() []*cli.Command {
	e := newEnv(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{})
	return slices.DeleteFunc(e.commands(), func(c *cli.Command) bool { return c.Hidden })
}

func TestThePageOfConceptsHasTheExitCodesOfEveryCommand(t *testing.T) {
	text := readFile(t, "../../docs/concepts.md")
	_, table, ok := strings.Cut(text, "| command | exit codes |\n|---|---|\n")
	if !ok {
		t.Fatal("docs/concepts.md has no table of commands and exit codes")
	}
	table, _, _ = strings.Cut(table+"\n\n", "\n\n")
	var want strings.Builder
	for _, c := range shownCommands() {
		fmt.Fprintf(&want, "| `%s` | %s |\n", c.Name, exitCodesOf(c))
	}
	if got := strings.TrimSpace(table); got != strings.TrimSpace(want.String()) {
		t.Errorf("docs/concepts.md: got the table\n%s\nwant\n%s", got, want.String())
	}
}

var exitsWith3 = regexp.MustCompile(`(?m)^exits 3 karchive ([a-z]+)`)

func TestCommandsThatExitWith3SayWhen(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	seen := map[string]bool{"serve": true, "export": true} // whose scripts do not wait for an exit code of 3
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range exitsWith3.FindAllStringSubmatch(string(text), -1) {
			seen[m[1]] = true
			c, err := findCommand(shownCommands(), m[1])
			if err != nil || !strings.Contains(exitCodesOf(c), ", 3 ") {
				t.Errorf("%s: karchive %s exits with 3, and its help does not say when (%v)", script, m[1], err)
			}
		}
	}
	for name := range leftOut {
		if !seen[name] {
			t.Errorf("no script shows karchive %s exit with 3", name)
		}
	}
}

// Flags of one name that mean something else in some command, and why.
var (
	otherLetters = map[string]string{
		"compare --keep": "its --output names topics", "compare --output": "topics of programs, which nobody writes to a place",
	}
	otherKinds   = map[string]string{"timestamps": "compare compares them or not, replay says which to send"}
	otherDefault = map[string]string{
		"by":            "what is told apart differs: records of two archives, of two programs, rows of a table",
		"compression":   "a copy stays as it is, a replay goes by the topics",
		"encoding":      "a copy is like its first archive, a capture like the archive that it goes on with",
		"format":        "of extract it is that of a table",
		"output":        "a table goes to stdout, an archive never does",
		"partitioner":   "an import has no partitions of its own to keep",
		"partitions":    "of import it is how many there are",
		"stall-timeout": "a target has deadlines of its own, which a replay waits for",
		"rotate-size":   "a copy is cut as its archives are",
	}
)

func TestAFlagIsSpelledTheSameInAllCommands(t *testing.T) {
	type first struct{ command, letters, takes, fallback string }
	known, letters := map[string]first{}, map[string]string{}
	for _, c := range shownCommands() {
		for _, flag := range c.Flags {
			f := flag.(cli.DocGenerationFlag)
			name, short := f.Names()[0], strings.Join(f.Names()[1:], " ")
			if otherLetters[c.Name+" --"+name] != "" || otherKinds[name] != "" {
				continue
			}
			now := first{c.Name, short, fmt.Sprint(f.TakesValue()), f.GetDefaultText()}
			was, ok := known[name]
			if !ok {
				known[name], was = now, now
			}
			place := fmt.Sprintf("%s --%s, as against %s", c.Name, name, was.command)
			if now.letters != was.letters {
				t.Errorf("%s: got the letter %q, want %q", place, now.letters, was.letters)
			}
			if other := letters[short]; short != "" && other != "" && other != name {
				t.Errorf("-%s of %s is --%s, elsewhere --%s", short, c.Name, name, other)
			}
			letters[short] = name
			if now.takes != was.takes {
				t.Errorf("%s: got takes a value %s, want %s", place, now.takes, was.takes)
			}
			if now.fallback != was.fallback && otherDefault[name] == "" {
				t.Errorf("%s: got the default %q, want %q", place, now.fallback, was.fallback)
			}
		}
	}
	if len(known) < 100 || letters["o"] != "output" || letters["t"] != "topics" {
		t.Errorf("%d flags found, -o is --%s and -t --%s: the commands were not read", len(known), letters["o"], letters["t"])
	}
}

func TestTablesAndPagesNameEveryReasonOfAGap(t *testing.T) {
	pages := map[string]string{"docs/concepts.md": "\n| `%s` | ", "SPEC.md": "\n| `%s` | "}
	for reason := range new(ledger.Ledger).All() {
		for page, row := range pages {
			if want := fmt.Sprintf(row, reason); !strings.Contains(readFile(t, "../../"+page), want) {
				t.Errorf("%s has no row for the reason %s", page, reason)
			}
		}
	}
	var p amounts
	if got := p.missing(); got != "-" {
		t.Errorf("got %q where nothing is without a record, want -", got)
	}
	p.Retention, p.Corrupt, p.Control, p.Filtered, p.Absent = 1, 2, 3, 4, 5
	text := ", " + p.missing()
	for reason, n := range p.All() {
		if n == 0 {
			t.Errorf("this test does not count %s", reason)
		}
		if want := fmt.Sprintf(", %d %s", n, reason); !strings.Contains(text, want) {
			t.Errorf("info: got %q, want %q in it", text, want)
		}
	}
}
