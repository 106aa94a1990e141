package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func testCommands() []*cli.Command {
	return newEnv(nil, io.Discard, io.Discard).commands()
}

func TestFlagsAndArgumentsComeInAnyOrder(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"info run1", "info -- run1"},
		{"info run1 --format json", "info --format=json -- run1"},
		{"--format json info run1", "info --format=json -- run1"},
		{"cat run1 -t a --limit=5", "cat --topics=a --limit=5 -- run1"},
		{"cat -topics a run1", "cat --topics=a -- run1"},
		{"cat run1 --from -2h", "cat --from=-2h -- run1"},
		{"cat --from -2h --until - run1", "cat --from=-2h --until=- -- run1"},
		{"-b x:1 -t capture capture -o info", "capture --brokers=x:1 --topics=capture --output=info --"},
		{"capture -X a=b=c -Xd=e -X=f=g", "capture --X=a=b=c --X=d=e --X=f=g --"},
		{"verify --deep run1", "verify --deep -- run1"},
		{"verify run1 --deep=false -q", "verify --deep=false -q -- run1"},
		{"info -- --format", "info -- --format"},
		{"info -", "info -- -"},
		{"cat -- -t a", "cat -- -t a"},
		{"--version", "version"},
	} {
		got, err := arrange(testCommands(), strings.Fields(c.line))
		if text := strings.Join(got.args, " "); err != nil || text != c.want || got.help {
			t.Errorf("%s: got %q, %v, want %q", c.line, text, err, c.want)
		}
	}
}

func TestHelpIsFoundAnywhereButAfterTwoDashes(t *testing.T) {
	for line, want := range map[string]string{"--help": "", "-h": "", "info --help": "info", "info run1 -h": "info", "--help info": "info", "capture -t x -help": "capture"} {
		got, err := arrange(testCommands(), strings.Fields(line))
		if err != nil || !got.help {
			t.Errorf("%s: got %+v, %v", line, got, err)
			continue
		}
		name := ""
		if got.command != nil {
			name = got.command.Name
		}
		if name != want {
			t.Errorf("%s: help of %q, want %q", line, name, want)
		}
	}
	for _, line := range []string{"info -- --help", "capture -t --help"} {
		if got, err := arrange(testCommands(), strings.Fields(line)); err != nil || got.help {
			t.Errorf("%s: got %+v, %v", line, got, err)
		}
	}
}

// The command's name is found by skipping flags and their values, before it is known whose flags they are.
func TestACommandIsFoundBehindEachOfItsFlags(t *testing.T) {
	commands, looked := testCommands(), 0
	for _, c := range commands {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				words := []string{dashed(name)}
				if takesNext(f, []string{"x"}) {
					words = append(words, "x")
				}
				words = append(words, c.Name)
				if i := commandIndex(commands, words); i != len(words)-1 {
					t.Errorf("%q: got the command at %d", words, i)
				}
				looked++
			}
		}
	}
	if looked < 100 {
		t.Errorf("%d flags were looked at", looked)
	}
}

func TestHelpHasExamplesAndFitsATerminal(t *testing.T) {
	e := newEnv(nil, io.Discard, io.Discard)
	for _, c := range e.commands() {
		var b strings.Builder
		if err := e.help(screen{&b, widthOf(&b)}, nil, c); err != nil {
			t.Fatal(err)
		}
		if !c.Hidden && len(c.Flags) > 0 && !strings.Contains(b.String(), "Examples:\n  karchive "+c.Name) {
			t.Errorf("%s has no examples", c.Name)
		}
		for line := range strings.Lines(b.String()) {
			if len(line) > 150 {
				t.Errorf("%s: %d columns: %s", c.Name, len(line), line)
			}
		}
	}
}

func TestListsAreSplitOnceAndOnlyWhereTheyAreLists(t *testing.T) {
	var o captureOptions
	app := &cli.App{DisableSliceFlagSeparator: true, Commands: []*cli.Command{{Name: "x", Flags: append(o.selected.flags(), o.connection.flags()...), Action: func(*cli.Context) error { return nil }}}}
	line, err := arrange(app.Commands, []string{"x", "-t", "a,b", "-t", "c", "-X", "sasl.jaas.config=M required a=\"1,2\";", "--partitions", "0,3-4"})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Run(append([]string{"karchive"}, line.args...)); err != nil {
		t.Fatal(err)
	}
	if got, want := o.names(), []string{"a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("topics %q, want %q", got, want)
	}
	if got, want := o.set.Value(), []string{`sasl.jaas.config=M required a="1,2";`}; !slices.Equal(got, want) {
		t.Errorf("settings %q, want %q", got, want)
	}
	if want := []int32{0, 3, 4}; !slices.Equal(o.partitions, want) {
		t.Errorf("partitions %v, want %v", o.partitions, want)
	}
}
