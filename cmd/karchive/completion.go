package main

import (
	"embed"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// scripts teach a shell to ask the hidden command candidates what can come next.
//
//go:embed completion
var scripts embed.FS

var shells = []string{"bash", "zsh", "fish", "powershell"}

func completionCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script for completion in a shell",
		ArgsUsage: strings.Join(shells, "|"),
		Description: `Examples:
  source <(karchive completion bash)                          # in ~/.bashrc
  karchive completion zsh > "${fpath[1]}/_karchive"
  karchive completion fish > ~/.config/fish/completions/karchive.fish
  karchive completion powershell | Out-String | Invoke-Expression`,
		Action: func(c *cli.Context) error {
			shell, err := oneArgument(c, "one of "+strings.Join(shells, ", "))
			if err != nil {
				return err
			}
			script, err := fs.ReadFile(scripts, "completion/"+shell)
			if err != nil {
				return usage("shell %s: %v", shown(shell, shells), notAChoice(shell, shells))
			}
			_, err = e.stdout.Write(script)
			return err
		},
	}
}

// candidate is a word that can come next. What it means, where that is worth a line, is for the shells that show it.
type candidate struct{ word, meaning string }

func bare(words []string) []candidate {
	var list []candidate
	for _, w := range words {
		list = append(list, candidate{word: w})
	}
	return list
}

// candidatesCommand prints what can stand at the end of a command line, a word a line, behind it a tab and what it means. Nothing means:
// names of files. Its last argument is "=" and what there is of the last word: some shells drop an empty argument.
func candidatesCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:   "candidates",
		Hidden: true,
		Action: func(c *cli.Context) error {
			words, current := c.Args().Slice(), ""
			if last := len(words) - 1; last >= 0 {
				words, current = words[:last], strings.TrimPrefix(words[last], "=")
			}
			for _, c := range candidates(e.commands(), words, current) {
				if !strings.HasPrefix(c.word, current) {
					continue
				}
				line := strings.TrimSuffix(c.word+"\t"+c.meaning, "\t")
				if _, err := io.WriteString(e.text, line+"\n"); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// candidates are the words that may follow others, current being what there is of the word already.
func candidates(commands []*cli.Command, words []string, current string) []candidate {
	at := commandIndex(commands, words)
	if at < 0 {
		return visible(commands)
	}
	i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.Name == words[at] })
	if i < 0 {
		return nil
	}
	c := commands[i]
	previous := words[len(words)-1]
	if name, _, hasValue, isFlag := parseFlag(previous); isFlag && !hasValue && takesValue(findFlag(c, name)) {
		return bare(choices(findFlag(c, name)))
	}
	switch {
	case strings.HasPrefix(current, "-"):
		return flagNames(c)
	case c.Name == "completion":
		return bare(shells)
	case c.Name == "help":
		return visible(commands)
	case c.Name == "rules" && !slices.Contains(words[at+1:], rulesTest):
		return []candidate{{rulesTest, c.Usage}}
	case c.Name == "export" && !slices.Contains(words[at+1:], exportIceberg):
		return []candidate{{exportIceberg, c.Usage}}
	case c.Name == "groups" && !slices.Contains(words[at+1:], groupsRestore):
		return []candidate{{groupsRestore, c.Usage}}
	case c.Name == "import" && !namesKind(words[at+1:]):
		return bare(kindsOfFiles())
	}
	return nil
}

// namesKind says whether the kind of file to import is among the words; files follow it.
func namesKind(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(kindsOfFiles(), w) })
}

func visible(commands []*cli.Command) []candidate {
	var list []candidate
	for _, c := range commands {
		if !c.Hidden {
			list = append(list, candidate{c.Name, c.Usage})
		}
	}
	return list
}

func flagNames(c *cli.Command) []candidate {
	list := []candidate{{"--help", "explain " + c.Name}}
	for _, f := range c.VisibleFlags() {
		_, meaning := unquote(f.(cli.DocGenerationFlag).GetUsage())
		list = append(list, candidate{dashed(f.Names()[0]), meaning})
	}
	return list
}

// choices are the values of a flag that takes one of a few words.
func choices(f cli.Flag) []string {
	if v := valueOf(f); v != nil {
		return v.choices
	}
	return nil
}
