// Package checkpoint keeps what a replay had acknowledged: as a document that the caller keeps, in a file, or in a topic of the target, in the
// transactions of a replay that is exactly once.
package checkpoint

import (
	"context"

	"github.com/karchive/karchive/format"
)

// Store keeps a State. Its methods are called one at a time.
type Store interface {
	// Load returns what was saved last, or nil when nothing was.
	Load(ctx context.Context) (*State, error)
	// Save keeps a state in place of the one before. It does not keep the pointer.
	Save(ctx context.Context, s *State) error
}

// State is what a checkpoint keeps. It belongs to one replay: an archive, a target and the options that shape what is sent.
type State struct {
	ArchiveID  string            `json:"archive_id"`
	ClusterID  string            `json:"cluster_id"` // of the target
	Options    map[string]string `json:"options"`    // those that shape what is sent, as they are spelled
	From       string            `json:"from"`       // what Options.From came to when the replay first ran
	Until      string            `json:"until"`
	TopicIDs   map[string]string `json:"topic_ids"`          // of the target, by topic; a topic that was made again has another
	Groups     string            `json:"groups,omitempty"`   // what the marks are for; empty: there are none
	ShiftMs    *int64            `json:"shift_ms,omitempty"` // that ShiftTimestamps adds; nil: it is not known yet
	Complete   bool              `json:"complete"`           // nothing is left to send
	Partitions []Partition       `json:"partitions"`
}

// Partition is what is acknowledged of one partition of the archive.
type Partition struct {
	Topic     string  `json:"topic"`
	Partition int32   `json:"partition"`
	Next      int64   `json:"next"`    // every selected record before this offset is acknowledged or left out
	Records   int64   `json:"records"` // acknowledged before Next
	Bytes     int64   `json:"bytes"`   // their canonical bytes
	LeftOut   int64   `json:"left_out,omitempty"`
	Turns     int64   `json:"turns,omitempty"`  // records before Next that went to the target's partitions in turn
	Beyond    []Range `json:"beyond,omitempty"` // what is acknowledged at or after Next, in order
	Marks     []Mark  `json:"marks,omitempty"`  // where the target has what is acknowledged
}

func (p Partition) source() format.TopicPartition {
	return format.TopicPartition{Topic: p.Topic, Partition: p.Partition}
}

// Mark says where the target has the records between two committed offsets of groups. Several of one From and Target count together.
type Mark struct {
	From   int64 `json:"from"`   // where the records begin in the archive; -1: before all committed offsets
	Target int32 `json:"target"` // partition
	First  int64 `json:"first"`  // offset in the target
	Last   int64 `json:"last"`
}

// Range counts acknowledged records with offsets in [From, Until): all the selected ones there are.
type Range struct {
	From    int64 `json:"from"`
	Until   int64 `json:"until"`
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"`
}
