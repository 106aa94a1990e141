package main

import (
	"github.com/urfave/cli/v2"
)

type packOptions struct {
	archive    string
	output     string
	split      int64
	since      string
	sign       cli.StringSlice
	encryptTo  cli.StringSlice
	incomplete bool
	sheet      string
	format     string
}

func packCommand(e *env) *cli.Command {
	var o packOptions
	return &cli.Command{
		Name:      "pack",
		Usage:     "put an archive into one file, or a few, to be carried elsewhere",
		ArgsUsage: "ARCHIVE -o FILE [flags]",
		Description: `FILE is a zip with stored entries and a manifest of every file with its SHA-256. Every command takes it in place of the archive; unpack makes
a directory of it again. The same archive gives the same file, unless it is encrypted.

With --split, parts get names such as run-1-of-3.karchive; each holds whole segments, and the manifest of all. With --since, what an earlier
archive, packed file or manifest (karchive-pack.json) has is left out. Passphrases of keys are asked for on the terminal.

With --sheet, every packed record is looked at, and the transfer sheet says what is in the files: counts, times, names of fields and headers, what
looks personal and where, hashes and signatures, and room for signatures by hand of the people who release it.

Examples:
  karchive pack run1 -o run1.karchive
  karchive pack run1 -o run1.karchive --split 4GB --sign minisign.key
  karchive pack run1 -o monday.karchive --since sunday.karchive
  karchive pack run1 -o run1.karchive --encrypt-to age1... --sign ~/.ssh/id_ed25519.pub
  karchive pack run1 -o run1.karchive --sheet run1.html`,
		Flags: o.flags(e),
		Action: func(c *cli.Context) (err error) {
			if o.archive, err = oneArgument(c, "an ARCHIVE"); err != nil {
				return err
			}
			if o.output == "" || o.output == "-" {
				return &usageError{"no place for the packed file given: it is made of whole parts, and cannot go to stdout", "give -o FILE"}
			}
			if err := o.checkSheet(); err != nil {
				return err
			}
			return runPack(c.Context, e, &o)
		},
	}
}

func (o *packOptions) flags(e *env) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the packed `FILE`, which must not exist", Destination: &o.output},
		sizeFlag("split", "make parts of at most this `SIZE`", "one file", &o.split),
		&cli.StringFlag{Name: "since", Usage: "leave out what `OTHER` has: an earlier archive, packed file or manifest", Destination: &o.since},
		&cli.StringSliceFlag{Name: "sign", Usage: "sign with the secret key of minisign or SSH in `FILE`, or with that of a public SSH key which ssh-agent holds; repeatable", Destination: &o.sign},
		&cli.StringSliceFlag{Name: "encrypt-to", Usage: "encrypt to `RECIPIENT`: an age or SSH public key, or a file of such; repeatable", Destination: &o.encryptTo},
		&cli.StringFlag{Name: "sheet", Usage: "write the transfer sheet, on what is packed, to `FILE`, which ends in .html or .txt", Destination: &o.sheet},
		allowIncompletePackFlag(&o.incomplete),
		identityFlag(e), formatFlag(&o.format), quietFlag(e),
	}
}

func allowIncompletePackFlag(to *bool) cli.Flag {
	return &cli.BoolFlag{Name: "allow-incomplete", Usage: "pack an archive whose capture did not get to its end", Destination: to}
}
