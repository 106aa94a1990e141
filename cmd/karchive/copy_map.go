package main

import (
	"strings"

	"github.com/karchive/karchive/replay/routing"
)

// copyRule renames topics, of one archive or of all.
type copyRule struct {
	archive string // as it is given; empty: all
	rule    routing.Rule
}

// parseCopyRule reads OLD:=NEW and ARCHIVE/OLD:=NEW. Topics hold no slash.
func parseCopyRule(s string) (copyRule, error) {
	var r copyRule
	before, to, ok := strings.Cut(s, ":=")
	if i := strings.LastIndexByte(before, '/'); ok && i >= 0 {
		r.archive, s = before[:i], before[i+1:]+":="+to
	}
	var err error
	r.rule, err = routing.ParseRule(s)
	return r, err
}

// renaming gives the topics of an archive their new names; nil keeps them.
func (o *copyOptions) renaming(archive string) func(string) (string, error) {
	var m routing.Mapping
	for _, r := range o.maps {
		if r.archive == "" || r.archive == archive {
			m = append(m, r.rule)
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m.Topic
}
