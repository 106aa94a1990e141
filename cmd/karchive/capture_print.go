package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
	"github.com/karchive/karchive/selection"
)

func captureProgress(p capture.Progress) string {
	text := fmt.Sprintf("%s, %s, %s/s, %s of %d partitions complete", units.Of(p.Records, "record"), units.Size(p.Bytes),
		units.Count(units.Rate(p.Records, p.Elapsed)), units.Count(int64(p.Done)), p.Partitions)
	if p.PlannedOffsets == 0 {
		text = fmt.Sprintf("%s, %s, %s, %s", units.Of(p.Records, "record"), units.Size(p.Bytes), units.Of(int64(p.Partitions), "partition"), units.Duration(p.Elapsed.Round(time.Second)))
	}
	if p.Trouble != "" {
		text += "; trouble: " + p.Trouble
	}
	return text
}

// noteSealed says what a capture that was interrupted keeps; p is nil when it had not begun.
func (e *env) noteSealed(p *capture.Progress) {
	if p == nil || p.Segments == 0 {
		e.notef("nothing new is sealed; the same command goes on")
		return
	}
	be := "are"
	if p.Sealed == 1 {
		be = "is"
	}
	e.notef("%s in %s %s sealed; the same command goes on", units.Of(p.Sealed, "record"), units.Of(p.Segments, "segment"), be)
}

// captureHint adds what to do about an error of a capture.
func captureHint(err error, explained string) error {
	if missing, ok := errors.AsType[*selection.MissingTopicError](err); ok {
		return withHint(err, cmp.Or(topicHint(missing), explained))
	}
	if errors.Is(err, context.Canceled) {
		return withHint(err, "the same command goes on with it")
	}
	if hint := otherHint(err); hint != "" {
		return withHint(err, hint)
	}
	if refused, ok := errors.AsType[*group.Error](err); ok {
		return withHint(err, cmp.Or(groupHint(refused), explained))
	}
	return withHint(err, explained)
}

// otherHint says what to do about an archive of something else.
func otherHint(err error) string {
	differs, mismatch := errors.AsType[*capture.MismatchError](err)
	switch {
	case mismatch && differs.Option:
		return "give " + mismatchFlags(differs.What) + " as it was given before, or another -o DIR"
	case mismatch, errors.As(err, new(*capture.RecreatedTopicError)), errors.As(err, new(*capture.TruncatedError)):
		return "give another -o DIR: one archive holds one log"
	}
	return ""
}

// mismatchFlags are the flags of what differs.
func mismatchFlags(what string) string {
	switch what {
	case "rules", "steps":
		return "--rules, --filter, --mask and the like"
	case "rotate bytes":
		return "--rotate-size"
	}
	return "--" + strings.ReplaceAll(what, " ", "-")
}

// groupHint says what to do about the answer of a group.
func groupHint(err *group.Error) string {
	switch {
	case errors.Is(err, kerr.FencedInstanceID), errors.Is(err, kerr.UnreleasedInstanceID):
		return "another process has this --group-instance-id: give each member its own"
	case errors.Is(err, kerr.InconsistentGroupProtocol):
		return "all members need the same archive and --group-protocol; give another --group otherwise"
	case errors.Is(err, kerr.InvalidSessionTimeout):
		return "the brokers bound it: group.min.session.timeout.ms and group.max.session.timeout.ms"
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return "it takes Read on the group"
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return "it takes Read on the topics"
	case errors.Is(err, kerr.GroupMaxSizeReached):
		return "the brokers bound how many members a group has: group.max.size, or group.consumer.max.size; run fewer processes, or raise it"
	case errors.Is(err, kerr.UnsupportedAssignor):
		return "the brokers need the assignor uniform among their group.consumer.assignors; --group-protocol cooperative needs none"
	case errors.Is(err, group.ErrTaken):
		return "give a --group of its own for each archive"
	}
	return ""
}

// captured is the JSON form of what capture prints.
type captured struct {
	Archive string `json:"archive"`
	Verdict string `json:"verdict"`
	Whole   bool   `json:"whole"` // nothing is missing of what was asked for
	*capture.Report
	Reshaped *reshaped        `json:"reshaped,omitempty"`
	Requests *bucket.Requests `json:"requests,omitempty"` // of an archive in a bucket
	invocation
}

// judge says what came of the capture; failed is its error, if there was one.
func (c *captured) judge(failed error) {
	lacks := c.Reshaped.lacks()
	if n := c.Lost(); n > 0 {
		lacks = append(lacks, units.Of(n, "offset")+" lost")
	}
	if c.Behind > 0 {
		lacks = append(lacks, units.Of(c.Behind, "offset")+" behind open transactions")
	}
	if failed != nil {
		lacks = append(lacks, "ended before it was complete")
	}
	c.Verdict, c.Whole = cmp.Or(strings.Join(lacks, "; "), "complete"), len(lacks) == 0
}

