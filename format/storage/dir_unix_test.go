//go:build unix

package storage_test

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestANamedPipeIsNotWaitedFor(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := directory(t, dir).Open("pipe"); err == nil {
		t.Error("opened a named pipe")
	}
}
