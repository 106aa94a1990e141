package reshape

import (
	"slices"

	"github.com/karchive/karchive/internal/schema"
)

// opened is a payload as a document, while that is looked at and changed.
type opened struct {
	payload  schema.Payload
	document []byte // of the record that is at work; nil: the payload is no document by a schema, or was not asked for
	before   []byte // the payload that it is of
	buffer   []byte
	asked    bool
	err      error // why a payload that is by a schema is none that can be read
	inPlace  bool  // the document stands in the record, in the place of the payload
}

// maxKeptDocument bounds the memory that is kept for the next document.
const maxKeptDocument = 1 << 20

// part names a payload as schemas do.
func (root Root) part() schema.Part {
	if root == KeyRoot {
		return schema.Key
	}
	return schema.Value
}

// payload is the key, or of any other root the value.
func (r *Record) payload(root Root) *[]byte {
	if root == KeyRoot {
		return &r.Key
	}
	return &r.Value
}

// document is a payload as JSON: that of its schema, or itself where it has none. BySchema says which.
func (w *Worker) document(r *Record, root Root) (b []byte, bySchema bool, err error) {
	b = *r.payload(root)
	if w.pipeline.schemas == nil {
		return b, false, nil
	}
	o := &w.opened[root]
	if !o.asked {
		w.decodePayload(o, r, root)
	}
	switch {
	case o.err != nil:
		return b, true, o.err
	case o.document != nil:
		return o.document, true, nil
	}
	return b, false, nil
}

func (w *Worker) decodePayload(o *opened, r *Record, root Root) {
	*o = opened{asked: true, before: *r.payload(root), buffer: o.buffer[:0]}
	if cap(o.buffer) > maxKeptDocument {
		o.buffer = nil
	}
	p, ok, err := w.pipeline.schemas.Payload(r.Topic, root.part(), o.before, r.Headers)
	if !ok || err != nil {
		o.err = err
		return
	}
	if o.buffer, o.err = p.AppendJSON(o.buffer); o.err == nil {
		o.payload, o.document = p, slices.Clip(o.buffer)
	}
}

// open puts a document in the place of its payload. The error says why there is none though there should be.
func (w *Worker) open(r *Record, root Root) error {
	doc, bySchema, err := w.document(r, root)
	if err != nil || !bySchema {
		return err
	}
	if o := &w.opened[root]; !o.inPlace {
		o.inPlace, *r.payload(root) = true, doc
	}
	return nil
}

// isOpen says that a document stands in the place of a payload.
func (w *Worker) isOpen(root Root) bool { return root <= KeyRoot && w.opened[root].inPlace }

// close puts payloads back: as they were, or written anew by their schema where rules changed them.
func (w *Worker) close(r *Record) error {
	for root := range Root(len(w.opened)) {
		if err := w.encode(r, root); err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) encode(r *Record, root Root) error {
	o, at := &w.opened[root], r.payload(root)
	if !o.inPlace {
		return nil
	}
	o.inPlace, o.asked = false, false
	switch {
	case *at == nil:
		return nil
	case string(*at) == string(o.document):
		*at = o.before
		return nil
	}
	out, err := o.payload.AppendChanged(w.buf[:0], *at)
	w.buf = out[:0]
	if err != nil {
		if *at, err = w.instead(root, o.before, err); err == nil && w.pipeline.rules.Unmaskable == PassOn && w.tracks {
			w.last.looks.place(root.String()).add(w.record, looksUnchanged)
			w.restored = true
		}
		return err
	}
	*at = w.own(out)
	return nil
}

// forget says that something else stands in the place of a payload, which is no document by a schema.
func (w *Worker) forget(root Root) {
	w.opened[root] = opened{asked: true, buffer: w.opened[root].buffer}
}
