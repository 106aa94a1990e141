package schema

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
)

// Set is schemas. The zero value has none, and a nil Set too. It is safe for concurrent use.
type Set struct {
	mu       sync.RWMutex
	byID     map[int32]*entry
	byGUID   map[uuid.UUID]*entry
	versions map[origin.SchemaVersion]*entry
	files    []File
	size     int
}

// entry is a schema, and what it was compiled to.
type entry struct {
	origin.Schema
	once     sync.Once
	compiled language
	err      error
}

// language is a compiled schema.
type language interface {
	// open finds the coding of a body, and how many bytes of it say which of the schema's it is.
	open(body []byte) (coding, int, error)
}

// coding turns values of one type into JSON documents and back. It is safe for concurrent use.
type coding interface {
	appendJSON(dst, body []byte) ([]byte, error)
	// appendChanged appends the value of a document that was made of that of before, by changes; nil: it is new.
	appendChanged(dst, before, document []byte) ([]byte, error)
}

// maxSetBytes bounds the text of all schemas.
const maxSetBytes = 256 << 20

// ErrTooMany is returned for more schemas than memory should be spent on.
var ErrTooMany = errors.New("more than 256 MiB of schemas")

// UnknownError is a payload that names a schema which is not there.
type UnknownError struct{ Name }

func (e *UnknownError) Error() string { return "no " + e.Name.String() + " is known" }

// PayloadError is a payload that is not what its schema says.
type PayloadError struct {
	Of  string // the schema
	Err error
}

func (e *PayloadError) Error() string { return fmt.Sprintf("it is no value of %s: %v", e.Of, e.Err) }

func (e *PayloadError) Unwrap() error { return e.Err }

// SchemaError is a schema that cannot be used.
type SchemaError struct {
	Of  string
	Err error
}

func (e *SchemaError) Error() string { return fmt.Sprintf("%s cannot be used: %v", e.Of, e.Err) }

func (e *SchemaError) Unwrap() error { return e.Err }

// Add puts in schemas. Of two of one id the first stays, with the versions of both.
func (s *Set) Add(schemas ...origin.Schema) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID, s.byGUID, s.versions = map[int32]*entry{}, map[uuid.UUID]*entry{}, map[origin.SchemaVersion]*entry{}
	}
	for _, one := range schemas {
		e := s.byID[one.ID]
		if e == nil {
			if s.size += len(one.Text); s.size > maxSetBytes {
				return ErrTooMany
			}
			e = &entry{Schema: one}
			s.byID[one.ID] = e
		}
		if id, err := uuid.Parse(one.GUID); err == nil {
			s.byGUID[id] = e
		}
		for _, v := range one.Versions {
			s.versions[v.Place()] = e
			if !slices.Contains(e.Versions, v) {
				e.Versions = append(e.Versions, v)
			}
		}
	}
	return nil
}

// Empty says that nothing can be read by the set.
func (s *Set) Empty() bool {
	if s == nil {
		return true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.byID) == 0 && len(s.files) == 0
}

// Schemas are all schemas with an id, by that.
func (s *Set) Schemas() []origin.Schema {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []origin.Schema
	for _, e := range s.byID {
		out = append(out, e.Schema)
	}
	slices.SortFunc(out, func(a, b origin.Schema) int { return int(a.ID - b.ID) })
	return out
}

// Find finds a schema by its name.
func (s *Set) Find(n Name) (origin.Schema, bool) {
	if s == nil {
		return origin.Schema{}, false
	}
	e := s.find(n)
	if e == nil {
		return origin.Schema{}, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return e.Schema, true
}

// At finds a schema by where it is registered.
func (s *Set) At(subject string, version int32) (origin.Schema, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.versions[origin.SchemaVersion{Subject: subject, Version: version}]; e != nil {
		return e.Schema, true
	}
	return origin.Schema{}, false
}

func (s *Set) find(n Name) *entry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n.ID == 0 {
		return s.byGUID[n.GUID]
	}
	return s.byID[n.ID]
}

// Payload is a key or value whose schema is known. It points into the bytes that it was found in.
type Payload struct {
	Frame
	front  []byte // stays as it is
	body   []byte
	of     string
	coding coding
}

// Payload finds the schema of a payload of a topic; false where it is by none. The error says why one that is by a schema cannot be read.
func (s *Set) Payload(topic string, part Part, b []byte, headers []format.Header) (p Payload, ok bool, err error) {
	if s == nil || b == nil {
		return Payload{}, false, nil
	}
	if f := s.fileOf(topic, part); f != nil {
		return f.payload(b)
	}
	frame, ok := FindFrame(part, b, headers)
	if !ok {
		return Payload{}, false, nil
	}
	e := s.find(frame.Name)
	if e == nil {
		return Payload{Frame: frame}, true, &UnknownError{frame.Name}
	}
	p, err = e.payload(s, frame, b)
	return p, true, err
}

