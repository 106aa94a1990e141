package replay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay/internal/checkpoint"
	"github.com/karchive/karchive/selection"
)

// Checkpoint keeps what a replay had acknowledged, so that it can go on: a JSON document, which only the replay needs to understand. Its methods
// are called one at a time.
type Checkpoint interface {
	// Load returns what was saved last, or nil when nothing was.
	Load(ctx context.Context) ([]byte, error)
	// Save keeps a document in place of the one before. A crash at any moment leaves one of the two, whole. It does not keep the slice.
	Save(ctx context.Context, document []byte) error
}

// NewProgressFile returns a checkpoint in the JSON file called name, which need not exist. Its directory must. Save replaces the file as a
// whole: at any moment it is the old state or the new one. Two replays must not share one at the same time.
func NewProgressFile(name string) Checkpoint { return checkpoint.File(name) }

// identity is what a checkpoint belongs to.
type identity struct {
	archiveID string
	shape     map[string]string // the options that shape what is sent, as they are spelled
	groups    string            // what marks are kept for; empty: none are
}

func newIdentity(o *Options, r rules) identity {
	partitions := make([]string, len(o.Partitions))
	for i, p := range o.Partitions {
		partitions[i] = strconv.Itoa(int(p))
	}
	id := identity{archiveID: r.archiveID, shape: map[string]string{
		"topics":      strings.Join(o.Topics, ","),
		"partitions":  strings.Join(partitions, ","),
		"from":        o.From.String(),
		"until":       o.Until.String(),
		"limit":       strconv.FormatInt(o.Limit, 10),
		"map":         o.Mapping.String(),
		"partitioner": o.Partitioner.String(),
		"timestamps":  string(o.Timestamps),
		"rules":       r.id(),
	}}
	if o.Shard.Divides() { // without, ids stay those of older versions
		id.shape[shardOption] = o.Shard.String()
	}
	return id
}

// shardOption is the one option that not every checkpoint has.
const shardOption = "shard"

// replayID is the same for the same archive and the same options that shape what is sent, and another for others.
func (id identity) replayID() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", id.archiveID)
	for _, name := range slices.Sorted(maps.Keys(id.shape)) {
		fmt.Fprintf(h, "%q=%q\n", name, id.shape[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// differs compares what a checkpoint belongs to; nil: it is this replay's.
func (id identity) differs(saved *checkpoint.State, target *cluster) *MismatchError {
	if saved.ArchiveID != id.archiveID {
		return &MismatchError{What: "archive", Saved: saved.ArchiveID, Now: id.archiveID}
	}
	if saved.ClusterID != target.id {
		return &MismatchError{What: "target cluster", Saved: saved.ClusterID, Now: target.id}
	}
	for _, name := range slices.Sorted(maps.Keys(union(saved.Options, id.shape))) { // also what a newer program knows
		if saved.Options[name] != id.shape[name] {
			return &MismatchError{What: name, Saved: saved.Options[name], Now: id.shape[name]}
		}
	}
	if id.groups != "" && saved.Groups != id.groups { // it has not noted where the records went
		return &MismatchError{What: "groups", Saved: saved.Groups, Now: id.groups}
	}
	for _, topic := range slices.Sorted(maps.Keys(saved.TopicIDs)) {
		if now := target.topics[topic].id; now != saved.TopicIDs[topic] {
			return &MismatchError{What: "topic id of " + topic, Saved: saved.TopicIDs[topic], Now: now}
		}
	}
	return nil
}

// union has what either has.
func union(a, b map[string]string) map[string]string {
	all := maps.Clone(b)
	maps.Copy(all, a)
	return all
}

// state is that of a replay into target, without partitions.
func (id identity) state(plan *Plan, window format.Selection, target *cluster) *checkpoint.State {
	from, until := windowText(window)
	st := &checkpoint.State{
		ArchiveID: id.archiveID, ClusterID: target.id, Options: id.shape, Groups: id.groups, From: from, Until: until,
		TopicIDs: make(map[string]string), Partitions: []checkpoint.Partition{},
	}
	for _, t := range plan.Topics {
		if id := target.topics[t.Target].id; id != "" {
			st.TopicIDs[t.Target] = id
		}
	}
	return st
}

// windowText spells a window as savedWindow reads it.
func windowText(w format.Selection) (from, until string) {
	start, end := selection.Beginning, selection.End
	switch {
	case !w.From.IsZero():
		start = selection.AtTime(w.From)
	case w.FromOffset != 0:
		start = selection.AtOffset(w.FromOffset)
	}
	switch {
	case !w.Until.IsZero():
		end = selection.AtTime(w.Until)
	case w.UntilOffset != 0:
		end = selection.AtOffset(w.UntilOffset)
	}
	return start.String(), end.String()
}

func savedWindow(saved *checkpoint.State) (w format.Selection, err error) {
	from, err := selection.ParsePosition(saved.From)
	if err != nil {
		return w, fmt.Errorf("saved progress: from %w", err)
	}
	until, err := selection.ParsePosition(saved.Until)
	if err != nil {
		return w, fmt.Errorf("saved progress: until %w", err)
	}
	return selection.Window(from, until, time.Time{})
}
