package registry

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/schema"
)

// Rewrite makes the payloads of a record name the schemas of the target, in new memory where an id changes.
func (r *Restore) Rewrite(ctx context.Context, record *format.Record) error {
	key, err := r.rewrite(ctx, schema.Key, record.Key, record.Headers)
	if err != nil {
		return err
	}
	value, err := r.rewrite(ctx, schema.Value, record.Value, record.Headers)
	if err != nil {
		return err
	}
	record.Key, record.Value = key, value
	return nil
}

// wholeNumber is the size of a payload that is more likely a number than a schema nobody knows and three bytes.
const wholeNumber = 8

func (r *Restore) rewrite(ctx context.Context, part schema.Part, b []byte, headers []format.Header) ([]byte, error) {
	f, ok := schema.FindFrame(part, b, headers)
	if !ok || b == nil {
		return b, nil
	}
	to, err := r.Target(ctx, f.Name)
	if _, unknown := err.(*schema.UnknownError); unknown && f.InFront() && len(b) == wholeNumber {
		return b, nil
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("the %s: %w", part, err)
	case f.ID == 0 || to.Target == f.ID || to.Target == 0:
		return b, nil
	case !f.InFront():
		return nil, fmt.Errorf("the %s names %s in a header, and its id is taken in the target", part, f.Name)
	}
	out := append(make([]byte, 0, len(b)), b...)
	binary.BigEndian.PutUint32(out[1:], uint32(to.Target))
	return out, nil
}
