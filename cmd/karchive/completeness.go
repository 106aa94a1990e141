package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
)

// completeness is what an archive lacks of what it was to hold, in the JSON of every command that reads one.
type completeness struct {
	Complete    bool           `json:"complete"`
	OpenEnd     bool           `json:"open_end,omitempty"` // a follow capture plans no end
	NotCaptured []missingRange `json:"not_captured"`       // planned, and not there
	Lost        []missingRange `json:"lost"`               // there as gaps

	planned int64 // offsets of NotCaptured
	gone    int64 // of Lost, but what was pruned
	pruned  int64 // of Lost, removed on purpose
}

// missingRange is a range of offsets, from From up to and without Until.
type missingRange struct {
	Topic     string        `json:"topic"`
	Partition int32         `json:"partition"`
	From      int64         `json:"from_offset"`
	Until     int64         `json:"until_offset"`
	Offsets   int64         `json:"offsets"`
	Reason    ledger.Reason `json:"reason,omitempty"`    // of what is lost
	Nothing   bool          `json:"nothing,omitempty"`   // the archive has nothing of the partition
	PrunedAt  string        `json:"pruned_at,omitempty"` // the archive had it until then
	PrunedBy  string        `json:"pruned_by,omitempty"`
}

func newCompleteness(c format.Completeness) *completeness {
	out := &completeness{Complete: c.Complete(), OpenEnd: c.OpenEnd, NotCaptured: []missingRange{}, Lost: []missingRange{}}
	for _, s := range c.Short {
		out.NotCaptured = append(out.NotCaptured, missingRange{Topic: s.Topic, Partition: s.Partition, From: s.From, Until: s.Until, Offsets: s.Until - s.From, Nothing: s.Empty})
		out.planned += s.Until - s.From
	}
	for _, l := range c.Lost {
		m := missingRange{Topic: l.Topic, Partition: l.Partition, From: l.From, Until: l.Until, Offsets: l.Until - l.From, Reason: l.Reason}
		if l.Pruned != nil {
			m.PrunedAt, m.PrunedBy = l.Pruned.At, l.Pruned.By
			out.pruned += m.Offsets
		} else {
			out.gone += m.Offsets
		}
		out.Lost = append(out.Lost, m)
	}
	return out
}

// completenessOf is that of what s selects of an archive.
func (s *selected) completenessOf(e *env, a *format.Archive) (*completeness, error) {
	window, err := s.window(e, a)
	if err != nil {
		return nil, err
	}
	window.Takes = s.takes
	c, err := a.Completeness(window)
	if err != nil {
		return nil, err
	}
	return newCompleteness(c), nil
}

// verdict is one clause: whether the archive is complete, and how much is missing.
func (c *completeness) verdict() string {
	text := "complete"
	switch {
	case !c.Complete:
		text = "incomplete: " + units.Of(c.planned, "planned offset") + " not captured"
	case c.OpenEnd:
		text = "complete up to now, no end planned"
	}
	if c.gone > 0 {
		text += ", " + units.Of(c.gone, "offset") + " lost"
	}
	if c.pruned > 0 {
		text += ", " + units.Of(c.pruned, "offset") + " pruned"
	}
	return text
}

// lines names every range that is missing.
func (c *completeness) lines() []string {
	var out []string
	for _, m := range c.NotCaptured {
		what := "not captured"
		if m.Nothing {
			what = "nothing captured"
		}
		out = append(out, fmt.Sprintf("%s: %s-%d offsets %d..%d", what, m.Topic, m.Partition, m.From, m.Until))
	}
	for _, m := range c.Lost {
		what, why := "lost", string(m.Reason)
		if m.PrunedAt != "" {
			what, why = "pruned", fmt.Sprintf("%s, at %s by %s", m.Reason, m.PrunedAt, m.PrunedBy)
		}
		out = append(out, fmt.Sprintf("%s: %s-%d offsets %d..%d (%s)", what, m.Topic, m.Partition, m.From, m.Until, why))
	}
	return out
}

func (c *completeness) print(w io.Writer) error {
	for _, line := range c.lines() {
		if _, err := printable.Fprintf(w, "%s\n", line); err != nil {
			return err
		}
	}
	return nil
}

// maxMissingLines is how many ranges a warning names: an archive can have thousands.
const maxMissingLines = 10

// lacks is what an archive lacks of what it was to hold, but for what was pruned, in a clause of its own; nothing when it lacks nothing.
func (c *completeness) lacks(archive string) []string {
	if c.Complete && c.gone == 0 {
		return nil
	}
	return []string{archive + " is " + c.verdict()}
}

// warnMissing says on stderr what an archive lacks, before it is used.
func (e *env) warnMissing(archive string, c *completeness) {
	lines := c.lines()
	if len(lines) == 0 {
		return
	}
	e.warnf("%s is %s", archive, c.verdict())
	for _, line := range lines[:min(len(lines), maxMissingLines)] {
		e.warnf("%s", line)
	}
	if more := len(lines) - maxMissingLines; more > 0 {
		e.warnf("and %d more: karchive info %s names them all", more, archive)
	}
}

// warnSelected is warnMissing for what is selected of an archive, and says what it lacks. What cannot be read is told by who reads it.
func (e *env) warnSelected(archive string, a *format.Archive, s *selected) (lacks []string) {
	c, err := s.completenessOf(e, a)
	if err != nil {
		return nil
	}
	e.warnMissing(archive, c)
	return c.lacks(archive)
}

func allowIncompleteFlag(to *bool) cli.Flag {
	return &cli.BoolFlag{Name: "allow-incomplete", Usage: "exit with 0, not 3, where the archive's capture did not get to its end", Destination: to}
}

// accept is the result of a command that did what it could with an archive.
func (c *completeness) accept(incomplete bool) error {
	if c == nil || c.Complete || incomplete {
		return nil
	}
	return errIncomplete
}
