package main

import (
	"bytes"
	"cmp"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// screen is a writer of text for people that knows how wide lines may be.
type screen struct {
	io.Writer
	width func() int // in columns; 0: there is no telling
}

// widthOf is the width of the terminal that w is; 0: it is none. It may change at any time.
func widthOf(w io.Writer) func() int {
	return func() int {
		f, ok := w.(*os.File)
		if !ok {
			return 0
		}
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0
		}
		return width
	}
}

// widthFor is how wide lines on w had better be.
func widthFor(w io.Writer) int {
	if s, ok := w.(screen); ok {
		return cmp.Or(s.width(), usualWidth)
	}
	return usualWidth
}

const usualWidth = 100

// table lays out lines whose cells are separated by tabs. Where a screen is too narrow for one, every row takes several lines, and nothing is
// cut; only a cell that is wider than the screen goes beyond its edge.
type table struct {
	to    io.Writer
	width int
	text  bytes.Buffer
}

func newTable(w io.Writer) *table {
	t := &table{to: w}
	if s, ok := w.(screen); ok {
		t.width = s.width()
	}
	return t
}

// Write implements io.Writer, and keeps what is written until Flush.
func (t *table) Write(p []byte) (int, error) { return t.text.Write(p) }

// columnGap separates columns.
const columnGap = 2

// Flush writes the table. Another one may follow.
func (t *table) Flush() error {
	defer t.text.Reset()
	var out bytes.Buffer
	aligned := tabwriter.NewWriter(&out, 0, 0, columnGap, ' ', 0)
	aligned.Write(t.text.Bytes())
	aligned.Flush()
	if t.width > 0 && !fits(out.String(), t.text.String(), t.width) {
		out.Reset()
		foldAll(&out, t.text.String(), t.width)
	}
	_, err := t.to.Write(out.Bytes())
	return err
}

// fits says whether the rows of a table are no wider than that. Lines without a tab are no rows.
func fits(aligned, text string, width int) bool {
	rows := strings.Split(text, "\n")
	for i, line := range strings.Split(aligned, "\n") {
		if strings.Contains(rows[i], "\t") && runewidth.StringWidth(line) > width {
			return false
		}
	}
	return true
}

// foldAll folds the tables of a text, each of which ends at a line without a tab.
func foldAll(out *bytes.Buffer, text string, width int) {
	var rows [][]string
	for line := range strings.Lines(text) {
		if cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(cells) > 1 {
			rows = append(rows, cells)
			continue
		}
		fold(out, rows, width)
		rows = nil
		out.WriteString(line)
	}
	fold(out, rows, width)
}

// fold writes rows with as many columns on a line as there is room for. All lines of a row but the first are indented.
func fold(out *bytes.Buffer, rows [][]string, width int) {
	widths := columnWidths(rows)
	starts := foldAt(widths, width)
	for _, row := range rows {
		for j, cell := range row {
			if starts[j] && j > 0 {
				endLine(out)
				out.WriteString(strings.Repeat(" ", columnGap))
			}
			out.WriteString(runewidth.FillRight(cell, widths[j]+columnGap))
		}
		endLine(out)
	}
}

func columnWidths(rows [][]string) (widths []int) {
	for _, row := range rows {
		for j, cell := range row {
			if j == len(widths) {
				widths = append(widths, 0)
			}
			widths[j] = max(widths[j], runewidth.StringWidth(cell))
		}
	}
	return widths
}

// foldAt says which columns begin a line.
func foldAt(widths []int, width int) []bool {
	starts := make([]bool, len(widths))
	used := 0
	for j, w := range widths {
		if starts[j] = j == 0 || used+w > width; starts[j] {
			used = columnGap * min(j, 1)
		}
		used += w + columnGap
	}
	return starts
}

// endLine ends a line, unless there is nothing on it.
func endLine(out *bytes.Buffer) {
	text := bytes.TrimRight(out.Bytes(), " ")
	out.Truncate(len(text))
	if len(text) > 0 && text[len(text)-1] != '\n' {
		out.WriteByte('\n')
	}
}
