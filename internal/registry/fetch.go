package registry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"sync"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/schema"
)

// Client fetches schemas.
type Client struct {
	registry *sr.Client

	mu      sync.RWMutex
	set     *schema.Set
	seen    map[name]bool // whether the registry has it
	fresh   []origin.Schema
	unknown int
	ruled   []int32 // schemas with metadata or rules
}

type name = schema.Name

// Schemas are those that were fetched so far. More come as records are seen.
func (c *Client) Schemas() *schema.Set { return c.set }

// See fetches the schemas that the payloads of a record name, with all that they refer to, unless they are there. What the registry does not have
// is no error, and is counted.
func (c *Client) See(ctx context.Context, r *format.Record) error {
	for part, b := range map[schema.Part][]byte{schema.Key: r.Key, schema.Value: r.Value} {
		if f, ok := schema.FindFrame(part, b, r.Headers); ok && b != nil {
			if err := c.see(ctx, f.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Client) see(ctx context.Context, n name) error {
	c.mu.RLock()
	_, seen := c.seen[n]
	c.mu.RUnlock()
	if seen {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, seen := c.seen[n]; seen {
		return nil
	}
	known, err := c.fetch(ctx, n)
	if err != nil {
		return fmt.Errorf("fetch %s from the schema registry: %w", n, plain(err))
	}
	if len(c.seen) >= maxSeen {
		clear(c.seen)
	}
	if c.seen[n] = known; !known {
		c.unknown++
	}
	return nil
}

// maxSeen bounds what is remembered of names: bytes that only look like one can be as many as there are records.
const maxSeen = 100_000

// Take returns the schemas that were fetched since the last call.
func (c *Client) Take() []origin.Schema {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.fresh
	c.fresh = nil
	return out
}

// Ruled are the ids of the schemas, fetched so far, that have metadata or rules, which are not kept.
func (c *Client) Ruled() []int32 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.ruled)
}

// Unknown is how many names the registry did not have.
func (c *Client) Unknown() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.unknown
}

// fetch fetches a schema and what it refers to. The caller holds mu.
func (c *Client) fetch(ctx context.Context, n name) (known bool, err error) {
	if _, there := c.set.Find(n); there {
		return true, nil
	}
	s := origin.Schema{ID: n.ID}
	if n.ID == 0 {
		if s.ID, err = c.idOf(ctx, n.GUID.String()); s.ID == 0 || err != nil {
			return false, err
		}
		s.GUID = n.GUID.String()
	}
	got, err := c.byID(ctx, s.ID)
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if got.ruled() {
		c.ruled = append(c.ruled, s.ID)
	}
	if err := describe(&s, &got); err != nil {
		return false, err
	}
	return true, c.keep(ctx, s, "", map[int32]bool{})
}

// idOf is the id of a GUID in the default context; 0: it has none.
func (c *Client) idOf(ctx context.Context, guid string) (int32, error) {
	ids, err := c.registry.SchemaIDsByGUID(ctx, guid)
	if isNotFound(err) {
		return 0, nil
	}
	i := slices.IndexFunc(ids, func(id sr.ContextID) bool { return id.Context == "" || id.Context == "." })
	if err != nil || i < 0 {
		return 0, err
	}
	return idFrom(ids[i].ID)
}

// AnswerError is an answer that no registry gives.
type AnswerError struct{ What string }

func (e *AnswerError) Error() string { return "its answer has " + e.What }

// idFrom is an id as a registry gives it.
func idFrom(id int) (int32, error) {
	if id <= 0 || id > math.MaxInt32 {
		return 0, &AnswerError{fmt.Sprintf("%d as an id", id)}
	}
	return int32(id), nil
}

// maxReferences bounds what one schema may refer to, directly or not.
const maxReferences = 2000

var errManyReferences = errors.New("it refers to too many schemas")

// keep adds what a schema refers to, and then the schema with where it is registered. Its id is that of the context of a subject. Under are
// those that are being kept.
func (c *Client) keep(ctx context.Context, s origin.Schema, subject string, under map[int32]bool) error {
	if under[s.ID] = true; len(under) > maxReferences {
		return errManyReferences
	}
	if err := c.place(ctx, &s, subject); err != nil {
		return err
	}
	for _, ref := range s.References {
		if err := c.fetchReference(ctx, ref, under); err != nil {
			return err
		}
	}
	if err := c.set.Add(s); err != nil {
		return err
	}
	c.fresh = append(c.fresh, s)
	return nil
}

// maxPlaces bounds under how many subjects and versions one schema is registered; each is a question.
const maxPlaces = 10_000

// ownOnly asks for what a subject has of its own, and not for what holds for all.
var ownOnly = sr.RawParams(url.Values{"defaultToGlobal": {"false"}})

// places asks under which subjects a schema is registered. Versions that are softly deleted count only where there are no others: records go on
// naming what was deleted.
func (c *Client) places(ctx context.Context, id int32) ([]sr.SubjectVersion, error) {
	places, err := c.registry.SchemaVersionsByID(ctx, int(id))
	if isNotFound(err) || err == nil && len(places) == 0 {
		places, err = c.registry.SchemaVersionsByID(sr.WithParams(ctx, sr.ShowDeleted), int(id))
	}
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	if len(places) > maxPlaces {
		return nil, &AnswerError{fmt.Sprintf("%d versions of one schema", len(places))}
	}
	return places, nil
}

// place notes where a schema is registered, with what is known of it there.
func (c *Client) place(ctx context.Context, s *origin.Schema, subject string) error {
	places, err := c.places(inContextOf(ctx, subject), s.ID)
	if err != nil {
		return err
	}
	for _, p := range places {
		if err := checkPlace(p.Subject, p.Version); err != nil {
			return err
		}
		v := origin.SchemaVersion{Subject: p.Subject, Version: int32(p.Version), Compatibility: c.compatibility(ctx, p.Subject)}
		s.Versions = append(s.Versions, v)
		if s.GUID == "" {
			one, err := c.byVersion(sr.WithParams(ctx, sr.ShowDeleted), p.Subject, p.Version)
			if err != nil && !isNotFound(err) {
				return err
			}
			s.GUID = knownGUID(one.GUID)
		}
	}
	slices.SortFunc(s.Versions, origin.SchemaVersion.Compare)
	s.Versions = slices.CompactFunc(s.Versions, func(a, b origin.SchemaVersion) bool { return a.Place() == b.Place() })
	return nil
}

// knownGUID is a GUID, or nothing where a registry gives something else.
func knownGUID(text string) string {
	if _, err := uuid.Parse(text); err != nil {
		return ""
	}
	return text
}

func (c *Client) fetchReference(ctx context.Context, ref origin.SchemaReference, under map[int32]bool) error {
	got, err := c.byVersion(sr.WithParams(ctx, sr.ShowDeleted), ref.Subject, int(ref.Version))
	if isNotFound(err) {
		return nil // who reads by it says so
	}
	if err != nil {
		return err
	}
	id, err := idFrom(got.ID)
	if err != nil {
		return err
	}
	s := origin.Schema{ID: id, GUID: knownGUID(got.GUID)}
	if err := describe(&s, &got); err != nil {
		return err
	}
	if _, there := c.set.Find(name{ID: s.ID}); there || under[s.ID] {
		return nil
	}
	return c.keep(ctx, s, ref.Subject, under)
}

// describe notes what an answer says of a schema. An archive keeps it for good, so an answer without one, from a proxy say, is refused.
func describe(s *origin.Schema, got *stored) error {
	if got.Text == "" {
		return &AnswerError{fmt.Sprintf("no text for schema %d", s.ID)}
	}
	s.Type, s.Text = got.language(), got.Text
	for _, r := range got.References {
		if err := checkPlace(r.Subject, r.Version); err != nil {
			return err
		}
		s.References = append(s.References, origin.SchemaReference{Name: r.Name, Subject: r.Subject, Version: int32(r.Version)})
	}
	return nil
}

// checkPlace refuses what no registry has a schema under.
func checkPlace(subject string, version int) error {
	if subject == "" || version <= 0 || version > math.MaxInt32 {
		return &AnswerError{fmt.Sprintf("version %d of subject %q", version, subject)}
	}
	return nil
}
