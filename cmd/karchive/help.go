package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/connect"
	"github.com/karchive/karchive/internal/reshape"
	"github.com/karchive/karchive/internal/suggest"
)

const summary = `karchive takes records out of Kafka into files that anyone can open, and puts them back exactly as they were.`

// topics are what help explains beside commands.
var topics = map[string]string{
	"connection": connect.Help,
	"filter":     reshape.FilterHelp,
	"reshape":    reshapeHelp,
	"schemas":    schemasHelp,
	"positions": `A point in time or in the log, for --from (inclusive) and --until (exclusive):

  beginning              the first record there is
  end                    past the last record there is
  offset:1200            that offset, in every partition
  @1700000000000         milliseconds since 1970
  2026-03-01             midnight in UTC
  2026-03-01T12:00:00Z   RFC 3339
  2026-03-01 12:00       the same in UTC, also with a T and with seconds
  -2h, -7d, -1d12h       a distance back from now
  end-10m                a distance back from the newest record there is

Capture turns times into offsets once, as the cluster names them. Commands on archives compare each record's timestamp.
`,
}

func helpCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:        "help",
		Usage:       "explain a command or a topic",
		ArgsUsage:   "[COMMAND|TOPIC]",
		Description: "Topics: " + topicNames(),
		Action: func(c *cli.Context) error {
			commands := e.commands()
			if !c.Args().Present() {
				return e.help(e.text, commands, nil)
			}
			name, err := oneArgument(c, "one COMMAND or TOPIC")
			if err != nil {
				return err
			}
			if text, ok := topics[name]; ok {
				_, err := io.WriteString(e.text, wrap(text, e.text.helpWidth()))
				return err
			}
			command, err := findHelp(commands, name)
			if err != nil {
				return err
			}
			return e.help(e.text, commands, command)
		},
	}
}

func topicNames() string { return strings.Join(slices.Sorted(maps.Keys(topics)), ", ") }

func findHelp(commands []*cli.Command, name string) (*cli.Command, error) {
	command, err := findCommand(commands, name)
	if s := suggest.Nearest(name, slices.Collect(maps.Keys(topics))); err != nil && s != "" {
		return nil, &usageError{err.Error(), "did you mean karchive help " + s + "?"}
	}
	return command, err
}

// help prints the help of one command, or of the program.
func (e *env) help(w screen, commands []*cli.Command, command *cli.Command) error {
	var b strings.Builder
	if command == nil {
		programHelp(&b, commands)
	} else {
		commandHelp(&b, command)
	}
	if !namesExitCodes(command) {
		fmt.Fprintf(&b, exitCodesTitle+"%s.\n", exitCodesOf(command))
	}
	_, err := io.WriteString(w, wrap(b.String(), w.helpWidth()))
	return err
}

func programHelp(b *strings.Builder, commands []*cli.Command) {
	fmt.Fprintf(b, "%s\n\nUsage: karchive COMMAND [FLAGS] [ARGUMENTS], in any order\n\nCommands:\n", summary)
	for _, c := range commands {
		if !c.Hidden {
			fmt.Fprintf(b, "  %-12s %s\n", c.Name, c.Usage)
		}
	}
	fmt.Fprintf(b, `
Examples:
  karchive capture -b localhost:9092 -t orders,payments-* -o run1
  karchive info run1
  karchive replay run1 -b localhost:9093 --create-topics

karchive help COMMAND explains a command, karchive help TOPIC a topic: %s.
Everything but results goes to stderr.
`, topicNames())
}

func commandHelp(b *strings.Builder, c *cli.Command) {
	fmt.Fprintf(b, "karchive %s: %s\n\nUsage: karchive %s\n", c.Name, c.Usage, strings.TrimSpace(c.Name+" "+c.ArgsUsage))
	if c.Description != "" {
		fmt.Fprintf(b, "\n%s\n", strings.TrimSpace(c.Description))
	}
	for _, group := range flagGroups(c) {
		fmt.Fprintf(b, "\n%s:\n", group.title)
		for _, f := range group.flags {
			flagHelp(b, f)
		}
	}
}

// flagGroup is the flags of a command that stand under one title.
type flagGroup struct {
	title string
	flags []cli.DocGenerationFlag
}

// flagGroups are the flags of a command by title, in the order in which each title comes first.
func flagGroups(c *cli.Command) []flagGroup {
	var groups []flagGroup
	for _, f := range c.VisibleFlags() {
		title := categoryOf(f)
		i := slices.IndexFunc(groups, func(g flagGroup) bool { return g.title == title })
		if i < 0 {
			i, groups = len(groups), append(groups, flagGroup{title: title})
		}
		groups[i].flags = append(groups[i].flags, f.(cli.DocGenerationFlag))
	}
	return groups
}

func categoryOf(f cli.Flag) string {
	if c, ok := f.(cli.CategorizableFlag); ok && c.GetCategory() != "" {
		return c.GetCategory()
	}
	return "Flags"
}

// helpColumn is where the text of flags begins; a longer flag gets a line of its own.
const helpColumn = 30

func flagHelp(b *strings.Builder, f cli.DocGenerationFlag) {
	left, text := flagColumns(f)
	if len(left) >= helpColumn-1 {
		left += "\n" + strings.Repeat(" ", helpColumn)
	}
	fmt.Fprintf(b, "%-*s%s\n", helpColumn, left, text)
}

// flagColumns are how a flag is typed, and what it does.
func flagColumns(f cli.DocGenerationFlag) (left, text string) {
	placeholder, text := unquote(f.GetUsage())
	names := f.Names()
	left = "      " + dashed(names[0])
	if len(names[0]) == 1 {
		left = "  " + dashed(names[0])
	}
	if len(names) > 1 {
		left = "  " + dashed(names[1]) + ", " + dashed(names[0])
	}
	if f.TakesValue() {
		left += " " + placeholder
	}
	if d := f.GetDefaultText(); d != "" && f.TakesValue() {
		text += " (default: " + strings.Trim(d, `"`) + ")"
	}
	return left, text
}

// unquote finds the placeholder that a usage text has in back quotes. In upper case it is only that; a word in lower case is a choice
// and stays in the text.
func unquote(usage string) (placeholder, text string) {
	before, rest, _ := strings.Cut(usage, "`")
	placeholder, after, ok := strings.Cut(rest, "`")
	switch {
	case !ok:
		return "VALUE", usage
	case placeholder == strings.ToUpper(placeholder):
		return placeholder, before + placeholder + after
	}
	return "WORD", before + placeholder + after
}
