package main

import (
	"archive/tar"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// checkRuns runs the program with the files of the image as all there is, as its user.
func checkRuns(t *testing.T, found map[string]v1.Image) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may change the root directory")
	}
	image, ok := found["linux/"+runtime.GOARCH]
	if !ok {
		t.Skipf("no image for %s", runtime.GOARCH)
	}
	root := t.TempDir()
	contents, headers := inImage(t, image)
	for name, h := range headers {
		at := filepath.Join(root, name)
		if h.Typeflag == tar.TypeDir {
			if err := os.MkdirAll(at, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		write(t, at, string(contents[name]))
		if err := os.Chmod(at, h.FileInfo().Mode()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(root, "tmp"), os.ModePerm|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/usr/bin/karchive", "leave")
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(root, "tmp/left")); err != nil {
		t.Error(err)
	}
}
