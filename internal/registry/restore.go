package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/schema"
)

// IDs says what becomes of the ids that records name.
type IDs string

// The choices.
const (
	KeepIDs IDs = "keep" // they stay: a schema whose id another one has in the target is an error
	MapIDs  IDs = "map"  // they stay where they can, and are rewritten where another schema has the id in the target
)

// What was done about a schema.
const (
	Present    = "present"         // the target has it, under the id that it has there
	Registered = "registered"      // under the id of the archive
	Anew       = "registered anew" // under an id of the target's choice
)

// Restored is a schema of an archive in a target.
type Restored struct {
	ID      int32  `json:"id"`      // in the archive
	Target  int32  `json:"target"`  // in the target; 0: a dry run does not know it
	Subject string `json:"subject"` // the first under which it is registered
	Version int32  `json:"version"`
	Action  string `json:"action"`
}

// Restore makes the schemas of an archive those of a registry. It is safe for concurrent use.
type Restore struct {
	client *Client
	from   *schema.Set
	ids    IDs
	dry    bool

	mu       sync.RWMutex
	done     map[int32]Restored
	imported map[string]bool                             // subjects whose versions in the target are those of the archive
	moved    map[origin.SchemaVersion]sr.SchemaReference // where the target has what the archive has in another place
}

// NewRestore restores schemas of a set. With dry nothing is registered.
func NewRestore(c *Client, from *schema.Set, ids IDs, dry bool) *Restore {
	return &Restore{client: c, from: from, ids: ids, dry: dry, done: map[int32]Restored{},
		imported: map[string]bool{}, moved: map[origin.SchemaVersion]sr.SchemaReference{}}
}

// TakenError is an id that means another schema in the target.
type TakenError struct {
	ID  int32
	Err error // why it cannot be registered under it otherwise; nil: another schema has it
}

func (e *TakenError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("schema %d cannot be registered under its id in the target: %v", e.ID, e.Err)
	}
	return fmt.Sprintf("schema %d is another one in the target", e.ID)
}

func (e *TakenError) Unwrap() error { return e.Err }

// Done is what was done about each schema, by its id in the archive.
func (r *Restore) Done() []Restored {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []Restored
	for _, one := range r.done {
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b Restored) int { return int(a.ID - b.ID) })
	return out
}

// Target registers a schema unless that is done, and returns what its id is in the target. The error of a schema that the set does not have is a
// *schema.UnknownError.
func (r *Restore) Target(ctx context.Context, n schema.Name) (Restored, error) {
	r.mu.RLock()
	one, done := r.done[n.ID]
	r.mu.RUnlock()
	if done && n.ID != 0 {
		return one, nil
	}
	s, ok := r.from.Find(n)
	if !ok {
		return Restored{}, &schema.UnknownError{Name: n}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.restore(ctx, s, map[int32]bool{})
}

// restore registers a schema, and before it what it refers to. The caller holds mu.
func (r *Restore) restore(ctx context.Context, s origin.Schema, under map[int32]bool) (Restored, error) {
	if one, done := r.done[s.ID]; done {
		return one, nil
	}
	if under[s.ID] = true; len(under) > maxReferences {
		return Restored{}, errManyReferences
	}
	for _, ref := range s.References {
		if to, ok := r.from.At(ref.Subject, ref.Version); ok && !under[to.ID] {
			one, err := r.restore(ctx, to, under)
			if err == nil {
				err = r.locate(ctx, ref, to, one)
			}
			if err != nil {
				return Restored{}, err
			}
		}
	}
	one, err := r.place(ctx, s)
	if err != nil {
		return one, err
	}
	r.done[s.ID] = one
	return one, nil
}

var errNoSubject = errors.New("the archive does not know its subject")

// place finds a schema in the target, or registers it.
func (r *Restore) place(ctx context.Context, s origin.Schema) (Restored, error) {
	one := Restored{ID: s.ID, Target: s.ID}
	if len(s.Versions) > 0 {
		one.Subject, one.Version = s.Versions[0].Subject, s.Versions[0].Version
	}
	there, err := r.client.byID(inContextOf(ctx, one.Subject), s.ID)
	switch {
	case err == nil && there.is(s):
		one.Action = Present
		return one, nil
	case err != nil && !isNotFound(err):
		return one, fmt.Errorf("look for schema %d in the target: %w", s.ID, plain(err))
	case len(s.Versions) == 0:
		return one, &TakenError{s.ID, errNoSubject}
	}
	taken := &TakenError{ID: s.ID}
	if err != nil {
		if taken.Err = r.register(ctx, s); taken.Err == nil {
			one.Action = Registered
			return one, nil
		}
	}
	if r.ids != MapIDs {
		return one, taken
	}
	return r.registerAnew(ctx, s, one)
}

// registerAnew registers a schema as a producer would.
func (r *Restore) registerAnew(ctx context.Context, s origin.Schema, one Restored) (Restored, error) {
	out, err := r.libraryType(s)
	if err != nil {
		return one, err
	}
	one.Action, one.Target = Anew, 0
	if there, err := r.client.lookUp(ctx, one.Subject, out); err == nil {
		one.Action, one.Target, one.Version = Present, int32(there.ID), int32(there.Version)
		return one, nil
	}
	if r.dry {
		return one, nil
	}
	id, err := r.client.registry.RegisterSchema(ctx, one.Subject, out, -1, -1)
	if err != nil {
		return one, fmt.Errorf("register schema %d under subject %s in the target: %w", s.ID, one.Subject, plain(err))
	}
	one.Target = int32(id)
	return one, nil
}
