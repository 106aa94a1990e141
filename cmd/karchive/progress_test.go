package main

import (
	"strings"
	"testing"
	"time"
)

func TestProgressIsSaidNowAndThenWhereItCannotBeDrawn(t *testing.T) {
	var stderr strings.Builder
	e := newEnv(nil, nil, &stderr)
	now := time.Unix(0, 0)
	e.now = func() time.Time { return now }
	p := newProgress(e, "capture")
	for second := range 25 {
		now = time.Unix(int64(second), 0)
		p.set(int64(second), 25, time.Duration(second*int(time.Second)).String())
	}
	p.done()
	if got, want := stderr.String(), "karchive: capture: 10s\nkarchive: capture: 20s\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestQuietShowsNoProgress(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		var stderr strings.Builder
		e := newEnv(nil, nil, &stderr)
		now := time.Unix(0, 0)
		e.now = func() time.Time { return now }
		e.quiet, e.terminal = true, terminal
		p := newProgress(e, "capture")
		now = now.Add(time.Hour)
		p.set(1, 2, "half")
		p.done()
		if stderr.Len() > 0 {
			t.Errorf("terminal %v: got %q", terminal, stderr.String())
		}
	}
}

func TestLinesGoAboveABarThatIsGoneInTheEnd(t *testing.T) {
	var stderr strings.Builder
	e := newEnv(nil, nil, &stderr)
	e.terminal = true
	p := newProgress(e, "capture")
	p.set(1, 2, "1 of 2 records")
	e.warnf("look here")
	p.done()
	e.notef("after it")
	out := stderr.String()
	if !strings.Contains(out, "karchive: warning: look here\n") {
		t.Errorf("the warning is lost: %q", out)
	}
	if !strings.HasSuffix(out, "karchive: after it\n") || strings.Contains(out[strings.LastIndex(out, "\x1b[J")+1:], "records") {
		t.Errorf("the bar stays: %q", out)
	}
}
