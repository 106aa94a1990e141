package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/karchive/karchive/format/origin"
)

// register registers a schema under its id, which the target takes in its import mode only.
func (r *Restore) register(ctx context.Context, s origin.Schema) error {
	for _, v := range s.Versions {
		if err := r.agree(ctx, v.Subject); err != nil {
			return err
		}
		if r.dry {
			continue
		}
		if err := r.importVersion(ctx, v, s); err != nil {
			return err
		}
	}
	return nil
}

// importVersion registers a schema at one place, and leaves the subject's mode as it was.
func (r *Restore) importVersion(ctx context.Context, v origin.SchemaVersion, s origin.Schema) (err error) {
	out, err := r.libraryType(s)
	if err != nil {
		return err
	}
	before, err := r.client.mode(sr.WithParams(ctx, ownOnly), v.Subject)
	if err != nil && !isNotFound(err) {
		return fmt.Errorf("mode of subject %s: %w", v.Subject, plain(err))
	}
	// The force is for a subject that has versions, which agree. Without it, only the first of a subject would ever come in.
	if set := r.client.registry.SetMode(sr.WithParams(ctx, sr.Force), sr.ModeImport, v.Subject); set[0].Err != nil {
		return fmt.Errorf("import mode of subject %s: %w", v.Subject, plain(set[0].Err))
	}
	defer func() {
		err = errors.Join(err, r.putBack(context.WithoutCancel(ctx), v.Subject, before))
	}()
	// A registry that only says yes would give an id of its own.
	if now, err := r.client.mode(ctx, v.Subject); err != nil || now != sr.ModeImport.String() {
		return errNoImport
	}
	id, err := r.client.registry.RegisterSchema(ctx, v.Subject, out, int(s.ID), int(v.Version))
	if err != nil {
		return fmt.Errorf("subject %s: %w", v.Subject, plain(err))
	}
	if id != int(s.ID) {
		return fmt.Errorf("subject %s: the target gave it id %d", v.Subject, id)
	}
	return r.setCompatibility(ctx, v)
}

var errNoImport = errors.New("the target has no import mode, which takes schemas under ids that they have already")

// agree refuses subjects that have versions of their own in the target: what is imported must not come among them. Those of the archive, from an
// earlier run perhaps, are welcome.
func (r *Restore) agree(ctx context.Context, subject string) error {
	if r.imported[subject] {
		return nil
	}
	if _, err := r.client.mode(ctx, ""); isMissing(err) {
		return errNoImport
	}
	versions, err := r.client.registry.SubjectVersions(ctx, subject)
	if err != nil && !isNotFound(err) {
		return fmt.Errorf("subject %s: %w", subject, plain(err))
	}
	for _, n := range versions {
		there, err := r.client.byVersion(ctx, subject, n)
		if err != nil {
			return fmt.Errorf("version %d of subject %s: %w", n, subject, plain(err))
		}
		if own, ok := r.from.At(subject, int32(n)); !ok || int(own.ID) != there.ID || !there.is(own) {
			return fmt.Errorf("subject %s has another version %d there", subject, n)
		}
	}
	r.imported[subject] = true
	return nil
}

// isMissing says that a registry does not have a question at all.
func isMissing(err error) bool {
	answer, ok := errors.AsType[*sr.ResponseError](err)
	return ok && (answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusMethodNotAllowed || answer.StatusCode == http.StatusNotImplemented)
}

func (r *Restore) putBack(ctx context.Context, subject, before string) error {
	if before == "" { // it had none of its own
		after := r.client.registry.ResetMode(ctx, subject)
		return after[0].Err
	}
	return r.client.setMode(ctx, subject, before)
}

// setCompatibility gives a subject what it had, unless it has something of its own.
func (r *Restore) setCompatibility(ctx context.Context, v origin.SchemaVersion) error {
	if v.Compatibility == "" {
		return nil
	}
	if r.client.compatibility(ctx, v.Subject) != "" {
		return nil
	}
	var level sr.CompatibilityLevel
	if level.UnmarshalText([]byte(v.Compatibility)) != nil {
		return nil // a newer word
	}
	after := r.client.registry.SetCompatibility(ctx, sr.SetCompatibility{Level: level}, v.Subject)
	return after[0].Err
}
