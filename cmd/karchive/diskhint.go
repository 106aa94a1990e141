package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// afterDisk says what running a command again does, after a disk ended it; a command that is not here begins anew and left nothing.
var afterDisk = map[string]string{
	"capture": "it goes on from what is sealed",
	"replay":  "with --progress or --exactly-once it goes on from what was acknowledged",
	"unpack":  "it goes on from what was checked",
	"serve":   "clients go on where they were",
}

// diskHint says what to do about an error of a disk that ended a command; empty: it is none.
func diskHint(command string, err error) string {
	again, ok := afterDisk[command]
	if !ok {
		again = "it begins anew, and what this one made is gone"
	}
	var do string
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		do = "make room" + diskPlace(err)
	case errors.Is(err, syscall.EFBIG) && command == "capture":
		do = "raise the limit (ulimit -f) or give a smaller --rotate-size,"
	case errors.Is(err, syscall.EFBIG):
		do = "raise the limit (ulimit -f)"
	case errors.Is(err, syscall.EROFS):
		do = "make the file system writable"
	case errors.Is(err, syscall.EIO):
		return "the disk fails: karchive verify --deep says what is safe; on a sound disk run the same command again: " + again
	default:
		return ""
	}
	if stdoutFailed(err) {
		return do + " and run the same command again"
	}
	return do + " and run the same command again: " + again
}

// diskPlace says where there is no room, where that is not the place the command was given.
func diskPlace(err error) string {
	p, ok := errors.AsType[*fs.PathError](err)
	switch {
	case !ok:
		return ""
	case stdoutFailed(err):
		return " where the output goes"
	case isTemporary(p.Path):
		return " in " + os.TempDir() + ", or set TMPDIR to another place,"
	}
	return ""
}

func stdoutFailed(err error) bool {
	p, ok := errors.AsType[*fs.PathError](err)
	return ok && p.Path == os.Stdout.Name()
}

// isTemporary says whether a file is one of ours in the system's place for temporary files.
func isTemporary(path string) bool {
	rest, err := filepath.Rel(os.TempDir(), path)
	return err == nil && strings.HasPrefix(strings.TrimPrefix(rest, "."), "karchive-")
}
