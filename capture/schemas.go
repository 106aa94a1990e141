package capture

import (
	"context"
	"fmt"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
)

// Schemas fetches the schemas that records name. Its methods may be called by several goroutines.
type Schemas interface {
	// See fetches what a record names, as the cluster has it, before rules change it. Its error ends the capture: what cannot be fetched now
	// may be gone when somebody wants to read the record. A schema that nobody has is no error.
	See(ctx context.Context, r *format.Record) error
	// Take returns what was fetched since the last call.
	Take() []origin.Schema
}

// see fetches the schemas of a record. It does not end with the fetches: what was fetched is still written.
func (l *lane) see(r *format.Record) error {
	s := l.settings().Schemas
	if s == nil {
		return nil
	}
	if err := s.See(context.WithoutCancel(l.run.fetching), r); err != nil {
		return fmt.Errorf("%s at offset %d: %w", l.tp, r.Offset, err)
	}
	return nil
}

// keepSchemas stores the schemas that were fetched, durable before a segment is whose records name them.
func (r *run) keepSchemas() error {
	if r.settings.Schemas == nil {
		return nil
	}
	r.identity.Lock()
	defer r.identity.Unlock()
	fresh := r.settings.Schemas.Take()
	if len(fresh) == 0 {
		return nil
	}
	err := amend(r.archive, func(id *format.Identity) (err error) {
		id.Schemas, err = origin.MergeSchemas(id.Schemas, fresh)
		return err
	})
	if err != nil {
		return fmt.Errorf("store schemas: %w", err)
	}
	return nil
}
