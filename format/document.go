package format

import (
	"github.com/karchive/karchive/format/ledger"
	"github.com/karchive/karchive/format/origin"
)

// Document describes a segment. It is the JSON text under the key "karchive" in the footer of the file, protected by the digest
// under the key "karchive.xxh3". Readers prune by it, not by Parquet statistics, which nothing protects.
type Document struct {
	Version         string        `json:"version"`
	Topic           string        `json:"topic"`
	Partition       int32         `json:"partition"`
	BaseOffset      int64         `json:"base_offset"`       // first covered offset
	NextOffset      int64         `json:"next_offset"`       // first offset after the covered ones
	LastLeaderEpoch int32         `json:"last_leader_epoch"` // epoch of the last record or marker read; -1 unknown
	Source          origin.Source `json:"source"`
	Records         int64         `json:"records"`
	Bytes           int64         `json:"bytes"`    // canonical bytes of all records
	Control         int64         `json:"control"`  // offsets taken by transaction markers
	Filtered        int64         `json:"filtered"` // offsets left out on request
	Gaps            []ledger.Gap  `json:"gaps,omitempty"`
	Groups          []RowGroup    `json:"row_groups"`
}

// RowGroup describes one row group of a segment. Control and Filtered count the offsets between the last record of the row group
// before and the last record of this one.
type RowGroup struct {
	Records        int64       `json:"records"`
	Bytes          int64       `json:"bytes"` // canonical bytes
	FirstOffset    int64       `json:"first_offset"`
	LastOffset     int64       `json:"last_offset"`
	MinTimestampMs int64       `json:"min_timestamp_ms"`
	MaxTimestampMs int64       `json:"max_timestamp_ms"`
	Control        int64       `json:"control"`
	Filtered       int64       `json:"filtered"`
	Digest         string      `json:"digest"` // XXH3-128 of the canonical bytes of its records, in hex
	HeaderKeys     []HeaderKey `json:"header_keys,omitempty"`
}

// HeaderKey holds the exact bytes of a header key that is not valid UTF-8; the column has U+FFFD in place of the bad bytes.
type HeaderKey struct {
	Row    int64  `json:"row"`    // of the row group, from 0
	Header int    `json:"header"` // of the record, from 0
	Key    []byte `json:"base64"`
}

// Ledger accounts for the covered offsets that have no record.
func (d *Document) Ledger() ledger.Ledger {
	l := ledger.Ledger{Control: d.Control, Filtered: d.Filtered, Absent: d.NextOffset - d.BaseOffset - d.Records - d.Control - d.Filtered}
	for _, g := range d.Gaps {
		l.Absent -= g.Until - g.From
		l.AddGap(g)
	}
	return l
}
