package main

import (
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/diff"
	"github.com/karchive/karchive/internal/jsonl"
)

// summaryJSON is the last line of the JSON form.
type summaryJSON struct {
	Kind   string `json:"kind"`
	Equals bool   `json:"equals"`
	*diff.Report
	Whole bool     `json:"whole"` // Lacks is empty
	Lacks []string `json:"lacks"` // what was not compared, though it was to be
}

// differenceJSON is a line of the JSON form. Records are as cat prints them.
type differenceJSON struct {
	Kind    diff.Kind    `json:"kind"`
	Topic   string       `json:"topic"`
	A       rawJSON      `json:"a"`
	B       rawJSON      `json:"b"`
	Changes []changeJSON `json:"changes,omitempty"`
}

type changeJSON struct {
	Path string `json:"path"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// rawJSON is a text in JSON.
type rawJSON []byte

// MarshalJSON implements json.Marshaler.
func (r rawJSON) MarshalJSON() ([]byte, error) {
	if r == nil {
		return []byte("null"), nil
	}
	return r, nil
}

func newDifferenceJSON(x *diff.Difference) differenceJSON {
	d := differenceJSON{Kind: x.Kind, Topic: x.Topic, A: recordJSON(x.A), B: recordJSON(x.B)}
	for _, c := range x.Changes {
		d.Changes = append(d.Changes, changeJSON{c.Path, c.A, c.B})
	}
	return d
}

func recordJSON(r *diff.Located) rawJSON {
	if r == nil {
		return nil
	}
	line := jsonl.Append(nil, format.TopicPartition{Topic: r.Topic, Partition: r.Partition}, &r.Record)
	return rawJSON(strings.TrimSuffix(string(line), "\n"))
}
