package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	shownCommand = regexp.MustCompile(`(?m)^    (?:\$ |.*\| )?karchive (.*(?:\\\n.*)*)$`)
	inQuotes     = regexp.MustCompile(`'[^']*'`) // may be a command line of another program
	shownFlag    = regexp.MustCompile(`(?:^| )(--[a-z][a-z-]*|-[a-zA-Z])(?:[ =]|$)`)
)

// TestPagesShowFlagsThatExist reads the commands of README and docs: a flag that was renamed must not live on there.
func TestPagesShowFlagsThatExist(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	e := newEnv(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{})
	shown := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shownCommand.FindAllStringSubmatch(string(text), -1) {
			line, _, _ := strings.Cut(m[1], " | ")
			line, _, _ = strings.Cut(line, "   #")
			name, rest, _ := strings.Cut(line, " ")
			c, err := findCommand(e.commands(), name)
			if err != nil {
				t.Errorf("%s: karchive %s: %v", page, line, err)
				continue
			}
			shown++
			for _, f := range shownFlag.FindAllStringSubmatch(inQuotes.ReplaceAllString(rest, "''"), -1) {
				if flag := strings.TrimLeft(f[1], "-"); flag != "help" && findFlag(c, flag) == nil {
					t.Errorf("%s: karchive %s has no flag %s", page, name, f[1])
				}
			}
		}
	}
	if shown < 30 {
		t.Errorf("%d commands found in the pages: they were not read", shown)
	}
}

func TestManualPagesNameEveryCommandAndFlag(t *testing.T) {
	var stderr bytes.Buffer
	dir := t.TempDir()
	if code := run(context.Background(), []string{"man", "-o", dir}, strings.NewReader(""), &bytes.Buffer{}, &stderr); code != exitDone {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	e := newEnv(strings.NewReader(""), &bytes.Buffer{}, &stderr)
	program := readFile(t, filepath.Join(dir, "karchive.1"))
	for _, c := range e.commands() {
		if c.Hidden {
			continue
		}
		if !strings.Contains(program, roff("karchive-"+c.Name)) {
			t.Errorf("karchive.1 does not name %s", c.Name)
		}
		page := readFile(t, filepath.Join(dir, "karchive-"+c.Name+".1"))
		for _, f := range c.VisibleFlags() {
			if !strings.Contains(page, roff(dashed(f.Names()[0]))) {
				t.Errorf("the page of %s does not name %s", c.Name, dashed(f.Names()[0]))
			}
		}
	}
}

func TestManualPagesHaveNoLineThatTheMacrosTakeForTheirOwn(t *testing.T) {
	macros := []string{".TH", ".SH", ".TP", ".B", ".BR", ".I", ".PP", ".nf", ".fi"}
	e := newEnv(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{})
	for _, c := range e.commands() {
		for line := range strings.Lines(manPage(e.commands(), c)) {
			macro, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if (line[0] == '.' || line[0] == '\'') && !slices.Contains(macros, macro) {
				t.Errorf("the page of %s has the line %q", c.Name, line)
			}
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
