package main

import (
	"bufio"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// metricsAt reads stderr until it says where metrics are.
func (p *process) metricsAt() string {
	p.t.Helper()
	for {
		if _, url, found := strings.Cut(strings.TrimSpace(p.line()), "karchive: metrics at "); found {
			return url
		}
	}
}

// says reads stderr until it says something.
func (p *process) says(what string) {
	p.t.Helper()
	for !strings.Contains(p.line(), what) {
	}
}

// scrape returns the value of a series; 0 when there is none.
func scrape(t *testing.T, url, series string) float64 {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), series+" "); found {
			f, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	return 0
}

// scrapeUntil asks again and again until a series has such a value.
func scrapeUntil(t *testing.T, url, series string, enough func(float64) bool) {
	t.Helper()
	for !enough(scrape(t, url, series)) {
	}
}

func atLeast(least float64) func(float64) bool {
	return func(v float64) bool { return v >= least }
}

// recorded captures a topic of a few records.
func recorded(t *testing.T) (dir string) {
	t.Helper()
	source := watched(t, kmsg.Fetch, func(kmsg.Request) bool { return false })
	dir = filepath.Join(t.TempDir(), "run")
	runHere(t, "capture", "-b", source, "-t", "orders", "-o", dir)
	return dir
}

// loop are the arguments of a replay that goes on until it is stopped.
func loop(t *testing.T, dir string, more ...string) []string {
	t.Helper()
	target := watched(t, kmsg.Produce, func(kmsg.Request) bool { return false })
	return append([]string{"replay", dir, "-b", target, "--allow-source-cluster", "--rate", "200/s", "--timestamps", "now", "--loop"}, more...)
}

func TestAReplayServesItsMetricsWhileItRuns(t *testing.T) {
	p := start(t, loop(t, recorded(t), "--metrics", "0")...)
	url := p.metricsAt()
	if !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("a bare port is served at %s", url)
	}
	for _, series := range []string{
		"karchive_replay_sent_records_total", "karchive_replay_acknowledged_records_total", "karchive_replay_acknowledged_bytes_total",
		"karchive_replay_dispatch_lateness_seconds_count", "karchive_replay_acknowledgement_lateness_seconds_count",
		`karchive_replay_dispatch_lateness_seconds_bucket{le="+Inf"}`, `karchive_kafka_produce_bytes_total{node_id="0",topic="orders"}`,
	} {
		scrapeUntil(t, url, series, atLeast(3*records))
	}
	if at := scrape(t, url, "karchive_replay_position_timestamp_seconds"); at < 1.7e9 {
		t.Errorf("position %v", at)
	}
	p.send(os.Interrupt)
	if code, stderr := p.wait(); code != exitDone {
		t.Errorf("exit code %d, stderr %s", code, stderr)
	}
	if _, err := http.Get(url); err == nil {
		t.Error("it serves metrics after its end")
	}
}

func TestACaptureServesItsMetricsWhileItRuns(t *testing.T) {
	source := watched(t, kmsg.Fetch, func(kmsg.Request) bool { return false })
	p := start(t, "capture", "-b", source, "-t", "orders", "-o", filepath.Join(t.TempDir(), "run"), "--follow", "--metrics", ":0")
	url := p.metricsAt()
	if !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("a bare port is served at %s", url)
	}
	scrapeUntil(t, url, `karchive_capture_records_total{topic="orders"}`, atLeast(records))
	scrapeUntil(t, url, `karchive_capture_offsets_total{topic="orders"}`, atLeast(records))
	if bytes := scrape(t, url, `karchive_capture_bytes_total{topic="orders"}`); bytes < records {
		t.Errorf("%v bytes in %d records", bytes, records)
	}
	for _, series := range []string{`karchive_capture_lag_offsets{topic="orders"}`, "karchive_capture_troubled"} {
		if v := scrape(t, url, series); v != 0 {
			t.Errorf("%s is %v", series, v)
		}
	}
	p.send(os.Interrupt)
	if code, stderr := p.wait(); code != exitDone {
		t.Errorf("exit code %d, stderr %s", code, stderr)
	}
}

func TestAnAddressThatIsTakenIsAnErrorBeforeAnythingIsSent(t *testing.T) {
	dir := recorded(t)
	p := start(t, loop(t, dir, "--metrics", "0")...)
	url := p.metricsAt()
	second := start(t, loop(t, dir, "--metrics", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/metrics"))...)
	if code, stderr := second.wait(); code != exitFailed || !strings.Contains(stderr, "serve metrics: ") {
		t.Errorf("exit code %d, stderr %s", code, stderr)
	}
	p.send(os.Interrupt)
	p.wait()
}
