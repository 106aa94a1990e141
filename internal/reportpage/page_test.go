package reportpage

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/timeline"
)

// timed is the report of a timed replay.
func timed() *replay.Report {
	ms := time.Millisecond
	return &replay.Report{
		Plan: &replay.Plan{TargetCluster: "test-cluster"}, Planned: 1234, Sent: 1230, Acknowledged: 1229, Bytes: 98765, Missing: 5, Elapsed: 2500 * ms, Rate: 491.6,
		Topics: []replay.TopicReport{{Topic: "orders", Target: "copy.orders", Planned: 1234, Sent: 1230, Acknowledged: 1229, Bytes: 98765}},
		Timing: &replay.Timing{
			Pace: "speed 2", Precision: replay.HighPrecision, Start: time.UnixMilli(1_800_000_000_000), FirstMs: 1_700_000_000_000, LastMs: 1_700_000_005_000, Rounds: 1,
			RequestedRate: 500, AchievedRate: 499, Drift: 321 * time.Microsecond, Late: 17, Starved: 23, HeldBack: 29, OutOfOrder: 31, Untimed: 37, Dropped: 41,
			Squeezed: timeline.Squeezed{Gaps: 3, Duration: time.Hour}, Paused: 43 * time.Second, Moved: 47 * ms,
			Dispatch: replay.Lateness{Count: 1230, P50: 111 * time.Microsecond, P99: 2220 * time.Microsecond, P999: 33 * ms, Max: 44 * ms, Bins: []replay.LatenessBin{
				{UpTo: 50 * time.Microsecond, Count: 1000}, {UpTo: 100 * time.Microsecond, Count: 230},
			}},
			Acknowledgement: replay.Lateness{Count: 1229, P50: 5 * ms, P99: 66 * ms, P999: 77 * ms, Max: 88 * ms, Bins: []replay.LatenessBin{{UpTo: 50 * time.Microsecond, Count: 1229}}},
		},
		Series: replay.Series{Interval: 100 * ms, Planned: []int64{50, 50, 50}, Sent: []int64{40, 60, 50}, Acknowledged: []int64{30, 70, 50}},
	}
}

func render(t *testing.T, archive string, r *replay.Report) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, &Replay{Archive: archive, Report: r}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestThePageHasTheNumbersOfTheReport(t *testing.T) {
	page := render(t, "run1", timed())
	for _, want := range []string{
		"run1", "test-cluster", "speed 2", "2027-01-15 08:00:00 UTC", "5 records not acknowledged", "1,230", "1,229", "1,234", "96.5 KiB", "500/s", "499/s", "321µs",
		"p50 111µs, p99 2.22ms, p99.9 33.0ms, max 44.0ms", "p50 5.00ms, p99 66.0ms, p99.9 77.0ms, max 88.0ms", "high", "2023-11-14T22:13:20.000Z to 2023-11-14T22:13:25.000Z",
		"<td>17</td>", "<td>23</td>", "<td>29</td>", "<td>31</td>", "<td>37</td>", "<td>41</td>", "3 silences, 1h", "<td>43s</td>", "47.0ms", "copy.orders", "100ms",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if n := strings.Count(page, "<path "); n != 3 {
		t.Errorf("%d paths, want the planned, sent and acknowledged rates", n)
	}
	if n := strings.Count(page, "<rect "); n != 3 {
		t.Errorf("%d bars, want one for each lateness that occurs", n)
	}
}

// Nothing is fetched when the page is opened, and nothing runs.
func TestThePageNeedsNothingElse(t *testing.T) {
	page := render(t, "run1", timed())
	if found := regexp.MustCompile(`(?i)(https?:)?//[a-z]|<script|<link|<iframe|<img|\ssrc=|\shref=|url\(|@import|\son[a-z]+=`).FindString(page); found != "" {
		t.Errorf("the page has %q", found)
	}
}

func TestEveryElementOfTheDrawingsIsClosed(t *testing.T) {
	page := render(t, "run1", timed())
	drawings := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1)
	if len(drawings) != 2 {
		t.Fatalf("%d drawings", len(drawings))
	}
	for _, drawing := range drawings {
		d := xml.NewDecoder(strings.NewReader(drawing))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v in %s", err, drawing)
			}
		}
		if strings.Contains(drawing, "NaN") || strings.Contains(drawing, "Inf") {
			t.Errorf("a number is none: %s", drawing)
		}
	}
}

func TestWhatOthersNamedIsOnlyText(t *testing.T) {
	r := timed()
	const evil = `"><script>alert(1)</script>`
	r.Topics[0].Topic, r.Plan.TargetCluster = evil, evil
	r.Failures = []replay.Failure{{Topic: evil, Reason: evil}}
	r.LeftOutFor, r.RefusedFor = map[string]int64{evil: 1}, map[string]int64{evil: 1}
	if page := render(t, evil, r); strings.Contains(page, "<script") {
		t.Error("a name is part of the page")
	}
}

