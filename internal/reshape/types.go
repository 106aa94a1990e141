package reshape

import (
	"fmt"

	"github.com/karchive/karchive/internal/schema"
)

// TypeError is a mask that would withhold every record of a topic that has its field, for no schema of them can hold what the mask makes.
type TypeError struct {
	Mask, Topic string
	Part        string // key or value
	Schema      string // the first of them
	Err         error  // says of which type the field is
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("mask %s cannot be applied to topic %s, whose %ss are by %s: %v", e.Mask, e.Topic, e.Part, e.Schema, e.Err)
}

func (e *TypeError) Unwrap() error { return e.Err }

// CheckTypes looks, before any record, for a mask that no schema of a topic can hold the result of. Only what is certain is refused: masks of one
// place whose result goes by the type alone, and topics all of whose known schemas refuse it. A nil pipeline has no masks. Its error is a *TypeError.
func (p *Pipeline) CheckTypes(topics []string) error {
	if p == nil || p.schemas == nil || p.rules.Unmaskable.orDefault() != Withhold {
		return nil
	}
	w := p.Trial()
	for _, topic := range topics {
		for _, r := range p.masks {
			if err := w.checkType(r, topic); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Worker) checkType(r *rule, topic string) error {
	if !r.fits(topic) || r.path.root > KeyRoot || !r.goesByType() {
		return nil
	}
	var refused *TypeError
	for _, place := range r.steps.lead(w.pipeline.schemas.Places(topic, r.path.root.part())) {
		err := w.holds(r, place)
		if err == nil {
			return nil
		}
		if refused == nil {
			refused = &TypeError{r.text, topic, r.path.root.String(), place.Of, err}
		}
	}
	if refused == nil {
		return nil
	}
	return refused
}

// goesByType says that what a rule makes of any two values of one type is the same to the type.
func (r *rule) goesByType() bool {
	switch r.change.(type) {
	case redactChange, hashChange, constantChange:
		return r.kind == changeKind
	}
	return false
}

// lead follows a pattern through types. What leads to several places, or into a string, leads nowhere.
func (p pattern) lead(places []schema.Place) []schema.Place {
	for _, s := range p {
		var next []schema.Place
		for _, place := range places {
			switch s.kind {
			case nameStep, memberStep:
				next = append(next, place.Under(s.text)...)
			case elementStep, eachStep:
				next = append(next, place.Elements()...)
			}
			if s.kind == nameStep && s.index >= 0 {
				next = append(next, place.Elements()...)
			}
		}
		places = next
	}
	return places
}

// samples are values of each kind, by how they begin.
var samples = map[rune]string{'"': `"x"`, '0': "1", 't': "true", '{': "{}", '[': "[]"}

// holds says why a place holds none of what a rule makes of its values; nil: it holds some of it, or nobody knows.
func (w *Worker) holds(r *rule, place schema.Place) (refused error) {
	for _, c := range place.Beginnings() {
		made, err := r.change.inJSON(w, nil, []byte(samples[c]))
		if err != nil {
			return nil
		}
		if err = place.Holds(made); err == nil {
			return nil
		}
		refused = err
	}
	return refused
}
