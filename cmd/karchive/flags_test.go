package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestAnErrorOfAFlagLosesOnlyWhatTheCommandLineQuotes(t *testing.T) {
	inner := errors.New("not a size")
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("%q: %w", "5x", inner), "not a size"},
		{fmt.Errorf("bytes: %q: %w", "5x", inner), `bytes: "5x": not a size`},
		{fmt.Errorf("%q: %w", "5", inner), `"5": not a size`},
		{fmt.Errorf("%q: %w: %w", "5x", inner, inner), "not a size: not a size"},
		{inner, "not a size"},
	} {
		v := &value{set: func(string) error { return c.err }}
		if err := v.Set("5x"); err == nil || err.Error() != c.want {
			t.Errorf("%v: got %v, want %s", c.err, err, c.want)
		}
	}
}

func TestTextThatFilesAreReadAndWrittenWithMayBeBlank(t *testing.T) {
	var blank []string
	for _, c := range commandsOf() {
		for _, f := range c.Flags {
			if takesValue(f) && optional(f) == nil && !isEmpty(f, " ") {
				blank = append(blank, f.Names()[0])
			}
		}
	}
	slices.Sort(blank)
	if got, want := slices.Compact(blank), []string{"delimiter", "key-delimiter", "missing", "null", "template"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Text is not a quantity, and of these quantities 0 is one like any other.
func TestAQuantityOfNothingIsNotTakenForTheDefault(t *testing.T) {
	text := []string{"path", "replay-id", "filter", "header-column", "column", "key-column", "headers-column", "fields", "key-delimiter", "null", "missing", "template", "schema", "groups"}
	zero := []string{"partitions", "partition", "skip-bad", "examples", "ramp", "loop-delay", "warmup", "max-catchup", "acks"}
	for _, c := range commandsOf() {
		for _, f := range c.Flags {
			v, name := valueOf(f), f.Names()[0]
			counted := c.Name == "import" && name == "partitions" // elsewhere they are numbers
			if v == nil || slices.Contains(text, name) || slices.Contains(zero, name) && !counted {
				continue
			}
			for _, none := range []string{"0", "0s", "0B", "0/s"} {
				if err := f.(*cli.GenericFlag).Value.Set(none); err == nil {
					t.Errorf("karchive %s --%s takes %s", c.Name, name, none)
				}
			}
		}
	}
}
