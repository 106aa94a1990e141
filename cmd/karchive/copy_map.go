package main

import (
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/copying"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/selection"
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
	m := o.mapping(archive)
	if len(m) == 0 {
		return nil
	}
	return m.Topic
}

// mapping is the rules that are about an archive.
func (o *copyOptions) mapping(archive string) (m routing.Mapping) {
	for _, r := range o.maps {
		if r.archive == "" || r.archive == archive {
			m = append(m, r.rule)
		}
	}
	return m
}

// warnUnused says which rules rename no topic of any archive that they are about.
func (o *copyOptions) warnUnused(e *env, inputs []copying.Input) {
	for _, r := range o.maps {
		unused := func(in copying.Input) bool {
			return r.archive != "" && r.archive != in.Name || slices.Contains(o.mapping(in.Name).Unused(selection.TopicsOf(in.Archive)), r.rule)
		}
		if !slices.ContainsFunc(inputs, func(in copying.Input) bool { return !unused(in) }) {
			e.warnRule(r.String(), selection.TopicsOf(archivesOf(inputs)...))
		}
	}
}

// String spells the rule as parseCopyRule reads it.
func (r copyRule) String() string {
	if r.archive == "" {
		return r.rule.String()
	}
	return r.archive + "/" + r.rule.String()
}
