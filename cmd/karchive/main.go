// Command karchive archives Kafka records into files that anyone can open, and replays them.
//
// Each command is one file with one shape: a constructor that names its flags, a struct of options that they fill, and a run
// function that calls a library and prints what it reports. Results go to stdout, all else to stderr with the prefix "karchive:".
// [exitCode] is the one place that turns errors into exit codes.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/aside"
	"github.com/karchive/karchive/internal/printable"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is then an error of Write, which ends a command quietly
	ctx, cancel := interruptible(context.Background())
	limitMemory(defaultMemory)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	cancel()
	os.Exit(code)
}

// run executes one command line, without the program's name, and returns its exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	e := newEnv(stdin, stdout, stderr)
	err := e.execute(ctx, args)
	e.report(err)
	return exitCode(err)
}

func (e *env) execute(ctx context.Context, args []string) error {
	commands := e.commands()
	if asksForJSONLog(args) {
		e.logs = jsonLog
	}
	line, err := arrange(commands, args)
	if err != nil {
		return err
	}
	if line.help {
		return e.help(e.text, commands, line.command)
	}
	if line.command != nil && !line.command.Hidden {
		e.invokedAs = line
		aside.RemoveLeftovers()
	}
	app := &cli.App{
		Name:                      "karchive",
		Commands:                  commands,
		HideHelp:                  true, // help, unknown names and the order of flags are arrange's business
		HideVersion:               true,
		DisableSliceFlagSeparator: true,
		Reader:                    e.stdin,
		Writer:                    e.text,
		ErrWriter:                 printable.NewWriter(e.stderr),
		ExitErrHandler:            func(*cli.Context, error) {}, // leaves the process alone
	}
	e.ctx = ctx
	defer e.noteRequests()
	return app.RunContext(ctx, append([]string{app.Name}, line.args...))
}

// commands are all commands, in the order of their help.
func (e *env) commands() []*cli.Command {
	commands := []*cli.Command{
		captureCommand(e),
		replayCommand(e),
		infoCommand(e),
		verifyCommand(e),
		catCommand(e),
		extractCommand(e),
		importCommand(e),
		diffCommand(e),
		rulesCommand(e),
		serveCommand(e),
		compareCommand(e),
		copyCommand(e),
		exportCommand(e),
		pruneCommand(e),
		packCommand(e),
		unpackCommand(e),
		recoverCommand(e),
		groupsCommand(e),
		demoCommand(e),
		completionCommand(e),
		manCommand(e),
		versionCommand(e),
		helpCommand(e),
		candidatesCommand(e),
	}
	for _, c := range commands {
		c.HideHelp = true
		c.OnUsageError = wrongFlag
		c.Before = checkNeeds
	}
	return commands
}

// wrongFlag is an error of a flag's value. Flags are spelled here with two dashes.
func wrongFlag(_ *cli.Context, err error, _ bool) error {
	text := strings.Replace(err.Error(), " for flag -", " for flag --", 1)
	for _, name := range secretive {
		if _, reason, ok := strings.Cut(text, " for flag --"+name+": "); ok {
			return usage("invalid value for flag --%s: %s", name, quotation.ReplaceAllString(reason, ""))
		}
	}
	return usage("%s", text)
}

// quotation is what an error names before it says what is wrong with it.
var quotation = regexp.MustCompile(`"(?:[^"\\]|\\.)*": `)

// secretive are flags whose values are not repeated: there may be a secret or somebody's data in them.
var secretive = []string{"X", "brokers", "config", "mask-key", "sasl-user", "mask", "set", "null", "missing"}
