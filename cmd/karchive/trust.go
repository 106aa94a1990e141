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
	return &cli.StringSliceFlag{Name: "trust", Usage: "refuse what is not signed by `KEY`, of minisign or SSH, or a file with such; repeatable", Destination: to}
}

// trusted are the public keys that --trust names.
func (o *packedOptions) trusted() (keys []pack.PublicKey, err error) {
	for _, s := range o.trust.Value() {
		found, err := pack.ParsePublicKeys([]byte(s))
		if err != nil {
			text, readErr := os.ReadFile(s)
			if readErr != nil { // what was given may be a private key: it is not repeated, and neither is the error, which names it
				return nil, usage("--trust: neither a public key of minisign or SSH nor a file that can be read")
			}
			if found, err = pack.ParsePublicKeys(text); err != nil {
				return nil, fmt.Errorf("--trust: the file with keys: %w", err)
			}
		}
		keys = append(keys, found...)
	}
	return keys, nil
}
