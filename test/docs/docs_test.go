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

var (
	namedFile     = regexp.MustCompile(`[\w/]+\.go\b`)
	namedFunction = regexp.MustCompile("`(\\w+)\\.(\\w+)`")
)

// The files are named from the root, or within one of these.
var codeFolders = []string{"", "format", "capture", "replay", "cmd/karchive", "internal/reshape"}

func TestTheGuideForWhoWorksOnItNamesFilesThatAreThere(t *testing.T) {
	text := pages(t)[filepath.Join(root, "CONTRIBUTING.md")]
	names := namedFile.FindAllString(text, -1)
	if len(names) < 40 {
		t.Fatalf("got %d names of files, want the many that there are", len(names))
	}
	for _, name := range names {
		if !isThere(name) {
			t.Errorf("CONTRIBUTING.md names %s, which is in none of %q", name, codeFolders)
		}
	}
}

func isThere(name string) bool {
	for _, folder := range codeFolders {
		if _, err := os.Stat(filepath.Join(root, folder, name)); err == nil {
			return true
		}
	}
	return false
}

// The way of a record names methods of types, such as `lane.accept`, and functions of packages.
func TestTheWayOfARecordNamesFunctionsThatAreThere(t *testing.T) {
	text := pages(t)[filepath.Join(root, "CONTRIBUTING.md")]
	_, way, _ := strings.Cut(text, "## How a record travels")
	way, _, _ = strings.Cut(way, "\n## ")
	code := codeOf(t, "format", "capture", "replay", "replay/timeline", "internal/merge", "internal/scan", "cmd/karchive")
	found := namedFunction.FindAllStringSubmatch(way, -1)
	for _, m := range found {
		method, function := regexp.MustCompile(`func \(\w+ \*?`+m[1]+`\) `+m[2]+`\(`), regexp.MustCompile(`(?m)^(func|type) `+m[2]+`\b`)
		if !method.MatchString(code) && !function.MatchString(code) {
			t.Errorf("the way of a record names %s.%s, which is not there", m[1], m[2])
		}
	}
	if len(found) < 20 {
		t.Errorf("got %d functions on the way of a record, want both directions", len(found))
	}
}

func codeOf(t *testing.T, folders ...string) string {
	t.Helper()
	var code strings.Builder
	for _, folder := range folders {
		names, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		if err != nil || len(names) == 0 {
			t.Fatalf("no code in %s: %v", folder, err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(b)
		}
	}
	return code.String()
}
