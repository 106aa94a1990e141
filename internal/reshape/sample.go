package reshape

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/zeebo/xxh3"
)

// A record is in the sample when hash(entity) < rate * 2^64, rounded down, where the entity is the text by which the rules name it:
// bytes of a key or header as they are, what is in JSON as appendIdentity has it. So the number 42, the string "42" and the key 42 are
// one entity, in every topic and on every machine. Hash is XXH3-64 with seed 0; with a mask key it is the first 8 bytes, in little
// endian, of an HMAC-SHA-256, so that who has the sample cannot try whether a guessed entity would be in it.
//
// A random sample, and a record that has no entity, hashes its place: XXH3-64, with Sample.Seed, of the topic's name, a zero byte, and
// partition and offset as 32 and 64 bits in little endian.
type sample struct {
	Sample
	by []*rule
}

func newSample(s Sample) (*sample, error) {
	if s.all() {
		return nil, nil
	}
	out := &sample{Sample: s}
	by := s.By
	if len(by) == 0 {
		by = []Selector{{Path: "key"}}
	}
	for _, selector := range by {
		r, err := newRule("sample by "+selector.Path, selector)
		if err != nil {
			return nil, err
		}
		if r.path.root > HeadersRoot {
			return nil, fmt.Errorf("%w: %s names no entity", ErrRule, r.path)
		}
		out.by = append(out.by, r)
	}
	if s.Random && len(s.By) > 0 {
		return nil, fmt.Errorf("%w: random and by an entity exclude each other", ErrRule)
	}
	return out, nil
}

// entity finds one name of a record's entity.
type entity struct {
	rule     *rule
	document *walker // nil: all of the key or value, or a header
}

// entities are the ways to name an entity in a topic, the first that finds something first.
func (s *sample) entities(topic string) []*entity {
	var out []*entity
	if s.Random {
		return nil
	}
	for _, r := range s.by {
		if !r.fits(topic) {
			continue
		}
		e := &entity{rule: r}
		if len(r.steps) > 0 {
			e.document = &walker{root: newRoot(patterns{r.steps}, false)}
		}
		out = append(out, e)
	}
	return out
}

func (w *Worker) inSample(t *topicWork, r *Record) bool {
	s := w.pipeline.sample
	for _, e := range t.by {
		if name, ok := e.find(w, r); ok {
			return s.Rate.takes(w.entityHash(name))
		}
	}
	if !s.Random {
		w.counts.WithoutEntity++
	}
	return s.Rate.takes(w.placeHash(r))
}

// find names the entity of a record. Null, and what is not strictly JSON, names none.
func (e *entity) find(w *Worker, r *Record) ([]byte, bool) {
	if e.document == nil {
		return e.payload(w, r)
	}
	b, _, err := w.document(r, e.rule.path.root)
	if b == nil || err != nil || e.document.walk(b) != nil {
		return nil, false
	}
	var name []byte
	none := e.document.each(func(raw []byte) bool {
		if !isNull(raw) {
			w.scratch = appendIdentity(w.scratch[:0], raw)
			name = w.scratch
		}
		return isNull(raw)
	})
	return name, !none
}

// payload is an entity that a whole key, value or header names. By a schema it is what it means: ids and bytes change when a schema does.
func (e *entity) payload(w *Worker, r *Record) ([]byte, bool) {
	var b []byte
	switch root := e.rule.path.root; root {
	case KeyRoot, ValueRoot:
		doc, bySchema, err := w.document(r, root)
		if err == nil && bySchema {
			w.scratch = appendIdentity(w.scratch[:0], doc)
			return w.scratch, !isNull(doc)
		}
		b = *r.payload(root)
	case HeadersRoot:
		for i := range r.Headers {
			if e.rule.takesHeader(r.Headers[i].Key) {
				b = r.Headers[i].Value
			}
		}
	}
	return b, b != nil
}

// entityHash is what decides about an entity.
func (w *Worker) entityHash(name []byte) uint64 {
	if w.pipeline.rules.secret == nil {
		return xxh3.Hash(name)
	}
	if w.sampleMAC == nil {
		key := hmac.New(sha256.New, w.pipeline.rules.secret)
		key.Write([]byte(sampleKey))
		w.sampleMAC = hmac.New(sha256.New, key.Sum(nil))
	}
	w.sampleMAC.Reset()
	w.sampleMAC.Write(name)
	w.sum = w.sampleMAC.Sum(w.sum[:0])
	return binary.LittleEndian.Uint64(w.sum)
}

// sampleKey is the text whose HMAC by the mask key is the key of samples: no token and no sample tells anything about the other.
const sampleKey = "karchive sample"

func (w *Worker) placeHash(r *Record) uint64 {
	w.scratch = append(append(w.scratch[:0], r.Topic...), 0)
	w.scratch = binary.LittleEndian.AppendUint32(w.scratch, uint32(r.Partition))
	w.scratch = binary.LittleEndian.AppendUint64(w.scratch, uint64(r.Offset))
	return xxh3.HashSeed(w.scratch, w.pipeline.rules.Sample.Seed)
}
