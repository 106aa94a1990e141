package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/connect"
	"github.com/karchive/karchive/internal/suggest"
)

// commandLine is a command line in the order that urfave/cli wants: the command, its flags, "--", its arguments.
type commandLine struct {
	command *cli.Command // nil: none, which asks for the program's help
	args    []string
	help    bool
}

// arrange reads args, in which flags, arguments and the command's name come in any order, and refuses names that do not exist.
// Everything after "--" is an argument.
func arrange(commands []*cli.Command, args []string) (commandLine, error) {
	if err := checkSettings(commands, args); err != nil {
		return commandLine{}, err
	}
	at := commandIndex(commands, args)
	if at < 0 {
		return noCommand(args)
	}
	c, err := findCommand(commands, args[at])
	if err != nil {
		return commandLine{}, err
	}
	line := commandLine{command: c}
	flags, arguments, err := line.split(slices.Delete(slices.Clone(args), at, at+1))
	if err != nil {
		return commandLine{}, err
	}
	line.args = slices.Concat([]string{c.Name}, flags, []string{"--"}, arguments)
	return line, nil
}

// checkSettings refuses -X KEY VALUE before anything is made of the VALUE: as a command or an argument it would be repeated, and it may be
// a secret.
func checkSettings(commands []*cli.Command, args []string) error {
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		name, value, hasValue, isFlag := parseFlag(args[i])
		if !isFlag || hasValue && name != "X" {
			continue
		}
		takes := slices.ContainsFunc(commands, func(c *cli.Command) bool { return takesNext(findFlag(c, name), args[i+1:]) })
		if !hasValue && takes {
			i++
			value = args[i]
		}
		if name == "X" && (hasValue || takes) {
			if err := checkSetting(value, args[i+1:]); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkSetting(setting string, after []string) error {
	key, value, ok := strings.Cut(setting, "=")
	switch {
	case !ok:
		return &usageError{"-X without a = in its value", "write -X key=value"}
	case value == "" && connect.IsSecret(strings.TrimSpace(key)) && len(after) > 0 && !strings.HasPrefix(after[0], "-"):
		return &usageError{"-X with a secret that is empty, and something behind it", "write -X key=value without a space"}
	}
	return nil
}

// shown is a word that was given where one of a few known ones belongs: in quotes when it is like one of them, else only described. Any other
// may be a secret in the wrong place.
func shown(word string, known []string) string {
	if suggest.Nearest(word, known) == "" {
		return "(not shown, as it may be a secret)"
	}
	return strconv.Quote(word)
}

// noCommand is a line of flags alone.
func noCommand(args []string) (commandLine, error) {
	for _, a := range args {
		switch a {
		case "-h", "-help", "--help":
			return commandLine{help: true}, nil
		case "-v", "-version", "--version":
			return commandLine{args: []string{"version"}}, nil
		}
	}
	return commandLine{}, &usageError{"no command given", "karchive help lists the commands"}
}

// commandIndex finds the first word that is neither a flag nor the value of one. Where a flag takes a value in one command and none in another,
// the name of a command in which it takes none is no value of it.
func commandIndex(commands []*cli.Command, args []string) int {
	for i := 0; i < len(args); i++ {
		name, _, hasValue, isFlag := parseFlag(args[i])
		switch {
		case args[i] == "--":
			return -1
		case !isFlag:
			return i
		case !hasValue && takesWord(commands, name, args[i+1:]):
			i++
		}
	}
	return -1
}

// takesWord says whether the word after a flag is its value, before it is known whose flag it is.
func takesWord(commands []*cli.Command, name string, after []string) bool {
	takes := func(c *cli.Command) bool { return takesNext(findFlag(c, name), after) }
	names := func(c *cli.Command) bool {
		f := findFlag(c, name)
		return len(after) > 0 && after[0] == c.Name && f != nil && !takesNext(f, after)
	}
	return slices.ContainsFunc(commands, takes) && !slices.ContainsFunc(commands, names)
}

func findCommand(commands []*cli.Command, name string) (*cli.Command, error) {
	var names []string
	for _, c := range commands {
		if c.Name == name {
			return c, nil
		}
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	e := usage("unknown command %s", shown(name, names))
	e.hint = "karchive help lists the commands"
	if s := suggest.Nearest(name, names); s != "" {
		e.hint = "did you mean karchive " + s + "?"
	}
	return nil, e
}

// split parts flags, each with its value, from arguments.
func (l *commandLine) split(args []string) (flags, arguments []string, err error) {
	for i := 0; i < len(args); i++ {
		name, value, hasValue, isFlag := parseFlag(args[i])
		switch {
		case args[i] == "--":
			return flags, append(arguments, args[i+1:]...), nil
		case !isFlag && connect.IsSetting(args[i]):
			return nil, nil, &usageError{"an argument is a setting of the connection, and is not shown, as it may be a secret", "write -X key=value, with a file as @FILE"}
		case !isFlag:
			arguments = append(arguments, args[i])
			continue
		case name == "h" || name == "help":
			l.help = true
			continue
		}
		f := findFlag(l.command, name)
		switch {
		case f == nil:
			return nil, nil, l.unknownFlag(args[i], name)
		case !takesValue(f):
			if _, err := strconv.ParseBool(value); hasValue && err != nil {
				return nil, nil, usage("flag %s takes no value", dashed(f.Names()[0]))
			}
			flags = append(flags, args[i])
			continue
		case !hasValue && !takesNext(f, args[i+1:]) && optional(f) == nil:
			return nil, nil, l.missingValue(args[i])
		case !hasValue && takesNext(f, args[i+1:]):
			i++
			value = args[i]
		}
		if optional(f) == nil && isEmpty(f, value) {
			return nil, nil, l.emptyValue(f)
		}
		flags = append(flags, "--"+f.Names()[0]+"="+value)
	}
	return flags, arguments, nil
}