func printCapture(e *env, o captureOptions, a *format.Archive, c *captured) error {
	r, done := c.Report, c.Reshaped
	for _, w := range r.Warnings {
		e.warnf("%s", w)
	}
	if h := r.Handed; h != nil {
		e.notef("of the group: %s assigned, %d revoked, %d lost; %s fetched and left to others", units.Of(int64(h.Assigned), "partition"), h.Revoked, h.Lost, units.Of(r.Dropped, "record"))
	}
	if r.Behind > 0 {
		e.warnf("open transactions held the capture %s behind the high watermark", units.Of(r.Behind, "offset"))
	}
	done.warn(e)
	if o.format == "json" {
		return printJSON(e.stdout, c)
	}
	return errors.Join(writeCapture(e.text, r), o.writeTotal(e.text, a, r), done.write(e.text))
}

func writeCapture(w io.Writer, r *capture.Report) error {
	t := newTable(w)
	printable.Fprintf(t, "TOPIC\tPARTITIONS\tRECORDS\tBYTES\tON DISK\tRATIO\tFIRST\tLAST\tWITHOUT A RECORD\n")
	for _, topic := range r.Topics {
		printable.Fprintf(t, "%s\t%d\t%s\n", topic.Topic, len(topic.Partitions), totalsRow(&topic.Totals))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, topic := range r.Topics {
		for _, p := range topic.Partitions {
			for _, g := range p.Gaps.Ranges {
				printable.Fprintf(w, "lost: %s-%d offsets %d..%d (%s)\n", topic.Topic, p.Partition, g.From, g.Until, g.Reason)
			}
		}
	}
	return nil
}

// writeTotal says on one line what the capture added, or why it added nothing.
func (o *captureOptions) writeTotal(w io.Writer, a *format.Archive, r *capture.Report) error {
	if r.Segments == 0 {
		_, err := printable.Fprintf(w, "%s%s\n", o.nothing(a), o.groupsText(r))
		return err
	}
	verb := "captured"
	if r.Resumed {
		verb = "completed the snapshot that was begun: captured"
	}
	_, err := printable.Fprintf(w, "%s %s, %s, into %s in %s (%s/s, %s/s)%s\n", verb, units.Of(r.Records, "record"), units.Size(r.Bytes), o.archive, units.Duration(r.Elapsed),
		units.Count(units.Rate(r.Records, r.Elapsed)), units.Size(units.Rate(r.Bytes, r.Elapsed)), o.groupsText(r))
	return err
}

func (o *captureOptions) groupsText(r *capture.Report) string {
	if len(o.capture.Groups) == 0 {
		return ""
	}
	return ", and the offsets of " + units.Of(int64(r.Groups), "group")
}

// nothing says why a capture that went well took nothing.
func (o *captureOptions) nothing(a *format.Archive) string {
	switch {
	case o.capture.Member.Group != "":
		return "nothing new in the partitions that this member of group " + o.capture.Member.Group + " had"
	case len(a.Partitions()) > 0:
		return "nothing new: " + o.archive + " has all of it"
	case o.capture.Follow:
		return "nothing captured: no record came"
	case o.from == "" && o.until == "":
		return "nothing captured: there is no record in the topics"
	}
	return fmt.Sprintf("nothing captured: the topics have nothing from %s until %s", cmp.Or(o.from, "beginning"), cmp.Or(o.until, "end"))
}

// noteKept says what an archive holds of a snapshot that did not get to its end, and how to go on.
func (e *env) noteKept(archive string, a *format.Archive) {
	plan := a.Identity().Capture
	c, err := a.Completeness(format.Selection{})
	if err != nil || plan == nil || len(c.Short) == 0 {
		return
	}
	var planned int64
	for _, r := range plan.Partitions {
		planned += r.End - r.Start
	}
	kept := planned - newCompleteness(c).planned
	e.line(fmt.Sprintf("%s keeps %s of %s that the snapshot planned; the same command goes on from there", archive, units.Count(kept), units.Of(planned, "offset")))
}

func totalsRow(t *capture.Totals) printable.Cells {
	p := amounts{Records: t.Records, Bytes: t.Bytes, DiskBytes: t.DiskBytes, MinTimestampMs: t.MinTimestampMs, MaxTimestampMs: t.MaxTimestampMs,
		Ledger: t.Gaps}
	p.setRatio()
	return p.columns()
}
