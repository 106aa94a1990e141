package reshape

import (
	"slices"
	"time"

	"github.com/karchive/karchive/internal/schema"
)

// ruleAt is a rule in payloads of one schema.
type ruleAt struct {
	rule  *rule
	place schema.Place
}

// noteTick finds out what whole numbers count by where a rule shifts them, if their schema says it.
func (w *Worker) noteTick(r *rule, root Root) {
	w.tick = schema.AnyTick
	if _, shifts := r.change.(shiftChange); !shifts || !w.isOpen(root) {
		return
	}
	place, ok := w.opened[root].payload.Place()
	if !ok {
		return
	}
	at := ruleAt{r, place}
	tick, known := w.ticks[at]
	if !known {
		if tick = r.steps.tick(place); w.ticks == nil {
			w.ticks = map[ruleAt]time.Duration{}
		}
		w.ticks[at] = tick
	}
	w.tick = tick
}

// tick is what whole numbers count by where a pattern leads in payloads of a schema. Where it leads to numbers that count by different times, no
// record may be shifted by a guess.
func (p pattern) tick(whole schema.Place) time.Duration {
	places := []schema.Place{whole}
	for i := range p {
		var next []schema.Place
		seen := map[schema.Place]bool{}
		for _, place := range places {
			for _, one := range p[i].under(place) {
				if !seen[one] {
					seen[one], next = true, append(next, one)
				}
			}
		}
		places = next
	}
	var ticks []time.Duration
	for _, place := range places {
		ticks = append(ticks, place.Ticks()...)
	}
	slices.Sort(ticks)
	switch ticks = slices.Compact(ticks); len(ticks) {
	case 0:
		return schema.AnyTick
	case 1:
		return ticks[0]
	}
	return schema.NoMoment
}

// under are the places that a step leads to.
func (s *step) under(place schema.Place) []schema.Place {
	if s.kind == insideStep {
		return nil
	}
	next := place.Members(s.takesName)
	if s.kind != nameStep || s.index >= 0 {
		next = append(next, place.Elements()...)
	}
	return next
}