func TestAPageIsGreenOnlyWhenNothingIsMissing(t *testing.T) {
	whole := func() *Replay {
		return &Replay{Report: &replay.Report{Plan: &replay.Plan{}}, Reshaped: &reshape.Report{Read: 10, Passed: 10}}
	}
	for _, c := range []struct {
		change func(r *Replay)
		want   string
		good   bool
	}{
		{func(*Replay) {}, "complete", true},
		{func(r *Replay) { r.Reshaped = nil }, "complete", true},
		{func(r *Replay) { r.Reshaped.Filtered, r.Reshaped.Sampled = 2000, 3 }, "complete, without 2,000 that the filter left out and 3 not in the sample", true},
		{func(r *Replay) { r.Reshaped.Withheld = 1 }, "1 record withheld", false},
		{func(r *Replay) { r.Reshaped.Masks = []reshape.RuleReport{{Rule: "value.a=redact"}} }, "1 rule never matched", false},
		{func(r *Replay) { r.Reshaped.Filtered, r.Reshaped.Undecided = 10, map[string]int64{"x": 10} }, "the filter was never decided", false},
		{func(r *Replay) { r.Incomplete = "incomplete: 3 planned offsets not captured" }, "the archive is incomplete: 3 planned offsets not captured", false},
		{func(r *Replay) { r.Damaged = true }, "damaged parts were left out", false},
		{func(r *Replay) { r.Report.LeftOut = 2 }, "2 records left out", false},
		{func(r *Replay) { r.Report.Missing, r.Report.NotSent = 5, 3 }, "3 records not sent; 2 records not acknowledged", false},
		{func(r *Replay) { r.Report.Stopped, r.Reshaped.Withheld = true, 2 }, "interrupted before the end; 2 records withheld", false},
		{func(r *Replay) { r.Report.Failures = make([]replay.Failure, 2) }, "2 partitions stopped before the end", false},
		{func(r *Replay) {
			r.Report.Groups = []replay.GroupPosition{{Group: "a", Set: true}, {Group: "b"}, {Group: "b", Partition: 1}, {Group: "c"}}
		}, "complete", true}, // they were only to be reported
		{func(r *Replay) {
			r.Report.Groups, r.Report.GroupFailure = []replay.GroupPosition{{Group: "a", Set: true}, {Group: "b"}, {Group: "b", Partition: 1}, {Group: "c"}}, "why"
		}, "2 groups not where they belong", false},
		{func(r *Replay) { r.Report.GroupFailure = "why" }, "groups not where they belong", false},
	} {
		r := whole()
		c.change(r)
		if got, good := r.Verdict(); got != c.want || good != c.good {
			t.Errorf("got %q, %v, want %q, %v", got, good, c.want, c.good)
		}
		var b strings.Builder
		if err := Write(&b, r); err != nil || strings.Contains(b.String(), `class="good"`) != c.good {
			t.Errorf("%s: the page is green, or %v", c.want, err)
		}
	}
}

func TestThePageSaysWhatRulesDidAndHowItWasMade(t *testing.T) {
	r := &Replay{
		Archive: "run1", Report: timed(), Incomplete: "incomplete", Lacks: []string{"nothing captured: orders-1 offsets 0..30"}, Rules: "abc123", Steps: "filter, mask",
		MadeBy: "karchive 1.2.3", Command: "karchive replay run1 --mask …", Settings: []string{"bootstrap.servers", "sasl.password"},
		Reshaped: &reshape.Report{
			Read: 100, Passed: 61, Filtered: 19, Sampled: 13, Withheld: 7, WithheldFor: map[string]int64{"the value is not JSON": 7}, Undecided: map[string]int64{"value.b is not there": 5},
			Unmaskable: 3, Masks: []reshape.RuleReport{{Rule: "value.mail=redact", Fields: 59, Records: 58}}, Uncovered: []reshape.Suspect{{Topic: "orders", Path: "value.tel", Looks: "phone", Records: 47}},
		},
	}
	var b strings.Builder
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"digest abc123", "filter, mask", "<td>100</td>", "<td>61</td>", "<td>19</td>", "<td>13</td>", "<td>7</td>", "the value is not JSON", "value.b is not there", "value.mail=redact", "<td>59</td>",
		"58 records", "value.tel", "phone", "47", "nothing captured: orders-1 offsets 0..30", "karchive 1.2.3", "karchive replay run1 --mask …", "bootstrap.servers, sasl.password",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not on the page", want)
		}
	}
}

func TestPagesOfUnusualReplays(t *testing.T) {
	untimed := timed()
	untimed.Timing = nil
	empty := &replay.Report{Plan: &replay.Plan{}, Timing: &replay.Timing{Pace: "rate 1/s", FirstMs: format.NoTimestamp, LastMs: format.NoTimestamp}}
	stopped := timed()
	stopped.Failures = []replay.Failure{{Topic: "orders", Partition: 7, Offset: 4711, Reason: "too large"}}
	loop := timed()
	loop.Planned, loop.Missing = 0, 0
	for _, c := range []struct {
		name      string
		report    *replay.Report
		has, lack []string
	}{
		{"at top speed", untimed, []string{"speed max", "Records per second"}, []string{"Lateness", "drift", "planned </"}},
		{"with nothing", empty, []string{"complete", "no timestamps", "rate 1/s"}, []string{"Records per second", "NaN"}},
		{"with a stopped partition", stopped, []string{"1 partition stopped before the end", "orders/7", "4711", "too large"}, nil},
		{"in a loop", loop, []string{"looping until it was stopped", `<span class="good">complete</span>`}, []string{"of 0 planned"}},
	} {
		page := render(t, "run1", c.report)
		for _, want := range c.has {
			if !strings.Contains(page, want) {
				t.Errorf("%s: %q is not on the page", c.name, want)
			}
		}
		for _, not := range c.lack {
			if strings.Contains(page, not) {
				t.Errorf("%s: %q is on the page", c.name, not)
			}
		}
	}
}
