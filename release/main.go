// Command release makes what users of karchive install: archives with the program for each platform, packages for Debian and Red Hat, a bill
// of materials of each binary, their checksums, and the container image. The same commit makes the same bytes wherever it is built with
// the same Go release. It is a module of its own: nothing that it needs is needed by the program.
//
//	go run -C release . -files ../build/release    # every file
//	go run -C release . -image ../build/image      # an OCI layout
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		stop()
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	var r release
	var files, image, platforms, profile string
	set := flag.NewFlagSet("release", flag.ContinueOnError)
	set.StringVar(&r.source, "source", "..", "take the program from this checkout")
	set.StringVar(&r.version, "version", "", "the version, such as v1.2.3; default: the tag of the commit, or a version made of its time and name")
	set.StringVar(&files, "files", "", "write every file of a release into this directory, which is emptied first")
	set.StringVar(&image, "image", "", "write the image into this directory, which is emptied first")
	set.StringVar(&platforms, "platforms", "", "only these, such as linux/amd64,windows/arm64")
	set.StringVar(&profile, "pgo", "default.pgo", "optimise by this profile; off: do not")
	if err := set.Parse(args); err != nil {
		return err
	}
	if files == "" && image == "" || set.NArg() > 0 {
		return fmt.Errorf("give -files DIR, -image DIR or both, and nothing else")
	}
	if err := r.prepare(ctx, platforms, profile); err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	if files != "" {
		if err := emptied(files, func(dir string) error { return r.writeFiles(ctx, dir) }); err != nil {
			return err
		}
	}
	if image != "" {
		return emptied(image, func(dir string) error { return r.writeImage(ctx, dir) })
	}
	return nil
}

// emptied has make fill a new directory, which takes the place of dir when it is whole.
func emptied(dir string, make func(dir string) error) error {
	if err := replaceable(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	if err := os.Chmod(fresh, 0o755); err != nil {
		return err
	}
	if err := make(fresh); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(fresh, dir)
}

// replaceable says whether a directory is one that this program wrote: what somebody gives by mistake is not emptied.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) || err == nil && len(entries) == 0 {
		return nil
	}
	for _, name := range []string{sumsName, "oci-layout"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return nil
		}
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: is neither a release nor an image, and is not emptied: it has %q", dir, entries[0].Name())
}
