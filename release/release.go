package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// release is one version of the program, to be made for some platforms.
type release struct {
	source    string // a checkout
	version   string // semantic, with a v
	commit    string // empty: not known
	epoch     time.Time
	profile   string // the file by which the compiler optimises, or off
	platforms []platform
	work      string // holds binaries, manual pages and completion, and is removed at the end
	built     map[platform]string
}

// prepare finds out which version of when this is.
func (r *release) prepare(ctx context.Context, platforms, profile string) (err error) {
	if r.source, err = filepath.Abs(r.source); err != nil {
		return err
	}
	if r.platforms, err = parsePlatforms(platforms); err != nil {
		return err
	}
	if err := r.date(ctx); err != nil {
		return err
	}
	if r.profile = profile; profile != "off" {
		if r.profile, err = filepath.Abs(profile); err != nil {
			return err
		}
		if _, err := os.Stat(r.profile); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
	}
	r.built = map[platform]string{}
	r.work, err = os.MkdirTemp("", "karchive-release-")
	return err
}

// date takes time and version from the environment and the command line, or from the commit. Every file of the release bears that time, as
// https://reproducible-builds.org/specs/source-date-epoch/ asks for.
func (r *release) date(ctx context.Context) error {
	r.commit, _ = r.git(ctx, "rev-parse", "HEAD")
	seconds := os.Getenv("SOURCE_DATE_EPOCH")
	if seconds == "" {
		var err error
		if seconds, err = r.git(ctx, "log", "-1", "--format=%ct"); err != nil {
			return fmt.Errorf("no commit to take the time from: set SOURCE_DATE_EPOCH: %w", err)
		}
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("SOURCE_DATE_EPOCH %q: not seconds since 1970", seconds)
	}
	r.epoch = time.Unix(n, 0).UTC()
	if r.version == "" {
		r.version, err = r.versionOfCommit(ctx)
	} else if r.commit != "" && !r.clean(ctx) {
		fmt.Fprintf(os.Stderr, "release: the checkout has changes that are not in its commit %.12s\n", r.commit)
	}
	if err == nil && !versionPattern.MatchString(r.version) {
		err = fmt.Errorf("version %q: not of the form v1.2.3 or v1.2.3-more", r.version)
	}
	return err
}

// clean says whether the checkout is what its commit says.
func (r *release) clean(ctx context.Context) bool {
	changed, err := r.git(ctx, "status", "--porcelain", "--untracked-files=no")
	return err == nil && changed == ""
}

// versionOfCommit is its tag, or else what Go calls a commit without one.
func (r *release) versionOfCommit(ctx context.Context) (string, error) {
	if r.commit == "" {
		return "", fmt.Errorf("no commit to take the version from: give -version")
	}
	version, err := r.git(ctx, "describe", "--tags", "--exact-match", "--match", "v[0-9]*")
	if err != nil {
		version = fmt.Sprintf("v0.0.0-%s-%.12s", r.epoch.Format("20060102150405"), r.commit)
	}
	if !r.clean(ctx) {
		version += "+dirty"
	}
	return version, nil
}

func (r *release) git(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", r.source}, args...)...).Output()
	return strings.TrimSpace(string(out)), err
}

// number is the version without its v, as in the names of files.
func (r *release) number() string { return strings.TrimPrefix(r.version, "v") }

// writeFiles makes everything but the image.
func (r *release) writeFiles(ctx context.Context, dir string) error {
	if err := r.document(ctx); err != nil {
		return err
	}
	for _, p := range r.platforms {
		full := p
		full.full = true
		for _, p := range []platform{p, full} {
			if err := r.writePlatform(ctx, dir, p); err != nil {
				return fmt.Errorf("%s for %v: %w", p.edition(), p, err)
			}
		}
	}
	return writeSums(dir)
}

// writePlatform makes what there is of one program for one platform. Packages are of the smaller one: both would be one command.
func (r *release) writePlatform(ctx context.Context, dir string, p platform) error {
	binary, err := r.binary(ctx, p)
	if err != nil {
		return err
	}
	if err := r.writeBundle(dir, p, binary); err != nil {
		return err
	}
	if err := r.writeMaterials(ctx, dir, p, binary); err != nil {
		return err
	}
	if p.os != "linux" || p.full {
		return nil
	}
	return r.writePackages(dir, p, binary)
}
