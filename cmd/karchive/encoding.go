package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
)

// encodingFlag leaves to empty when it is not given. Shown is what that means.
func encodingFlag(usage, shown string, to *format.Encoding) cli.Flag {
	var choices []string
	for _, e := range format.Encodings() {
		choices = append(choices, string(e))
	}
	set := func(s string) error {
		if !slices.Contains(choices, s) {
			return notAChoice(s, choices)
		}
		*to = format.Encoding(s)
		return nil
	}
	return &cli.GenericFlag{Name: "encoding", Usage: usage, DefaultText: shown, Value: &value{set: set, shown: "", choices: choices}}
}

// checkEncoding refuses to go on with an archive in another encoding than the one asked for; empty is any.
func checkEncoding(a *format.Archive, asked format.Encoding) error {
	have := a.Identity().Encoding
	if cmp.Or(asked, have) == have {
		return nil
	}
	err := fmt.Errorf("the archive is in the encoding %s, not %s", have, asked)
	return withHint(err, "an archive has one encoding: leave --encoding out, or make a new archive with karchive copy --encoding")
}