// language compiles a schema, once.
func (e *entry) language(s *Set) (language, error) {
	e.once.Do(func() { e.compiled, e.err = s.compile(e) })
	return e.compiled, e.err
}

func (e *entry) payload(s *Set, f Frame, b []byte) (Payload, error) {
	p := Payload{Frame: f, of: f.Name.String()}
	compiled, err := e.language(s)
	if err != nil {
		return p, &SchemaError{p.of, err}
	}
	named := b[f.size:]
	if f.size == 0 {
		named = f.header
	}
	c, n, err := compiled.open(named)
	if err != nil {
		return p, &PayloadError{p.of, err}
	}
	at := f.size
	if at > 0 {
		at += n
	}
	p.front, p.body, p.coding = b[:at], b[at:], c
	return p, nil
}

// AppendJSON appends the payload as a JSON document.
func (p *Payload) AppendJSON(dst []byte) ([]byte, error) {
	out, err := p.coding.appendJSON(dst, p.body)
	if err != nil {
		return dst, &PayloadError{p.of, err}
	}
	return out, nil
}

// AppendChanged appends the payload of the same schema that a document says which was made of AppendJSON's by changes. What did not
// change keeps its bytes as far as the language lets it. Its error is a *FitError where the schema cannot hold the document.
func (p *Payload) AppendChanged(dst, document []byte) ([]byte, error) {
	return p.coding.appendChanged(append(dst, p.front...), p.body, document)
}

// AppendPayload appends a document as a payload that names its schema by a frame with the id. Message says which message of a Protobuf schema it
// is, as frames do; nil is the first.
func (s *Set) AppendPayload(dst []byte, n Name, message []int, document []byte) ([]byte, error) {
	e := s.find(n)
	if e == nil {
		return dst, &UnknownError{n}
	}
	front := binary.BigEndian.AppendUint32([]byte{magicID}, uint32(e.ID))
	if e.Type == origin.ProtobufSchema {
		front = appendIndexes(front, message)
	}
	p, err := e.payload(s, Frame{Name: Name{ID: e.ID}, size: 5}, front)
	if err != nil {
		return dst, err
	}
	return p.coding.appendChanged(append(dst, front...), nil, document)
}

// compile makes a schema ready to use, with those that it refers to.
func (s *Set) compile(e *entry) (language, error) {
	all, err := s.withReferences(e)
	if err != nil {
		return nil, err
	}
	switch e.Type {
	case origin.AvroSchema:
		return compileAvro(all)
	case origin.ProtobufSchema:
		return compileProtobuf(all)
	case origin.JSONSchema:
		return jsonLanguage{}, nil
	}
	return nil, fmt.Errorf("its type %.20q is not known", string(e.Type))
}

// Limits of what a schema may refer to.
const (
	maxReferences     = 2000
	maxReferencedText = 16 << 20
)

var errManyReferences = errors.New("it refers to too many schemas")

// named is a schema under the name by which another one refers to it.
type named struct {
	name string
	*entry
}

// withReferences lists a schema and all that it refers to, what is referred to before what does.
func (s *Set) withReferences(e *entry) ([]named, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := referenced{set: s, state: map[*entry]bool{}}
	err := r.add("", e, 0)
	return r.all, err
}

type referenced struct {
	set   *Set
	all   []named
	state map[*entry]bool // false: it is being added
	size  int
}

func (r *referenced) add(name string, e *entry, depth int) error {
	done, seen := r.state[e]
	if seen && !done {
		return errors.New("it refers to itself")
	}
	if len(r.all) > maxReferences {
		return errManyReferences
	}
	if seen {
		r.all = append(r.all, named{name, e})
		return nil
	}
	if r.size += len(e.Text); r.size > maxReferencedText || len(r.state) > maxReferences || depth > maxIndexes {
		return errManyReferences
	}
	r.state[e] = false
	for _, ref := range e.References {
		to := r.set.versions[origin.SchemaVersion{Subject: ref.Subject, Version: ref.Version}]
		if to == nil {
			return fmt.Errorf("it refers to version %d of subject %s, which is not there", ref.Version, ref.Subject)
		}
		if err := r.add(ref.Name, to, depth+1); err != nil {
			return err
		}
	}
	r.state[e] = true
	r.all = append(r.all, named{name, e})
	return nil
}

// jsonLanguage is JSON behind a frame. Whether it is what its schema says is nobody's question here.
type jsonLanguage struct{}

func (jsonLanguage) open([]byte) (coding, int, error) { return jsonLanguage{}, 0, nil }

func (jsonLanguage) appendJSON(dst, body []byte) ([]byte, error) {
	if !jsontext.Value(body).IsValid() {
		return dst, errNoDocument
	}
	return append(dst, bytes.TrimSpace(body)...), nil
}

func (jsonLanguage) appendChanged(dst, _, document []byte) ([]byte, error) {
	return append(dst, document...), nil
}
