package main

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Names, messages and contents come from others, and printable is what keeps them from writing to the terminal. Only what prints nothing but
// the program's own text does without.
func TestEverythingIsPrintedByPrintable(t *testing.T) {
	own := []string{"help.go", "man.go"}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || slices.Contains(own, name) {
			continue
		}
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		looked++
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "fmt" && (strings.HasPrefix(s.Sel.Name, "Fprint") || strings.HasPrefix(s.Sel.Name, "Print")) {
				t.Errorf("%s calls fmt.%s: use printable.Fprintf", name, s.Sel.Name)
			}
			if s.Sel.Name == "stderr" && name != "env.go" && name != "log.go" && name != "progress.go" && name != "main.go" && name != "demo.go" {
				t.Errorf("%s uses stderr: use notef, warnf or report", name)
			}
			return true
		})
	}
	if looked < 40 {
		t.Errorf("%d files were looked at", looked)
	}
}
