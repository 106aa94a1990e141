package main

import (
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/pack"
)

// packedOptions are those of commands that check a packed archive.
type packedOptions struct {
	trust   cli.StringSlice
	missing bool // missing parts are all right
}

func allowMissingFlag(to *bool) cli.Flag {
	return &cli.BoolFlag{Name: "allow-missing", Usage: "take the parts of a packed archive that are there, and exit with 3", Destination: to}
}

func trustFlag(to *cli.StringSlice) cli.Flag {
	return &cli.StringSliceFlag{Name: "trust", Usage: "refuse a packed archive that is not signed by `KEY`: a file with public keys of minisign or SSH, or one such key; repeatable", Destination: to}
}

// trusted are the public keys that --trust names.
func (o *packedOptions) trusted() (keys []pack.PublicKey, err error) {
	for _, s := range o.trust.Value() {
		found, err := pack.ParsePublicKeys([]byte(s))
		if err != nil {
			text, readErr := os.ReadFile(s)
			if readErr != nil {
				return nil, fmt.Errorf("--trust: %w", readErr)
			}
			if found, err = pack.ParsePublicKeys(text); err != nil {
				return nil, fmt.Errorf("--trust %s: %w", s, err)
			}
		}
		keys = append(keys, found...)
	}
	return keys, nil
}
