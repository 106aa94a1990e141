package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// namespaceVariable says that the test binary runs in a mount namespace of its own.
const namespaceVariable = "KARCHIVE_TEST_NAMESPACE"

// whereMountsAreOurs runs the test t again, in a process that may mount file systems without anybody else seeing them, and does test there.
// Not every machine allows it.
func whereMountsAreOurs(t *testing.T, test func()) {
	if os.Getenv(namespaceVariable) != "" {
		test()
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), namespaceVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Skipf("no namespace to mount in: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, &said)
	}
	if strings.Contains(said.String(), "--- SKIP") {
		t.Skip(said.String())
	}
}

// mounted makes a file system in memory of a size such as 300k, mounted until the namespace ends.
func mounted(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mount a file system of %s: %v", size, err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func remount(t *testing.T, dir string, flags uintptr, options string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, options); err != nil {
		t.Fatalf("remount with %q: %v", options, err)
	}
}

func TestAFullFileSystemEndsACaptureAndTheNextOneGoesOn(t *testing.T) {
	whereMountsAreOurs(t, func() {
		addr := noisyCluster(t)
		capture := func(dir string) []string {
			return []string{"capture", "-b", addr, "-t", "orders", "-o", dir, "--rotate-size", "150KB"}
		}
		whole := filepath.Join(t.TempDir(), "run")
		runHere(t, capture(whole)...)
		want := dataFiles(t, whole)
		for _, kB := range []int{8, 16, 64, 150, 400, 700, 1100, 1600} {
			dir := filepath.Join(mounted(t, fmt.Sprintf("%dk", kB)), "run")
			runBeside(t, capture(dir)...).says(t, exitFailed, "no space left on device", "make room and run the same command again: it goes on from what is sealed")
			sealed := dataFiles(t, dir)
			if kB >= 400 && len(sealed) == 0 || len(sealed) == len(want) {
				t.Errorf("%d kB: %d of %d segments are sealed, the test shows little", kB, len(sealed), len(want))
			}
			if _, err := os.Stat(filepath.Join(dir, "karchive.json")); err == nil {
				runHere(t, "verify", dir, "--deep", "--allow-incomplete")
			}
			remount(t, filepath.Dir(dir), 0, "size=16m")
			runHere(t, capture(dir)...)
			runHere(t, "verify", dir, "--deep")
			if !maps.Equal(dataFiles(t, dir), want) {
				t.Errorf("%d kB: the archive is not that of a capture with room", kB)
			}
		}
	})
}

func TestAFileSystemThatBecameReadOnlyIsReadAndNamed(t *testing.T) {
	whereMountsAreOurs(t, func() {
		addr := noisyCluster(t)
		dir := filepath.Join(mounted(t, "16m"), "run")
		capture := []string{"capture", "-b", addr, "-t", "orders", "-o", dir}
		runHere(t, capture...)
		remount(t, filepath.Dir(dir), syscall.MS_RDONLY, "")
		runBeside(t, capture...).says(t, exitFailed, "read-only file system", "it goes on from what is sealed")
		runHere(t, "verify", dir, "--deep")
		runHere(t, "cat", dir, "--limit", "1")
	})
}

func TestWhatAFullDiskEndsSaysSoOnceAndLeavesNothing(t *testing.T) {
	whereMountsAreOurs(t, func() {
		addr := noisyCluster(t)
		run := filepath.Join(t.TempDir(), "run")
		runHere(t, "capture", "-b", addr, "-t", "orders", "-o", run)
		small, temporary := mounted(t, "300k"), mounted(t, "300k")
		in := func(name string) string { return filepath.Join(small, name) }
		lines := filepath.Join(t.TempDir(), "lines.txt")
		if err := os.WriteFile(lines, []byte(strings.Repeat(strings.Repeat("x", 99)+"\n", 20_000)), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("TMPDIR", temporary)
		for _, args := range [][]string{
			{"copy", run, "-o", in("c"), "--encoding", "arrow"}, {"recover", run, "-o", in("r")}, {"pack", run, "-o", in("p.karchive")},
			{"extract", run, "--path", "value", "-o", in("t.csv")}, {"import", "lines", lines, "--topic", "t", "-o", in("i"), "--compression", "none"},
		} {
			r := runBeside(t, args...)
			r.says(t, exitFailed, "no space left on device", "make room and run the same command again: it begins anew")
			if n := strings.Count(r.stderr, "no space left on device"); n != 1 {
				t.Errorf("%q says it %d times:\n%s", args, n, r.stderr)
			}
			if left, err := os.ReadDir(small); err != nil || len(left) > 0 {
				t.Errorf("%q leaves %v, %v", args, left, err)
			}
		}
		args := []string{"replay", run, "-b", addr, "--allow-source-cluster", "--map", "orders:=new", "--create-topics", "--limit", "150", "--memory", "8MiB"}
		r := runBeside(t, args...)
		r.says(t, exitFailed, "no space left on device", "make room in "+temporary+", or set TMPDIR to another place")
		if n := strings.Count(r.stderr, "no space left on device"); n != 1 {
			t.Errorf("%q says it %d times:\n%s", args, n, r.stderr)
		}
	})
}
