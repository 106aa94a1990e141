package main

import (
	"cmp"
	"context"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/internal/schema"
	"github.com/karchive/karchive/internal/units"
)

// schemaInfo is a schema that the archive has, or that records name.
type schemaInfo struct {
	Name     string                 `json:"name"`
	ID       int32                  `json:"id,omitempty"`
	GUID     string                 `json:"guid,omitempty"`
	Type     origin.SchemaType      `json:"type,omitempty"` // empty: the archive does not have it
	Versions []origin.SchemaVersion `json:"versions,omitempty"`
	// Keys and Values count the payloads that name it, where they were counted.
	Keys   int64 `json:"keys,omitempty"`
	Values int64 `json:"values,omitempty"`
}

// maxUnknown bounds the names that are listed and that no schema has: bytes can look like one.
const maxUnknown = 100

// schemaCount counts which schemas records name.
type schemaCount struct {
	known   *schema.Set // nil: none
	found   map[schema.Name]*schemaInfo
	unknown int
	rest    schemaInfo // of no schema, or of more than are listed
}

// countSchemas reads all records of partitions, and counts which schemas they name.
func countSchemas(ctx context.Context, e *env, a *format.Archive, partitions []format.TopicPartition) ([]schemaInfo, error) {
	known, err := (&reading{}).schemas(ctx, e, a)
	if err != nil {
		return nil, err
	}
	c := &schemaCount{known: known, found: map[schema.Name]*schemaInfo{}}
	if known != nil {
		for _, s := range known.Schemas() {
			c.found[schema.Name{ID: s.ID}] = newSchemaInfo(s)
		}
	}
	err = (&scan.Scanner{Archive: a, Partitions: partitions}).Each(ctx, func(_ format.TopicPartition, records []format.Record) error {
		for i := range records {
			r := &records[i]
			c.of(schema.Key, r.Key, r.Headers).Keys++
			c.of(schema.Value, r.Value, r.Headers).Values++
		}
		return nil
	})
	return c.list(), err
}

// of is where a payload counts.
func (c *schemaCount) of(part schema.Part, b []byte, headers []format.Header) *schemaInfo {
	f, ok := schema.FindFrame(part, b, headers)
	if !ok || b == nil {
		return &c.rest
	}
	name := f.Name
	if s, there := c.known.Find(name); there {
		name = schema.Name{ID: s.ID}
	}
	if c.found[name] == nil {
		if c.unknown++; c.unknown > maxUnknown {
			return &c.rest
		}
		c.found[name] = &schemaInfo{Name: name.String(), ID: name.ID}
	}
	return c.found[name]
}

func (c *schemaCount) list() []schemaInfo {
	out := []schemaInfo{}
	for _, s := range slices.SortedFunc(maps.Values(c.found), func(a, b *schemaInfo) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), strings.Compare(a.Name, b.Name))
	}) {
		out = append(out, *s)
	}
	return out
}

func newSchemaInfo(s origin.Schema) *schemaInfo {
	return &schemaInfo{Name: schema.Name{ID: s.ID}.String(), ID: s.ID, GUID: s.GUID, Type: s.Type, Versions: s.Versions}
}

// schemaTable prints which schemas there are, and how many keys and values name each.
func schemaTable(w io.Writer, all []schemaInfo) error {
	t := newTable(w)
	printable.Fprintf(t, "\nSCHEMA\tTYPE\tSUBJECTS\tKEYS\tVALUES\n")
	for i := range all {
		s := &all[i]
		kind, subjects := string(s.Type), s.subjects()
		if s.Type == "" {
			kind, subjects = "unknown", "-"
		}
		printable.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", strings.TrimPrefix(s.Name, "schema "), kind, subjects, units.Count(s.Keys), units.Count(s.Values))
	}
	return t.Flush()
}

// subjects are where a schema is registered, such as orders-value 3.
func (s *schemaInfo) subjects() string {
	var out []string
	for _, v := range s.Versions {
		out = append(out, v.Subject+" "+units.Count(int64(v.Version)))
	}
	return orNone(strings.Join(out, ", "))
}
