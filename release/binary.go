package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// platform is what a binary runs on, in Go's words, and whether it has what few need.
type platform struct {
	os, arch string
	full     bool
}

// fullTags are of what makes the program much larger for jobs that few do: docs/iceberg.md and docs/buckets.md.
const fullTags = "gcs,iceberg"

func (p platform) String() string { return p.os + "/" + p.arch }

var everyPlatform = []platform{
	{os: "linux", arch: "amd64"}, {os: "linux", arch: "arm64"}, {os: "darwin", arch: "amd64"}, {os: "darwin", arch: "arm64"},
	{os: "windows", arch: "amd64"}, {os: "windows", arch: "arm64"},
}

// versionPattern is what a package manager can sort and the linker can be told.
var versionPattern = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

// parsePlatforms reads a comma list; empty: all.
func parsePlatforms(list string) ([]platform, error) {
	if list == "" {
		return everyPlatform, nil
	}
	var found []platform
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(everyPlatform, func(p platform) bool { return p.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("platform %q: not one of %v", name, everyPlatform)
		}
		if !slices.Contains(found, everyPlatform[i]) {
			found = append(found, everyPlatform[i])
		}
	}
	return found, nil
}

// program is the file's name.
func (p platform) program() string {
	if p.os == "windows" {
		return "karchive.exe"
	}
	return "karchive"
}

// edition is the first part of the names of files.
func (p platform) edition() string {
	if p.full {
		return "karchive-full"
	}
	return "karchive"
}

// tags are those that the program is built with.
func (p platform) tags() string {
	if p.full {
		return fullTags
	}
	return ""
}

// binary builds the program for a platform, once, and returns its file.
func (r *release) binary(ctx context.Context, p platform) (file string, err error) {
	if file, ok := r.built[p]; ok {
		return file, nil
	}
	file = filepath.Join(r.work, p.edition()+"-"+p.os+"-"+p.arch, p.program())
	fmt.Fprintf(os.Stderr, "release: building %s %s for %v\n", p.edition(), r.version, p)
	if err := r.build(ctx, p, r.profile, file); err != nil {
		return "", fmt.Errorf("build for %v: %w", p, err)
	}
	r.built[p] = file
	return file, nil
}

// build is the one recipe. Nothing of the machine, the directory or the time gets into the binary: no paths, no C, no state of the checkout,
// no settings of whoever builds.
func (r *release) build(ctx context.Context, p platform, profile, file string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-tags="+p.tags(), "-pgo="+profile,
		"-ldflags=-s -w -X main.version="+r.version, "-o", file, "./cmd/karchive")
	cmd.Dir, cmd.Stderr = r.source, os.Stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch, "GOAMD64=v1", "GOARM64=v8.0",
		"GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOFIPS140=off", "GODEBUG=")
	return cmd.Run()
}

// runnable is a binary that runs here: one of the release, if it has such, or one that takes less time to build.
func (r *release) runnable(ctx context.Context) (program string, err error) {
	here := platform{os: runtime.GOOS, arch: runtime.GOARCH}
	if slices.Contains(r.platforms, here) {
		return r.binary(ctx, here)
	}
	program = filepath.Join(r.work, "here", here.program())
	return program, r.build(ctx, here, "off", program)
}

// document writes manual pages and completion, with a binary that runs here.
func (r *release) document(ctx context.Context) error {
	program, err := r.runnable(ctx)
	if err != nil {
		return fmt.Errorf("build for manual pages: %w", err)
	}
	for _, dir := range []string{"man", "completion"} {
		if err := os.Mkdir(filepath.Join(r.work, dir), 0o755); err != nil {
			return err
		}
	}
	if out, err := exec.CommandContext(ctx, program, "man", "-o", filepath.Join(r.work, "man")).CombinedOutput(); err != nil {
		return fmt.Errorf("make manual pages: %w: %s", err, out)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		script, err := exec.CommandContext(ctx, program, "completion", shell).Output()
		if err != nil {
			return fmt.Errorf("make completion for %s: %w", shell, err)
		}
		if err := os.WriteFile(filepath.Join(r.work, "completion", shell), script, 0o644); err != nil {
			return err
		}
	}
	return nil
}
