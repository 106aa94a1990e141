package reshape

import (
	"slices"

	"github.com/karchive/karchive/format"
)

// headerState is what is known about a header on its way through the stages.
type headerState struct {
	settled     bool // a rule is answerable for its value
	name, value finding
}

// applyHeaders makes a new list of headers, if one of them changes.
func (s *stage) applyHeaders(w *Worker, r *Record) error {
	changed := false
	out, states := w.headers[:0], w.nextStates[:0]
	if s.looks != nil {
		w.states = append(w.states[:0], make([]headerState, len(r.Headers))...)
	}
	for i := range r.Headers {
		h, state := r.Headers[i], headerState{}
		if w.tracks {
			state = w.states[i]
		}
		rule := s.ruleOf(h.Key)
		if s.looks != nil && (rule == nil || rule.kind != keepKind) {
			s.looks.header(&state, &h, rule == nil)
		}
		if rule != nil {
			stays, err := w.changeHeader(rule, &h, &state)
			if err != nil {
				return err
			}
			changed = changed || rule.kind != keepKind
			if !stays {
				continue
			}
		}
		out, states = append(out, h), append(states, state)
	}
	was := len(out)
	out, states, err := s.addHeaders(w, out, states)
	if err != nil {
		return err
	}
	changed = changed || len(out) > was
	w.headers = out[:0]
	w.states, w.nextStates = states, w.states
	if changed {
		r.Headers = w.ownHeaders(out)
		w.headersAgain = true
	}
	return nil
}

// addHeaders appends the constant headers that are not there yet. It is an error when a rule that must have met a header has met none.
func (s *stage) addHeaders(w *Worker, out []format.Header, states []headerState) ([]format.Header, []headerState, error) {
	for _, rule := range s.headers {
		if rule.kind == setKind && !rule.header && !slices.ContainsFunc(out, func(h format.Header) bool { return h.Key == rule.path.name }) {
			out = append(out, format.Header{Key: rule.path.name, Value: rule.change.(constantChange).payload()})
			states = append(states, headerState{settled: true})
			w.hit(rule)
		}
		if rule.required && !w.met(rule) {
			return nil, nil, &ruleError{rule, errMissingPath}
		}
	}
	return out, states, nil
}

func (s *stage) ruleOf(header string) *rule {
	for _, r := range s.headers {
		if r.takesHeader(header) {
			return r
		}
	}
	return nil
}

// changeHeader does what a rule says to a header, and says whether it stays.
func (w *Worker) changeHeader(r *rule, h *format.Header, state *headerState) (stays bool, err error) {
	switch r.kind {
	case keepKind:
		w.hit(r)
		*state = headerState{settled: true}
		return true, nil
	case dropKind:
		w.hit(r)
		return false, nil
	case renameKind:
		w.hit(r)
		h.Key, state.name = r.name, finding{}
		return true, nil
	}
	if h.Value == nil && r.kind != setKind {
		w.look(r)
		if !r.leaves {
			w.hit(r)
		}
		return true, nil
	}
	return true, w.changeHeaderValue(r, h, state)
}

func (w *Worker) changeHeaderValue(r *rule, h *format.Header, state *headerState) error {
	out, isNull, err := w.replace(r, h.Value)
	if err != nil {
		out, err := w.instead(HeadersRoot, h.Value, &ruleError{r, err})
		switch {
		case err != nil:
			return err
		case w.pipeline.rules.Unmaskable == RedactAll:
			state.settled, state.value = true, finding{}
		case w.tracks:
			state.value = finding{place: w.last.looks.headerPlace(h.Key), looks: looksUnchanged}
		}
		h.Value = out
		return nil
	}
	w.look(r)
	if isNull {
		out = nil
	}
	switch same := !isNull && string(out) == string(h.Value); {
	case same && (r.leaves || len(out) > 0 && string(out) != redacted):
		return nil
	case !r.leaves:
		state.settled, state.value = true, finding{}
	}
	w.hit(r)
	h.Value = out
	return nil
}

// header looks at a header, and at its value unless a rule is about that.
func (d *detector) header(state *headerState, h *format.Header, value bool) {
	if looks := looksLike(d.fold(asBytes(h.Key))); looks != "" {
		state.name = finding{place: d.headerPlace(h.Key), looks: looks + " as a name"}
	}
	if !value || state.settled || state.value.place != nil {
		return
	}
	if looks, unseen := d.scanWhole(d.tells("", d.fold(asBytes(h.Key))), h.Value); looks != "" {
		state.value = finding{d.headerPlace(h.Key), looks, unseen}
	}
}

// headerMarks is what is known about the value that Path.Get finds for a header, of size bytes.
func (w *Worker) headerMarks(r *Record, name string, size int) marks {
	for i := len(r.Headers) - 1; i >= 0 && w.tracks; i-- {
		if state := w.states[i]; r.Headers[i].Key == name && (state.settled || state.value.place != nil) {
			return marks{{0, size, state.value}}
		} else if r.Headers[i].Key == name {
			return nil
		}
	}
	return nil
}
