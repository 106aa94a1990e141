package schema

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
)

// TopicName is the topic in which registries keep their schemas.
const TopicName = "_schemas"

// Topic makes schemas of the records of a registry's topic, in their order. The zero value is ready to use.
type Topic struct {
	at   map[origin.SchemaVersion]*topicSchema
	size int
}

// topicKey is the key of a record that is about a schema.
type topicKey struct {
	Keytype string `json:"keytype"`
	Subject string `json:"subject"`
	Version int32  `json:"version"`
}

type topicSchema struct {
	ID         int32                    `json:"id"`
	GUID       string                   `json:"guid"`
	SchemaType origin.SchemaType        `json:"schemaType"`
	Schema     string                   `json:"schema"`
	References []origin.SchemaReference `json:"references"`
}

// Add takes the next record. Of a schema that was registered anew the last holds; one that was deleted stays, for records still name it.
// Records that are no schema's are passed over.
func (t *Topic) Add(r *format.Record) error {
	var key topicKey
	var value topicSchema
	if json.Unmarshal(r.Key, &key) != nil || key.Keytype != "SCHEMA" || r.Value == nil || json.Unmarshal(r.Value, &value) != nil || value.ID <= 0 {
		return nil
	}
	if t.size += len(value.Schema); t.size > maxSetBytes {
		return ErrTooMany
	}
	if t.at == nil {
		t.at = map[origin.SchemaVersion]*topicSchema{}
	}
	t.at[origin.SchemaVersion{Subject: key.Subject, Version: key.Version}] = &value
	return nil
}

// Schemas are the schemas of all records, by their ids. Of an id that two contexts of a registry use, the schema of the default context is
// taken, whose subjects have no colon in front.
func (t *Topic) Schemas() []origin.Schema {
	var out []origin.Schema
	places := slices.SortedFunc(maps.Keys(t.at), func(a, b origin.SchemaVersion) int {
		return cmp.Or(cmp.Compare(ContextOf(a.Subject), ContextOf(b.Subject)), compareVersions(a, b))
	})
	byID := map[int32]int{}
	for _, v := range places {
		s := t.at[v]
		i, known := byID[s.ID]
		if !known {
			i = len(out)
			byID[s.ID] = i
			out = append(out, origin.Schema{ID: s.ID, GUID: s.GUID, Type: cmp.Or(s.SchemaType, origin.AvroSchema), Text: s.Schema, References: s.References})
		}
		if out[i].Text == s.Schema {
			out[i].Versions = append(out[i].Versions, v)
		}
	}
	return out
}

// compareVersions orders versions by subject and number.
func compareVersions(a, b origin.SchemaVersion) int {
	return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Version, b.Version))
}

// ContextOf is the context in front of a subject, as :.NAME:; empty: the default one.
func ContextOf(subject string) string {
	if len(subject) < 3 || subject[:2] != ":." {
		return ""
	}
	for i := 2; i < len(subject); i++ {
		if subject[i] == ':' {
			return subject[:i+1]
		}
	}
	return ""
}
