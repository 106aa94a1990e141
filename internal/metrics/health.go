package metrics

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/karchive/karchive/internal/printable"
)

// The delays before what may pass by itself is said.
const (
	// notReadyAfter lets a slow answer pass that is no trouble yet.
	notReadyAfter = 2 * time.Second
	// unhealthyAfter is longer than a broker takes to restart.
	unhealthyAfter = time.Minute
	// silentAfter is far more than the time between two progress reports.
	silentAfter = 30 * time.Second
)

// health is how a command does, by what it told last. Trouble makes it not ready soon, and unhealthy only when it lasts: a supervisor kills what
// is unhealthy, and that does not help against what passes by itself.
type health struct {
	mu      sync.Mutex
	told    time.Time // zero: it has not begun
	since   time.Time // of the trouble; zero: there is none
	trouble string
}

// tell says that the command runs, and why it makes no progress; empty: it does.
func (h *health) tell(trouble string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = time.Now()
	if trouble == "" {
		h.since = time.Time{}
	} else if h.since.IsZero() {
		h.since = h.told
	}
	h.trouble = trouble
}

// alive is why a supervisor should act; empty: it should not.
func (h *health) alive() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if silent := time.Since(h.told); !h.told.IsZero() && silent > silentAfter {
		return fmt.Sprintf("nothing was told for %s", silent.Round(time.Second))
	}
	return h.troubled(unhealthyAfter)
}

// ready is why the command is not at work; empty: it is.
func (h *health) ready() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.told.IsZero() {
		return "it has not begun"
	}
	return h.troubled(notReadyAfter)
}

func (h *health) troubled(after time.Duration) string {
	if h.since.IsZero() || time.Since(h.since) < after {
		return ""
	}
	return h.trouble
}

// answer answers with what is wrong, and 503, or with ok.
func answer(wrong func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		text := "ok"
		if why := wrong(); why != "" {
			text = why
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		printable.Fprintf(w, "%s\n", text)
	}
}
