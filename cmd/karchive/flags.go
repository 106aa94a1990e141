package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/suggest"
	"github.com/karchive/karchive/internal/units"
)

// value is a flag's value that set checks and keeps. shown is its default, for help.
type value struct {
	set     func(string) error
	shown   string
	choices []string // for completion
	blank   bool     // it may be empty, a space or a comma: text that files are read and written with
	given   string   // last; the library sets a flag's other name to it
}

// optionalValue is that of a flag which may also stand alone; that sets "".
type optionalValue struct {
	*value
	is func(word string) bool // says whether a word that follows the flag is its value
}

// Set implements flag.Value. The command line quotes what was given, so that the error need not begin with it.
func (v *value) Set(s string) error {
	v.given = s
	err := v.set(s)
	if err == nil {
		return nil
	}
	if reason, quoted := strings.CutPrefix(err.Error(), strconv.Quote(s)+": "); quoted {
		return errors.New(reason)
	}
	return err
}

// String implements flag.Value.
func (v *value) String() string {
	if v.given != "" {
		return v.given
	}
	return v.shown
}

func parsed[T any](name, usage, shown string, to *T, parse func(string) (T, error)) cli.Flag {
	set := func(s string) (err error) {
		*to, err = parse(s)
		return err
	}
	return &cli.GenericFlag{Name: name, Usage: usage, DefaultText: shown, Value: &value{set: set, shown: shown}}
}

// valueOf is the value of a flag that this program checks; nil: it has none, or the library has it.
func valueOf(f cli.Flag) *value {
	g, ok := f.(*cli.GenericFlag)
	if !ok {
		return nil
	}
	switch v := g.Value.(type) {
	case *value:
		return v
	case optionalValue:
		return v.value
	}
	return nil
}

// mayBeBlank lets a flag's value be empty, a space or a comma.
func mayBeBlank(flag cli.Flag) cli.Flag {
	valueOf(flag).blank = true
	return flag
}

// withAlias gives a parsed flag a second name.
func withAlias(alias string, flag cli.Flag) cli.Flag {
	flag.(*cli.GenericFlag).Aliases = []string{alias}
	return flag
}

func sizeFlag(name, usage, shown string, to *int64) cli.Flag {
	return parsed(name, usage, shown, to, positive(units.ParseSize, shown))
}

func countFlag(name, usage, shown string, to *int64) cli.Flag {
	return parsed(name, usage, shown, to, positive(units.ParseCount, shown))
}

func durationFlag(name, usage, shown string, to *time.Duration) cli.Flag {
	return parsed(name, usage, shown, to, positive(units.ParseDuration, shown))
}

// positive refuses 0. A script's variable holds it when nothing is wanted, and an option of 0 is not given: that would be the opposite.
func positive[T int64 | time.Duration](parse func(string) (T, error), shown string) func(string) (T, error) {
	return func(s string) (T, error) {
		n, err := parse(s)
		if err == nil && n == 0 {
			err = fmt.Errorf("it must be more than 0; without the flag: %s", shown)
		}
		return n, err
	}
}

// choiceFlag takes one of a few words. The first is the default.
func choiceFlag(name, usage string, to *string, choices ...string) cli.Flag {
	*to = choices[0]
	set := func(s string) error {
		if !slices.Contains(choices, s) {
			return notAChoice(s, choices)
		}
		*to = s
		return nil
	}
	return &cli.GenericFlag{Name: name, Usage: usage, DefaultText: choices[0], Value: &value{set: set, shown: choices[0], choices: choices}}
}

// wordFlag takes one of a few words, and may not be given at all: to is then empty, and shown says what that means.
func wordFlag(name, usage, shown string, to *string, choices ...string) cli.Flag {
	var chosen string
	choice := choiceFlag(name, usage, &chosen, choices...).(*cli.GenericFlag)
	v := choice.Value.(*value)
	set := v.set
	v.set = func(s string) error {
		err := set(s)
		*to = chosen
		return err
	}
	choice.DefaultText, v.shown = shown, shown
	return choice
}

// numberFlag takes a whole number from low to high.
func numberFlag(name, usage, shown string, to *int, low, high int) cli.Flag {
	return parsed(name, usage, shown, to, func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < low || n > high {
			return 0, fmt.Errorf("not a number from %d to %d", low, high)
		}
		return n, nil
	})
}

func notAChoice(s string, choices []string) error {
	text := "not one of " + strings.Join(choices, ", ")
	if near := suggest.Nearest(s, choices); near != "" {
		text += " (did you mean " + near + "?)"
	}
	return errors.New(text)
}

// formatFlag is --format, of every command whose result a program may read.
func formatFlag(to *string) cli.Flag {
	return choiceFlag("format", "how to print the result: `text` or json", to, "text", "json")
}

func quietFlag(e *env) cli.Flag {
	return &cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "no progress and no remarks, only results, warnings and errors", Destination: &e.quiet}
}

// oneArgument is the only argument of a command, what being its name in help.
func oneArgument(c *cli.Context, what string) (string, error) {
	switch args := c.Args().Slice(); len(args) {
	case 1:
		if args[0] == "" {
			return "", usage("%s is empty", what)
		}
		return args[0], nil
	case 0:
		return "", &usageError{"karchive " + c.Command.Name + " needs " + what, "karchive help " + c.Command.Name + " shows examples"}
	default:
		return "", unexpected(c.Command.Name, "a second argument")
	}
}

func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return unexpected(c.Command.Name, "an argument")
	}
	return nil
}

// unexpected does not repeat the argument: it may be a secret behind a space that should not be there.
func unexpected(command, what string) error {
	return &usageError{"karchive " + command + " does not take " + what, "karchive help " + command + " says what it takes"}
}

// maxLanes bounds --lanes: more partitions at once than this cost memory and bring nothing.
const maxLanes = 1024
