package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// pages are the documents that a person reads.
func pages(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no pages in docs: %v", err)
	}
	texts := map[string]string{}
	for _, name := range append(names, filepath.Join(root, "README.md"), filepath.Join(root, "SPEC.md"), filepath.Join(root, "CONTRIBUTING.md")) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(b)
	}
	return texts
}

var linkTarget = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

func TestEveryLinkBetweenPagesLeadsSomewhere(t *testing.T) {
	for page, text := range pages(t) {
		for _, m := range linkTarget.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: link to %s: %v", page, m[1], err)
			}
		}
	}
}

const readmeLines = 200

func TestTheReadmeIsReadInOneGo(t *testing.T) {
	text := pages(t)[filepath.Join(root, "README.md")]
	if got := strings.Count(text, "\n"); got > readmeLines {
		t.Errorf("README.md has %d lines, want at most %d: move what is about one subject to its page in docs", got, readmeLines)
	}
}
