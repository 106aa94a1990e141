package format_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
)

// holdVariable makes the test binary hold the lock of an archive instead of testing.
const holdVariable = "KARCHIVE_TEST_HOLD"

func TestMain(m *testing.M) {
	dir := os.Getenv(holdVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	fsys, err := storage.DirFS(dir)
	if err == nil {
		_, err = format.OpenForWriting(fsys)
	}
	fmt.Println("opened:", err)
	bufio.NewReader(os.Stdin).ReadByte() // until it is killed
}

func TestTheLockOfAKilledProcessIsFree(t *testing.T) {
	dir := t.TempDir()
	archiveOf(t, dirFS(t, dir), full(orders0, 0, 3))
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), holdVariable+"="+dir)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "opened: <nil>\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	_, err = format.OpenForWriting(dirFS(t, dir))
	if !errors.Is(err, storage.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("pid %d on host ", cmd.Process.Pid)) {
		t.Errorf("got %v, want ErrLocked by pid %d", err, cmd.Process.Pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	mustOpenForWriting(t, dirFS(t, dir))
}

func TestAReadOnlyDirectoryCanBeRead(t *testing.T) {
	dir := t.TempDir()
	archiveOf(t, dirFS(t, dir), full(orders0, 0, 3))
	setMode(t, dir, 0o500)
	defer setMode(t, dir, 0o700)
	if got := offsetsOf(t, mustOpen(t, dirFS(t, dir)), orders0, format.Selection{}); len(got) != 3 {
		t.Errorf("got %v, want three records", got)
	}
	if f, err := os.Create(filepath.Join(dir, "x")); err == nil {
		f.Close()
		t.Skip("this user may write anywhere")
	}
	if _, err := format.OpenForWriting(dirFS(t, dir)); err == nil {
		t.Error("opened it for writing")
	}
}

func setMode(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	for _, d := range []string{dir, filepath.Join(dir, "data"), filepath.Join(dir, "data", "topic=orders"), filepath.Join(dir, "data", "topic=orders", "partition=0")} {
		if err := os.Chmod(d, mode); err != nil {
			t.Fatal(err)
		}
	}
	// A lock file that may be written could be locked.
	if err := os.Chmod(filepath.Join(dir, ".karchive-lock"), mode&0o600); err != nil {
		t.Fatal(err)
	}
}
