//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestASignalPausesAReplayAndLetsItGoOn(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report.json")
	p := start(t, loop(t, recorded(t), "--metrics", "0", "--report", report)...)
	url := p.metricsAt()
	const sent, paused = "karchive_replay_sent_records_total", "karchive_replay_paused"
	scrapeUntil(t, url, sent, atLeast(records))
	p.send(syscall.SIGUSR1)
	p.says("karchive: paused")
	scrapeUntil(t, url, paused, atLeast(1))
	before := scrape(t, url, sent)
	p.send(syscall.SIGUSR1)
	p.says("karchive: going on")
	scrapeUntil(t, url, sent, atLeast(before+2*records))
	if v := scrape(t, url, paused); v != 0 {
		t.Errorf("%s is %v", paused, v)
	}
	p.send(os.Interrupt)
	if code, stderr := p.wait(); code != exitDone {
		t.Errorf("exit code %d, stderr %s", code, stderr)
	}
	if out := p.stdout.String(); !strings.Contains(out, ", paused ") {
		t.Errorf("the summary does not tell of the pause: %s", out)
	}
	written, err := os.ReadFile(report)
	if err != nil || !strings.Contains(string(written), `"paused_ns": `) || strings.Contains(string(written), `"paused_ns": 0`) {
		t.Errorf("the report does not tell of the pause: %v", err)
	}
}

func TestOnlyTheSpaceBarPauses(t *testing.T) {
	for keys, want := range map[string]int{"": 0, " ": 1, "q \n x  ": 4} {
		got := 0
		onSpace(strings.NewReader(keys), func() { got++ })
		if got != want {
			t.Errorf("%q: %d times, want %d", keys, got, want)
		}
	}
}

func TestWhatIsNoTerminalIsNotRead(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, _, ok := newEnv(r, os.Stdout, os.Stderr).keys(); ok {
		t.Error("a pipe is read key by key")
	}
}
