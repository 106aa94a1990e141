package main

import (
	"fmt"
	"io"

	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/printable"
)

// shownDifference is a difference as it is shown: a title, and lines of one side or the other.
type shownDifference struct {
	title string
	lines []shownLine
}

type shownLine struct{ path, a, b string }

func showDifference(x *diff.Difference) shownDifference {
	d := shownDifference{title: fmt.Sprintf("%s: %s", x.Kind, x.Place())}
	for _, c := range x.Changes {
		a, b := diff.Excerpts(c.A, c.B, widest)
		d.lines = append(d.lines, shownLine{c.Path, a, b})
	}
	switch {
	case x.Kind == diff.OnlyA:
		d.lines = []shownLine{{"key", cut(diff.Text(x.A.Key)), ""}, {"value", cut(diff.Text(x.A.Value)), ""}}
	case x.Kind == diff.OnlyB:
		d.lines = []shownLine{{"key", "", cut(diff.Text(x.B.Key))}, {"value", "", cut(diff.Text(x.B.Value))}}
	}
	return d
}

// widest is how many characters of a value are shown.
const widest = 160

func cut(s string) string {
	short, _ := diff.Excerpts(s, "", widest)
	return short
}

func printSides(w io.Writer, l shownLine, minus, plus, plain string) error {
	if l.a != "" {
		if _, err := printable.Fprintf(w, "  "+minus+"- %s: %s"+plain+"\n", l.path, l.a); err != nil {
			return err
		}
	}
	if l.b != "" {
		if _, err := printable.Fprintf(w, "  "+plus+"+ %s: %s"+plain+"\n", l.path, l.b); err != nil {
			return err
		}
	}
	return nil
}
