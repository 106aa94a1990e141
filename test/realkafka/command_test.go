//go:build kafka

package realkafka

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"
)

// buildCommand builds karchive as it is installed.
func buildCommand(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "karchive")
	out, err := exec.Command("go", "build", "-o", bin, "github.com/karchive/karchive/cmd/karchive").CombinedOutput()
	if err != nil {
		t.Fatalf("build karchive: %v\n%s", err, out)
	}
	return bin
}

// command is a karchive process. What it says is kept for the failure message.
type command struct {
	*exec.Cmd
	said bytes.Buffer
}

func newCommand(bin string, args ...string) *command {
	c := &command{Cmd: exec.Command(bin, args...)}
	c.Stdout, c.Stderr = &c.said, &c.said
	return c
}

// mustRun runs karchive to its end and fails unless it exits with 0.
func mustRun(t *testing.T, bin string, args ...string) *command {
	t.Helper()
	c := newCommand(bin, args...)
	if err := c.Run(); err != nil {
		t.Fatalf("karchive %q: %v\n%s", args, err, c.said.Bytes())
	}
	return c
}
