package format

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/ondisk"
)

// Identity is what karchive.json holds: what an archive is and where it comes from. Facts about records are in the segments.
type Identity struct {
	Version   string         `json:"version"`    // the lowest format version that has what the archive holds, filled in by Create
	ArchiveID string         `json:"archive_id"` // random UUID, made by Create
	CreatedBy string         `json:"created_by"`
	CreatedAt string         `json:"created_at"` // RFC 3339, UTC
	Encoding  Encoding       `json:"encoding"`
	ClusterID string         `json:"cluster_id"` // of the source; empty: not from a cluster
	Topics    []origin.Topic `json:"topics"`     // sorted by name
	Capture   *origin.Plan   `json:"capture,omitempty"`
	Revision  int64          `json:"revision,omitempty"` // rises each time that an archive in a store is described anew; 0: never in a store
	Groups    *origin.Groups `json:"groups,omitempty"`   // nil: none were asked for
	// Schemas are those of a registry that records name, sorted by id.
	Schemas []origin.Schema `json:"schemas,omitempty"`
	// Pruned is what was removed of partitions, sorted by topic and partition. [Archive.Prune] sets it.
	Pruned []origin.Pruned `json:"pruned,omitempty"`
}

// clone is a copy that shares nothing with id but its groups.
func (id Identity) clone() Identity {
	id.Topics, id.Schemas, id.Pruned = slices.Clone(id.Topics), origin.SortedSchemas(id.Schemas), origin.SortedPruned(id.Pruned)
	for i := range id.Topics {
		id.Topics[i].Configs = maps.Clone(id.Topics[i].Configs)
		id.Topics[i].Codecs = maps.Clone(id.Topics[i].Codecs)
	}
	if id.Capture != nil {
		plan := *id.Capture
		plan.Options = maps.Clone(plan.Options)
		plan.Partitions = slices.Clone(plan.Partitions)
		id.Capture = &plan
	}
	return id
}

// normalize returns a copy with its lists sorted and its defaults filled in, or an error that says what is not possible.
func (id Identity) normalize() (Identity, error) {
	id = id.clone()
	if id.Encoding == "" {
		id.Encoding = Parquet
	}
	if id.Topics == nil {
		id.Topics = []origin.Topic{}
	}
	slices.SortFunc(id.Topics, func(a, b origin.Topic) int { return strings.Compare(a.Name, b.Name) })
	if id.Capture != nil {
		if id.Capture.Partitions == nil {
			id.Capture.Partitions = []origin.PlanRange{}
		}
		slices.SortFunc(id.Capture.Partitions, func(a, b origin.PlanRange) int {
			return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
		})
	}
	if !knownEncoding(id.Encoding) {
		return id, fmt.Errorf("unknown encoding %q", id.Encoding)
	}
	return id, id.check()
}

// check refuses what cannot be an identity.
func (id Identity) check() error {
	if id.Revision < 0 {
		return fmt.Errorf("revision %d is none", id.Revision)
	}
	for i, t := range id.Topics {
		if err := ondisk.CheckTopic(t.Name); err != nil {
			return err
		}
		if i > 0 && id.Topics[i-1].Name >= t.Name {
			return fmt.Errorf("topic %s is there twice or out of order", t.Name)
		}
		if t.Partitions < 0 {
			return fmt.Errorf("topic %s has %d partitions", t.Name, t.Partitions)
		}
		if err := t.Codecs.Check(); err != nil {
			return fmt.Errorf("topic %s: %w", t.Name, err)
		}
	}
	if err := cmp.Or(origin.CheckSchemas(id.Schemas), origin.CheckPruned(id.Pruned), id.Groups.Check()); err != nil || id.Capture == nil {
		return err
	}
	return id.Capture.Check()
}
