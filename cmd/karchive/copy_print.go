package main

import (
	"io"
	"time"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
)

// copied is what copy prints, and its JSON form.
type copied struct {
	Archives      []string        `json:"archives"`
	Output        string          `json:"output"`
	Encoding      format.Encoding `json:"encoding"`
	Partitions    int             `json:"partitions"`
	Segments      int             `json:"segments"`
	Records       int64           `json:"records"`
	Bytes         int64           `json:"bytes"` // canonical
	Disk          int64           `json:"disk_bytes"`
	LeftOut       int64           `json:"left_out_records"`
	CopiedFiles   int64           `json:"copied_segments"`
	CopiedGroups  int64           `json:"copied_row_groups"`
	DecodedGroups int64           `json:"decoded_row_groups"`
	Elapsed       time.Duration   `json:"elapsed_ns"`

	Reshaped     *reshaped     `json:"reshaped,omitempty"`
	Completeness *completeness `json:"completeness"` // of the new archive
	// Unlisted are segments that the SHA256SUMS of their archive does not list, taken all the same, by the place of the archive.
	Unlisted map[string][]string `json:"unlisted,omitempty"`
	// Requests are what was asked of buckets, by the place of the archive.
	Requests map[string]bucket.Requests `json:"requests,omitempty"`
}

func (c *copied) report(e *env, how string) error {
	c.Requests = e.allRequests()
	if how == "json" {
		return printJSON(e.stdout, c)
	}
	if err := c.Reshaped.write(e.text); err != nil {
		return err
	}
	return c.print(e.text)
}

func (c *copied) print(w io.Writer) error {
	_, err := printable.Fprintf(w, "copied %s, %s, in %s (%s %s on disk) in %s (%s/s); %s left out; %s copied as files, %s as bytes, %s decoded\n",
		units.Of(c.Records, "record"), units.Size(c.Bytes), units.Of(int64(c.Segments), "segment"), c.Encoding, units.Size(c.Disk),
		units.Duration(c.Elapsed), units.Size(units.Rate(c.Bytes, c.Elapsed)), units.Count(c.LeftOut),
		units.Of(c.CopiedFiles, "segment"), units.Of(c.CopiedGroups, "row group"), units.Count(c.DecodedGroups))
	return err
}
