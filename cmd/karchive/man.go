package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

func manCommand(e *env) *cli.Command {
	var dir string
	return &cli.Command{
		Name:      "man",
		Usage:     "print or write manual pages",
		ArgsUsage: "[COMMAND] [-o DIR]",
		Description: `Prints the manual page of the program or of one command, or writes all of them into a directory.

Examples:
  karchive man capture | man -l -
  karchive man -o ~/.local/share/man/man1`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write all pages into `DIR`, which must exist", Destination: &dir},
		},
		Action: func(c *cli.Context) error { return e.man(c, dir) },
	}
}

func (e *env) man(c *cli.Context, dir string) error {
	commands := e.commands()
	if dir != "" {
		if err := cmp.Or(noArguments(c), checkLocalDirectory(dir)); err != nil {
			return err
		}
		return writeManPages(commands, dir)
	}
	var command *cli.Command
	if c.Args().Present() {
		name, err := oneArgument(c, "one COMMAND")
		if err != nil {
			return err
		}
		if command, err = findCommand(commands, name); err != nil {
			return err
		}
	}
	_, err := io.WriteString(e.stdout, manPage(commands, command))
	return err
}

func writeManPages(commands []*cli.Command, dir string) error {
	pages := map[string]string{"karchive.1": manPage(commands, nil)}
	for _, c := range commands {
		if !c.Hidden {
			pages["karchive-"+c.Name+".1"] = manPage(commands, c)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(pages[name]), 0o644); err != nil {
			return fmt.Errorf("write manual page: %w", err)
		}
	}
	return nil
}

// manPage is the page of a command, or of the program for nil, in roff's man macros (man(7)).
func manPage(commands []*cli.Command, command *cli.Command) string {
	var b strings.Builder
	name, usage := "karchive", summary
	if command != nil {
		name, usage = "karchive-"+command.Name, command.Usage
	}
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"%s\"\n.SH NAME\n%s \\- %s\n", strings.ToUpper(name), roff(madeBy()), name, roff(usage))
	if command == nil {
		manProgram(&b, commands)
	} else {
		manCommandPage(&b, command)
	}
	if !namesExitCodes(command) {
		fmt.Fprintf(&b, ".SH EXIT STATUS\n%s.\n", roff(exitCodesOf(command)))
	}
	return b.String()
}

func manProgram(b *strings.Builder, commands []*cli.Command) {
	b.WriteString(".SH SYNOPSIS\n.B karchive\n.I COMMAND\n[FLAGS] [ARGUMENTS]\n.SH COMMANDS\n")
	for _, c := range commands {
		if !c.Hidden {
			fmt.Fprintf(b, ".TP\n.BR karchive\\-%s (1)\n%s\n", roff(c.Name), roff(c.Usage))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		fmt.Fprintf(b, ".SH %s\n.nf\n%s\n.fi\n", strings.ToUpper(name), roff(strings.TrimSpace(topics[name])))
	}
}

func manCommandPage(b *strings.Builder, c *cli.Command) {
	fmt.Fprintf(b, ".SH SYNOPSIS\n.B karchive %s\n%s\n.SH DESCRIPTION\n", roff(c.Name), roff(c.ArgsUsage))
	text, examples, _ := strings.Cut(strings.TrimSpace(c.Description), "Examples:\n")
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		fmt.Fprintf(b, ".PP\n%s\n", roff(paragraph))
	}
	for _, group := range flagGroups(c) {
		fmt.Fprintf(b, ".SH %s\n", roff(strings.ToUpper(group.title)))
		for _, f := range group.flags {
			left, text := flagColumns(f)
			fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(left)), roff(text))
		}
	}
	if examples != "" {
		fmt.Fprintf(b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(examples))
	}
}

// roff escapes what the macros would take for their own: a backslash, a dash that is typed, and a dot or quote that begins a line.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
