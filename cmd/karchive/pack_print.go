package main

import (
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
)

// packed is what pack prints, and its JSON form.
type packed struct {
	Archive  string   `json:"archive"`
	Files    []string `json:"files"`
	Contents string   `json:"contents"`
	Since    string   `json:"since,omitempty"`
	Segments int      `json:"segments"` // that are packed
	Presumed int      `json:"presumed"` // that are not
	Bytes    int64    `json:"bytes"`    // of the files
	SignedBy []string `json:"signed_by"`
	Sheet    string   `json:"sheet,omitempty"`
	Unlisted []string `json:"unlisted,omitempty"` // segments that SHA256SUMS does not list, packed all the same

	Completeness *completeness `json:"completeness"` // of the archive
}

func (r *packed) print(e *env, how string) error {
	if how == "json" {
		return printJSON(e.stdout, r)
	}
	for _, f := range r.Files {
		if _, err := printable.Fprintf(e.text, "%s\n", f); err != nil {
			return err
		}
	}
	text := units.Of(int64(r.Segments), "segment") + " in " + units.Size(r.Bytes)
	if r.Presumed > 0 {
		text += ", " + units.Of(int64(r.Presumed), "segment") + " presumed"
	}
	for _, key := range r.SignedBy {
		text += ", signed by " + key
	}
	_, err := printable.Fprintf(e.text, "packed %s: %s, contents %s\n", r.Archive, text, r.Contents)
	return err
}
