package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mattn/go-runewidth"
)

// shownOn runs a command on a terminal of so many columns, and returns what it shows.
func shownOn(t *testing.T, columns uint16, args ...string) string {
	t.Helper()
	person, program := newTerminal(t)
	if err := unix.IoctlSetWinsize(int(program.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	shown := make(chan string)
	go func() {
		all, _ := io.ReadAll(person) // it ends with an error when the program's side is closed
		shown <- string(all)
	}()
	var stderr strings.Builder
	if code := run(t.Context(), args, strings.NewReader(""), program, &stderr); code == exitUsage || code == exitFailed && args[0] != "diff" {
		t.Errorf("%q: exit code %d, %s", args, code, &stderr)
	}
	program.Close()
	return strings.ReplaceAll(<-shown, "\r\n", "\n")
}

// sentence is a line that is no row: the terminal breaks it.
var sentence = regexp.MustCompile(`^(captured|all right:|replayed|imported|reshaped|copied|lost:|different:|equal:|nothing new|[-+ ] )`)

func TestTablesFitATerminalOfEightyColumns(t *testing.T) {
	addr, client := ordersCluster(t)
	produceNoise(t, client, 20)
	t.Chdir(t.TempDir())
	capture := func(dir string) []string { return []string{"capture", "-b", addr, "-t", "orders", "-o", dir} }
	runHere(t, append(capture("run"), "--sample", "50%")...)
	produceNoise(t, client, 2)
	target, _ := ordersCluster(t)
	if err := os.WriteFile("t.csv", []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		capture("run2"), {"info", "run"}, {"info", "run", "--by", "topic"}, {"diff", "run", "run2"},
		{"replay", "run", "-b", target, "--allow-source-cluster", "--dry-run"}, {"replay", "run", "-b", target, "--allow-source-cluster", "--map", "orders:=orders", "--mask", "value=redact"},
		{"import", "csv", "t.csv", "-o", "i", "--topic", strings.Repeat("long", 15)}, {"verify", "run"}, {"copy", "run", "-o", "c"}, {"recover", "run", "-o", "r"},
	} {
		shown := shownOn(t, 80, args...)
		if strings.Count(shown, "\n") < 1 {
			t.Errorf("%q shows %q", args, shown)
		}
		for line := range strings.Lines(shown) {
			line = strings.TrimSuffix(line, "\n")
			if w := runewidth.StringWidth(line); w > 80 && !sentence.MatchString(line) {
				t.Errorf("%q shows a line of %d columns: %s", args, w, line)
			}
		}
	}
	wide := shownOn(t, 200, "info", "run")
	if narrow := shownOn(t, 80, "info", "run"); strings.Count(narrow, "\n") <= strings.Count(wide, "\n") || strings.Join(strings.Fields(narrow), "") == "" {
		t.Errorf("80 columns show\n%s, 200 columns\n%s", narrow, wide)
	}
	if _, err := os.Stat(filepath.Join("run2", "karchive.json")); err != nil {
		t.Error(err)
	}
}

func TestHelpFitsATerminalOfEightyColumns(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"help", "replay"}, {"help", "cat"}, {"help", "positions"}, {"help", "reshape"}, {"help", "filter"}, {"help", "connection"}} {
		narrow, wide := shownOn(t, 80, args...), shownOn(t, 400, args...)
		for line := range strings.Lines(narrow) {
			if w := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); w > 80 && !strings.HasPrefix(line, "  karchive ") {
				t.Errorf("%q shows a line of %d columns: %s", args, w, line)
			}
		}
		if strings.Join(strings.Fields(narrow), " ") != strings.Join(strings.Fields(wide), " ") {
			t.Errorf("%q shows other words at 80 columns", args)
		}
	}
}
