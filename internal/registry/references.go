package registry

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/karchive/karchive/format/origin"
)

// locate finds where the target has a schema that another one refers to: what was registered anew has a version of the target's choice.
func (r *Restore) locate(ctx context.Context, ref origin.SchemaReference, to origin.Schema, one Restored) error {
	at := origin.SchemaVersion{Subject: ref.Subject, Version: ref.Version}
	if _, known := r.moved[at]; known || r.dry {
		return nil
	}
	place := sr.SchemaReference{Subject: ref.Subject, Version: int(ref.Version)}
	if there, err := r.client.byVersion(ctx, ref.Subject, int(ref.Version)); err != nil || !there.is(to) {
		out, err := r.libraryType(to)
		if err != nil {
			return err
		}
		found, err := r.client.lookUp(ctx, one.Subject, out)
		if err != nil {
			return fmt.Errorf("look for schema %d under subject %s in the target: %w", to.ID, one.Subject, plain(err))
		}
		place.Subject, place.Version = found.Subject, found.Version
	}
	r.moved[at] = place
	return nil
}

// libraryType is a schema as the client has it, which refers to where the target has what it refers to.
func (r *Restore) libraryType(s origin.Schema) (sr.Schema, error) {
	out := sr.Schema{Schema: s.Text}
	if err := out.Type.UnmarshalText([]byte(s.Type)); err != nil {
		return out, fmt.Errorf("schema %d: %w", s.ID, err)
	}
	for _, ref := range s.References {
		place, known := r.moved[origin.SchemaVersion{Subject: ref.Subject, Version: ref.Version}]
		if !known {
			place = sr.SchemaReference{Subject: ref.Subject, Version: int(ref.Version)}
		}
		place.Name = ref.Name
		out.References = append(out.References, place)
	}
	return out, nil
}
