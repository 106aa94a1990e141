package main

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// widestHelp is how wide help is where it could be any width.
const widestHelp = 148

func (s screen) helpWidth() int {
	if width := s.width(); width > 0 {
		return min(width, widestHelp)
	}
	return widestHelp
}

// wrap breaks lines of help that are wider than a screen at spaces. What follows the first line of a flag stands below its text; examples stay,
// for who copies them.
func wrap(text string, width int) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		for line = strings.TrimSuffix(line, "\n"); runewidth.StringWidth(line) > width && !strings.HasPrefix(line, "  karchive "); {
			indent := hanging(line)
			at := lastSpace(line, width, indent)
			if at < 0 {
				break
			}
			out.WriteString(strings.TrimRight(line[:at], " ") + "\n")
			line = strings.Repeat(" ", indent) + line[at+1:]
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}

// hanging is how far the lines after the first are indented: as far as the text of a flag is, or as the line is.
func hanging(line string) int {
	own := len(line) - len(strings.TrimLeft(line, " "))
	if own > 0 && own < helpColumn && len(line) > helpColumn && line[helpColumn-1] == ' ' && strings.Contains(line[:helpColumn], "--") {
		return helpColumn
	}
	return own
}

// lastSpace is where the last space behind the indent is that fits into the width; negative: there is none.
func lastSpace(line string, width, indent int) int {
	used, at := 0, -1
	for i, r := range line {
		if used > width {
			break
		}
		if r == ' ' && i > indent {
			at = i
		}
		used += runewidth.RuneWidth(r)
	}
	return at
}
