package main

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/suggest"
)

// parseFlag reads -name, --name and --name=value, and -Xkey=value as kcat's users write it.
func parseFlag(arg string) (name, value string, hasValue, isFlag bool) {
	if len(arg) < 2 || arg[0] != '-' || arg == "--" {
		return "", "", false, false
	}
	if setting, ok := strings.CutPrefix(arg, "-X"); ok && setting != "" && setting[0] != '=' {
		return "X", setting, true, true
	}
	name, value, hasValue = strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
	return name, value, hasValue, true
}

func findFlag(c *cli.Command, name string) cli.Flag {
	i := slices.IndexFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	if i < 0 {
		return nil
	}
	return c.Flags[i]
}

func takesValue(f cli.Flag) bool {
	doc, ok := f.(cli.DocGenerationFlag)
	return ok && doc.TakesValue()
}

// takesNext says whether the first of the words after a flag is its value.
func takesNext(f cli.Flag, after []string) bool {
	if !takesValue(f) || len(after) == 0 {
		return false
	}
	isValue := optional(f)
	return isValue == nil || isValue(after[0])
}

// optional is that of a flag's value; nil: the flag needs one.
func optional(f cli.Flag) func(string) bool {
	if g, ok := f.(*cli.GenericFlag); ok {
		if v, ok := g.Value.(optionalValue); ok {
			return v.is
		}
	}
	return nil
}

// flagName is what a flag looks like that may be repeated though nobody knows it. Passwords follow a single dash elsewhere, as in -pSECRET.
var flagName = regexp.MustCompile(`^--[a-z]{2,12}(-[a-z]{2,12}){0,4}$`)

func (l *commandLine) unknownFlag(arg, name string) error {
	arg, _, _ = strings.Cut(arg, "=")
	names := []string{"help"}
	for _, f := range l.command.Flags {
		names = append(names, f.Names()...)
	}
	if suggest.Nearest(name, names) == "" && !flagName.MatchString(arg) {
		arg = "(not shown, as it may be a secret)"
	}
	e := usage("karchive %s has no flag %s", l.command.Name, arg)
	e.hint = "karchive help " + l.command.Name + " lists its flags"
	if s := cmp.Or(suggest.Nearest(name, names), begun(name, names)); s != "" {
		e.hint = "did you mean " + dashed(s) + "?"
	}
	return e
}

// begun is the one name that goes on behind a word: last-per-partition for last. Empty: there is none, or more than one.
func begun(word string, names []string) string {
	long := func(name string) bool { return strings.HasPrefix(name, word+"-") }
	i := slices.IndexFunc(names, long)
	if i < 0 || slices.ContainsFunc(names[i+1:], long) {
		return ""
	}
	return names[i]
}

func (l *commandLine) missingValue(arg string) error {
	return &usageError{"flag " + arg + " needs a value", "karchive help " + l.command.Name + " says what it takes"}
}

// isEmpty says whether a value is nothing, or a list of nothing. It comes from a script's variable that is not set, and must not mean that the flag was
// not given: that would select everything.
func isEmpty(f cli.Flag, value string) bool {
	v := valueOf(f)
	return strings.Trim(value, ", \t\r\n") == "" && (v == nil || !v.blank)
}

func (l *commandLine) emptyValue(f cli.Flag) error {
	return &usageError{"the value of " + dashed(f.Names()[0]) + " is empty", "leave the flag out, or give what karchive help " + l.command.Name + " says"}
}

// dashed spells a flag's name with its dashes.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
