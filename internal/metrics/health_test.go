package metrics

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/replay"
)

// check is what health answers to the two questions; "" is ok.
func (h *health) check(t *testing.T, when, alive, ready string) {
	t.Helper()
	if got := h.alive(); got != alive {
		t.Errorf("%s: alive says %q, want %q", when, got, alive)
	}
	if got := h.ready(); got != ready {
		t.Errorf("%s: ready says %q, want %q", when, got, ready)
	}
}

func TestTroubleIsNotReadyAndWhenItLastsNotHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Server
		c := &Capture{health: &s.health}
		s.health.check(t, "before the first report", "", "it has not begun")
		tell := func(trouble string, times int) {
			for range times {
				time.Sleep(200 * time.Millisecond)
				c.Set(capture.Progress{Trouble: trouble})
			}
		}
		tell("", 5)
		s.health.check(t, "at work", "", "")
		tell("no leader", 5)
		s.health.check(t, "after a second of trouble", "", "")
		tell("no leader", 10)
		s.health.check(t, "after three seconds of trouble", "", "no leader")
		tell("no leader", 300)
		s.health.check(t, "after a minute of trouble", "no leader", "no leader")
		tell("", 1)
		s.health.check(t, "after the trouble", "", "")
		time.Sleep(silentAfter + time.Second)
		s.health.check(t, "when nothing is told", "nothing was told for 31s", "")
	})
}

func TestAReplayWhoseTargetIsSilentIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Server
		r := &Replay{health: &s.health}
		for i := range 50 {
			time.Sleep(200 * time.Millisecond)
			r.Set(replay.Progress{Sent: int64(10 * i), Acknowledged: int64(9 * i)})
		}
		s.health.check(t, "while some are on their way", "", "")
		for range 50 {
			time.Sleep(200 * time.Millisecond)
			r.Set(replay.Progress{Sent: 500, Acknowledged: 450})
		}
		s.health.check(t, "while none is acknowledged", "", "records are on their way and none is acknowledged")
		r.Set(replay.Progress{Sent: 500, Acknowledged: 500})
		s.health.check(t, "when all are", "", "")
		r.Set(replay.Progress{Sent: 500, Acknowledged: 500})
		s.health.check(t, "when nothing is to be sent", "", "")
		for range 50 {
			time.Sleep(200 * time.Millisecond)
			r.Set(replay.Progress{Sent: 500, Acknowledged: 500, Failed: 2})
		}
		s.health.check(t, "with partitions that stopped", "", "2 partitions stopped")
	})
}

func TestHealthIsAnsweredInOneLine(t *testing.T) {
	s := listen(t)
	get := func(path string, status int, want string) {
		t.Helper()
		resp, err := http.Get("http://" + s.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != status || string(body) != want {
			t.Errorf("%s: got %d %q, %v, want %d %q", path, resp.StatusCode, body, err, status, want)
		}
	}
	get("/healthz", http.StatusOK, "ok\n")
	get("/readyz", http.StatusServiceUnavailable, "it has not begun\n")
	s.Capture().Set(capture.Progress{})
	get("/readyz", http.StatusOK, "ok\n")
	s.health.mu.Lock()
	s.health.since, s.health.trouble = time.Now().Add(-time.Hour), "a"+strings.Repeat("\x1b[2J\n", 2)
	s.health.mu.Unlock()
	get("/healthz", http.StatusServiceUnavailable, "a\\u001b[2J\\n\\u001b[2J\\n\n")
}
