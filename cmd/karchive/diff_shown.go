package main

import (
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
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
		d.lines = append(d.lines, shownLine{c.Path, cut(c.A), cut(c.B)})
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

func cut(s string) string { return cutTo(s, widest) }

// cutTo is s if it has no more than so many characters, or its beginning with how long it is.
func cutTo(s string, most int) string {
	n := utf8.RuneCountInString(s)
	if n <= most {
		return s
	}
	end := 0
	for range most {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return s[:end] + "… (" + units.Of(int64(n), "character") + ")"
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
