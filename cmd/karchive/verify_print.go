package main

import (
	"github.com/karchive/karchive/internal/printable"
	"github.com/karchive/karchive/internal/units"
)

func (v *verification) print(e *env, how string) error {
	if how == "json" {
		return printJSON(e.stdout, v)
	}
	for _, b := range v.Bad {
		for _, p := range b.Problems {
			if _, err := printable.Fprintf(e.text, "%s: %s\n", b.Path, p); err != nil {
				return err
			}
		}
	}
	contents := units.Of(v.Records, "record") + " in " + units.Size(v.Bytes) + " of segments"
	checked := contents + ", hashes and footers checked"
	switch {
	case v.unread:
		checked = units.Size(v.Bytes) + ", hashes checked, and nothing else"
	case v.Deep:
		checked = contents + ", hashes, footers and every record checked"
	}
	verdict := "all right"
	switch n := len(v.Bad); {
	case n > 0:
		verdict = units.Of(int64(n), "bad file")
	case v.Packed != nil && len(v.Packed.Missing) > 0:
		verdict = "sound, but " + units.Of(int64(len(v.Packed.Missing)), "part") + " missing"
	case v.Packed != nil && v.Packed.Since != "":
		verdict = "all right as far as it goes: the rest is presumed where it is unpacked"
	case v.Completeness != nil && !v.Completeness.Complete:
		verdict = "sound, but " + v.Completeness.verdict()
	}
	if v.Completeness != nil {
		if err := v.Completeness.print(e.text); err != nil {
			return err
		}
	}
	_, err := printable.Fprintf(e.text, "%s: %s, %s\n", verdict, units.Of(int64(v.Files), "file"), checked)
	return err
}
