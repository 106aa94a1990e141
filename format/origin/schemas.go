package origin

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// Schema is a schema of a registry, by which keys and values are written that name it.
type Schema struct {
	ID         int32             `json:"id"`             // greater than 0
	GUID       string            `json:"guid,omitempty"` // a UUID, of newer registries; empty: none
	Type       SchemaType        `json:"type"`
	Text       string            `json:"text"`                 // as the registry has it
	References []SchemaReference `json:"references,omitempty"` // the schemas that Text names
	Versions   []SchemaVersion   `json:"versions,omitempty"`   // where it is registered, by subject and version
}

// SchemaType is the language of a schema. Others than those below may come; who does not know one cannot read what is written by it.
type SchemaType string

// The languages of registries.
const (
	AvroSchema     SchemaType = "AVRO"
	ProtobufSchema SchemaType = "PROTOBUF"
	JSONSchema     SchemaType = "JSON"
)

// SchemaReference is a name in a schema, and which other schema it means.
type SchemaReference struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int32  `json:"version"`
}

// SchemaVersion is a place in a registry where a schema is registered.
type SchemaVersion struct {
	Subject       string `json:"subject"`
	Version       int32  `json:"version"`
	Compatibility string `json:"compatibility,omitempty"` // of the subject, in the registry's word; empty: it has none of its own
}

// Place is the version without what else is known about it.
func (v SchemaVersion) Place() SchemaVersion {
	return SchemaVersion{Subject: v.Subject, Version: v.Version}
}

// Compare orders by subject and then by version.
func (v SchemaVersion) Compare(other SchemaVersion) int {
	return cmp.Or(cmp.Compare(v.Subject, other.Subject), cmp.Compare(v.Version, other.Version))
}

// MergeSchemas is the union of schemas, by id, in new slices. Of one that is in both it has the versions of both.
// Two different schemas of one id are an error.
func MergeSchemas(a, b []Schema) ([]Schema, error) {
	out := cloneSchemas(a)
	at := map[int32]int{}
	for i := range out {
		at[out[i].ID] = i
	}
	for _, s := range cloneSchemas(b) {
		i, known := at[s.ID]
		if !known {
			at[s.ID] = len(out)
			out = append(out, s)
			continue
		}
		if out[i].Text != s.Text || out[i].Type != s.Type || !slices.Equal(out[i].References, s.References) {
			return nil, fmt.Errorf("there are two different schemas of id %d", s.ID)
		}
		out[i].GUID = cmp.Or(out[i].GUID, s.GUID)
		out[i].Versions = append(out[i].Versions, s.Versions...)
	}
	sortSchemas(out)
	return out, nil
}

func cloneSchemas(all []Schema) []Schema {
	out := slices.Clone(all)
	for i := range out {
		out[i].References, out[i].Versions = slices.Clone(out[i].References), slices.Clone(out[i].Versions)
	}
	return out
}

// SortedSchemas is a copy of schemas in their order, with each version once.
func SortedSchemas(all []Schema) []Schema {
	out := cloneSchemas(all)
	sortSchemas(out)
	return out
}

func sortSchemas(all []Schema) {
	slices.SortFunc(all, func(a, b Schema) int { return cmp.Compare(a.ID, b.ID) })
	for i := range all {
		slices.SortStableFunc(all[i].Versions, SchemaVersion.Compare)
		all[i].Versions = slices.CompactFunc(all[i].Versions, func(a, b SchemaVersion) bool { return a.Compare(b) == 0 })
	}
}

// CheckSchemas refuses what cannot be the schemas of an archive.
func CheckSchemas(all []Schema) error {
	for i := range all {
		s := &all[i]
		if s.ID <= 0 || i > 0 && all[i-1].ID >= s.ID {
			return fmt.Errorf("schema %d is no schema, there twice or out of order", s.ID)
		}
		if s.Type == "" || s.GUID != "" && uuid.Validate(s.GUID) != nil {
			return fmt.Errorf("schema %d has no type, or a GUID that is none", s.ID)
		}
		for _, r := range s.References {
			if r.Subject == "" || r.Version <= 0 {
				return fmt.Errorf("schema %d refers to no schema", s.ID)
			}
		}
		for k, v := range s.Versions {
			if v.Subject == "" || v.Version <= 0 || k > 0 && s.Versions[k-1].Compare(v) >= 0 {
				return fmt.Errorf("schema %d has a version that is none, there twice or out of order", s.ID)
			}
		}
	}
	return nil
}
