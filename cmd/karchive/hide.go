package main

import (
	"cmp"
	"encoding/json"
	"html"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// hider takes secrets out of what is printed, should anybody put them there: a broker may quote in a message what it was sent. It is
// safe for concurrent use.
type hider struct {
	mu       sync.Mutex
	spelled  []string          // the secrets, as they may be spelled
	replacer *strings.Replacer // of these; nil: there are none
}

// minHidden keeps a short secret from making every text unreadable. It is no secret for long in any case.
const minHidden = 6

// learn adds secrets to those that it knows, each also as JSON, HTML and forms spell it, and its longer lines.
func (h *hider) learn(secrets []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, secret := range secrets {
		for _, part := range append(strings.Split(secret, "\n"), secret) {
			part = strings.TrimSpace(part)
			if len(part) < minHidden || strings.HasPrefix(part, "-----") {
				continue
			}
			quoted, _ := json.Marshal(part) // of a string it does not fail
			h.spelled = append(h.spelled, part, strings.Trim(string(quoted), `"`), html.EscapeString(part), url.QueryEscape(part))
		}
	}
	if len(h.spelled) == 0 {
		return
	}
	slices.SortFunc(h.spelled, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // one may begin with another
	var pairs []string
	for _, s := range h.spelled {
		pairs = append(pairs, s, "[hidden]")
	}
	h.replacer = strings.NewReplacer(pairs...)
}

func (h *hider) text(s string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.replacer == nil {
		return s
	}
	return h.replacer.Replace(s)
}

// writer hides in what goes to w, as far as a secret is written at once.
func (h *hider) writer(w io.Writer) io.Writer { return &hidingWriter{h, w} }

type hidingWriter struct {
	hider *hider
	to    io.Writer
}

// Write implements io.Writer.
func (w *hidingWriter) Write(p []byte) (int, error) {
	w.hider.mu.Lock()
	replacer := w.hider.replacer
	w.hider.mu.Unlock()
	if replacer == nil {
		return w.to.Write(p)
	}
	if _, err := replacer.WriteString(w.to, string(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
