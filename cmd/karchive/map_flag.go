package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/suggest"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/selection"
)

// mapFlag is --map: rules that rename topics, one or a list at a time, in the order in which they are given.
func mapFlag[T any](usage string, to *[]T, parse func(string) (T, error)) cli.Flag {
	return repeatedSet("map", usage+"; repeatable, or a list with commas; the first that matches counts", "", func(s string) error {
		for _, text := range splitRules(s) {
			one, err := parse(text)
			if err != nil {
				return err
			}
			*to = append(*to, one)
		}
		return nil
	})
}

// warnUnused says which rules rename none of the topics that archives have, selected or not: they are probably misspelled.
func (e *env) warnUnused(m routing.Mapping, archives ...*format.Archive) {
	topics := selection.TopicsOf(archives...)
	for _, r := range m.Unused(topics) {
		e.warnRule(r.String(), topics)
	}
}

// warnRule says that a rule, OLD:=NEW, is of no use.
func (e *env) warnRule(rule string, topics []string) {
	old, _, _ := strings.Cut(rule, ":=")
	hint := ""
	if near := suggest.Nearest(old, topics); near != "" && near != old {
		hint = "; did you mean " + near + "?"
	}
	e.warnf("--map %s renames no topic%s", rule, hint)
}

// splitRules cuts a list behind each rule. A comma before := is no end: it is in the path of an archive.
func splitRules(list string) (rules []string) {
	begin := 0
	for i, c := range list {
		if c == ',' && strings.Contains(list[begin:i], ":=") {
			rules, begin = append(rules, strings.TrimSpace(list[begin:i])), i+1
		}
	}
	return append(rules, strings.TrimSpace(list[begin:]))
}
