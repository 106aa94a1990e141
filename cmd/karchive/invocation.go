package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/connect"
)

// invocation says in a report how it was made, and holds nothing that may be a secret or somebody's data.
type invocation struct {
	MadeBy   string   `json:"made_by"`
	Command  []string `json:"command"`  // the words of the command line, with … for what is not shown
	Settings []string `json:"settings"` // of the connection, by name: those of its files and of the environment, too
}

// notShown stands for the value of a flag.
const notShown = "…"

// unshown are flags whose values are not shown beside those of the connection, of masks and the like: text goes astray there.
var unshown = append([]string{"topic-config", "metrics", "filter", "rename", "remove", "key", "value"}, secretive...)

// invoked says how a command was called; settings are the names of those of its connection.
func (e *env) invoked(settings []string) invocation {
	i := invocation{MadeBy: madeBy(), Command: []string{"karchive"}, Settings: settings}
	flags := true
	for n, word := range e.invokedAs.args {
		switch {
		case flags && word == "--":
			flags = false
		case n > 0 && flags:
			i.Command = append(i.Command, e.invokedAs.shownFlag(word))
		case !flags && strings.HasPrefix(word, "-") && word != "-":
			i.Command = append(i.Command, "--", word)
		default:
			i.Command = append(i.Command, withoutQuery(word))
		}
	}
	return i
}

// shownFlag is a flag as it was given, with its value if that may be shown.
func (l *commandLine) shownFlag(word string) string {
	name, value, hasValue, _ := parseFlag(word)
	f := findFlag(l.command, name)
	switch {
	case !hasValue || f == nil:
		return dashed(name)
	case name == "X":
		return "-X " + settingName(value) + "=" + notShown
	case !takesValue(f):
		return word
	case isConnection(f) || slices.Contains(unshown, name):
		return dashed(name) + " " + notShown
	}
	return dashed(name) + " " + value
}

func isConnection(f cli.Flag) bool {
	c, ok := f.(cli.CategorizableFlag)
	return ok && c.GetCategory() == connectionCategory
}

func settingName(setting string) string {
	if !connect.IsSetting(setting) {
		return notShown
	}
	name, _, _ := strings.Cut(setting, "=")
	return name
}

// withoutQuery is an argument without what behind a ? of an address may let somebody in.
func withoutQuery(word string) string {
	scheme, rest, isAddress := strings.Cut(word, "://")
	if !isAddress {
		return word
	}
	rest, query, _ := strings.Cut(rest, "?")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = notShown + rest[at:]
	}
	if query != "" {
		rest += "?" + notShown
	}
	return scheme + "://" + rest
}
