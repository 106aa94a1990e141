package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testName   = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w+`)
	scriptName = regexp.MustCompile(`\bTestScripts/(\w+)`)
	testSource = regexp.MustCompile(`\b[a-z_]+_test\.go\b`)
	function   = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
)

// TestEveryGuaranteeNamesATestThatIsThere fails when a test that a promise rests on was renamed or taken away.
func TestEveryGuaranteeNamesATestThatIsThere(t *testing.T) {
	tests, files := sources(t)
	text := pages(t)[filepath.Join(root, "docs", "guarantees.md")]
	named := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		for _, name := range testName.FindAllString(line, -1) {
			named++
			if !tests[name] {
				t.Errorf("no test %s, which guarantees.md names", name)
			}
		}
		for _, m := range scriptName.FindAllStringSubmatch(line, -1) {
			if _, err := os.Stat(filepath.Join(root, "cmd", "karchive", "testdata", "script", m[1]+".txtar")); err != nil {
				t.Errorf("no script %s, which guarantees.md names", m[1])
			}
		}
		for _, name := range testSource.FindAllString(line, -1) {
			if !files[name] {
				t.Errorf("no file %s, which guarantees.md names", name)
			}
		}
	}
	if named < 20 {
		t.Errorf("guarantees.md names %d tests: its table was not found", named)
	}
}

// sources are the names of all tests of the module, and of the files they are in.
func sources(t *testing.T) (tests, files map[string]bool) {
	t.Helper()
	tests, files = map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files[filepath.Base(path)] = true
		for _, m := range function.FindAllSubmatch(b, -1) {
			tests[string(m[1])] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests, files
}
