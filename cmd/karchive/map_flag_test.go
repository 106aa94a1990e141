package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/karchive/karchive/replay/routing"
	"github.com/urfave/cli/v2"
)

func TestRulesThatRenameTopicsAreGivenOneByOneOrAsAList(t *testing.T) {
	for list, want := range map[string][]string{
		"a:=b":               {"a:=b"},
		"a:=b,c:=d, *:=x.*":  {"a:=b", "c:=d", "*:=x.*"},
		"one,two/a:=b,c:=d":  {"one,two/a:=b", "c:=d"},
		"a:=b,":              {"a:=b", ""},
		"":                   {""},
		"dir/x,y/a:=b,z/c:=": {"dir/x,y/a:=b", "z/c:="},
	} {
		if got := splitRules(list); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", list, got, want)
		}
	}
}

func TestEveryCommandThatRenamesTopicsTakesOneAndManyRules(t *testing.T) {
	var m routing.Mapping
	f := mapFlag("rename topics, as `OLD:=NEW`", (*[]routing.Rule)(&m), routing.ParseRule).(*cli.GenericFlag)
	for _, given := range []string{"a:=b,c:=d", "e:=f"} {
		if err := f.Value.Set(given); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := m.String(), "a:=b,c:=d,e:=f"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := f.Value.Set("g:=h,i"); err == nil || !strings.Contains(err.Error(), `"i": not a topic mapping: write OLD:=NEW`) {
		t.Errorf("a list with a rule that is none: got %v, want the rule and how it is written", err)
	}
	e := &env{}
	for name, c := range map[string]*cli.Command{
		"replay": replayCommand(e), "serve": serveCommand(e), "diff": diffCommand(e), "copy": copyCommand(e), "groups": groupsCommand(e),
	} {
		i := slices.IndexFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), "map") })
		if i < 0 {
			t.Errorf("%s has no --map", name)
			continue
		}
		generic, ok := c.Flags[i].(*cli.GenericFlag)
		if !ok || generic.Value.Set("a:=b,c:=d") != nil {
			t.Errorf("%s takes no list of rules", name)
		}
	}
}
