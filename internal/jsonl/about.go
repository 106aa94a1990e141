package jsonl

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/strictjson"
)

// About is a line that tells of an archive what its records do not. One of its fields is set.
type About struct {
	Archive *Archive `json:"archive,omitempty"`
	Covered *Covered `json:"covered,omitempty"`
}

// Archive is what there is to tell of all of it.
type Archive struct {
	ClusterID string         `json:"cluster_id"`
	Topics    []origin.Topic `json:"topics"`
	Capture   *origin.Plan   `json:"capture,omitempty"`
}

// Covered is what is covered of a partition, and why offsets have no record.
type Covered struct {
	Topic       string        `json:"topic"`
	Partition   int32         `json:"partition"`
	From        int64         `json:"from"`
	Next        int64         `json:"next"`         // first offset behind the covered ones
	LeaderEpoch int32         `json:"leader_epoch"` // of what was there last
	Control     int64         `json:"control"`
	Filtered    int64         `json:"filtered"`
	Gaps        []ledger.Gap  `json:"gaps,omitempty"`
	Source      origin.Source `json:"source"`
}

// AppendAbout appends a line.
func AppendAbout(dst []byte, about *About) ([]byte, error) {
	text, err := json.Marshal(about)
	if err != nil {
		return dst, err
	}
	return append(printable.AppendJSON(dst, text), '\n'), nil
}

// ParseAbout reads a line that AppendAbout made; nil when it is not one.
func ParseAbout(line []byte) (*About, error) {
	line = bytes.TrimSpace(line)
	if !bytes.HasPrefix(line, []byte(`{"archive":`)) && !bytes.HasPrefix(line, []byte(`{"covered":`)) {
		return nil, nil
	}
	var about About
	if err := strictjson.Unmarshal(line, &about); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLine, err)
	}
	if (about.Archive == nil) == (about.Covered == nil) {
		return nil, fmt.Errorf("%w: it tells of an archive and of a partition", ErrLine)
	}
	return &about, nil
}
