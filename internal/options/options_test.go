package options

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestOptionsAreCalledByTheNamesThatAreGiven(t *testing.T) {
	err := New("give {One}, too", "{Two} %q is for {One}", "{x y}")
	if got, want := err.Error(), `Two "{x y}" is for One: give One, too`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	problem, advice := err.Named(func(name string) string { return "--" + strings.ToLower(name) })
	if problem != `--two "{x y}" is for --one` || advice != "give --one, too" {
		t.Errorf("got %s and %s", problem, advice)
	}
	if got := New("", "limits are negative").Error(); got != "limits are negative" {
		t.Errorf("got %q without advice", got)
	}
	if !errors.Is(fmt.Errorf("run: %w", err), ErrInvalid) {
		t.Error("an Error is no ErrInvalid")
	}
}
