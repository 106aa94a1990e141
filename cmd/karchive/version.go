package main

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/printable"
)

// version is set by the linker in releases; go install leaves it to the build information.
var version string

func versionCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			_, err := printable.Fprintf(e.text, "%s, archive format %s, %s %s/%s\n", madeBy(), format.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// madeBy is who archives and reports say they are made by: this program and its version.
func madeBy() string {
	built := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		built = info.Main.Version
	}
	return "karchive " + cmp.Or(version, built, "unknown")
}
