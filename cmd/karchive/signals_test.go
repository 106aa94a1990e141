//go:build unix

package main

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestSignalsOfHalfASecondAreOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 8)
		var stopped, ended time.Duration
		begun := time.Now()
		go func() {
			awaitStops(signals, func() { stopped = time.Since(begun) })
			ended = time.Since(begun)
		}()
		for _, after := range []time.Duration{0, time.Millisecond, 499 * time.Millisecond, 500 * time.Millisecond} {
			time.Sleep(after - time.Since(begun))
			synctest.Wait()
			if ended != 0 {
				t.Errorf("it ended after %s", ended)
			}
			signals <- syscall.SIGTERM
		}
		synctest.Wait()
		if stopped != 0 || ended != 500*time.Millisecond {
			t.Errorf("stopped after %s and ended at once after %s, want 0s and 500ms", stopped, ended)
		}
	})
}

// following starts a follow capture that has fetched all records, and returns its directory.
func following(t *testing.T, prepare func(*exec.Cmd), wrap ...string) (*process, string) {
	t.Helper()
	addr, hasAll := watchedToTheEnd(t)
	dir := filepath.Join(t.TempDir(), "run")
	args := []string{"capture", "-b", addr, "-t", "orders", "-o", dir, "--follow"}
	if len(wrap) > 0 {
		prepare = wrapped(t, wrap, prepare)
	}
	p := startAs(t, prepare, args...)
	<-hasAll
	return p, dir
}

// wrapped lets another command start karchive.
func wrapped(t *testing.T, by []string, prepare func(*exec.Cmd)) func(*exec.Cmd) {
	t.Helper()
	if _, err := exec.LookPath(by[0]); err != nil {
		t.Skipf("no %s here: %v", by[0], err)
	}
	return func(c *exec.Cmd) {
		path, _ := exec.LookPath(by[0])
		c.Args = append(append([]string{}, by...), c.Args...)
		c.Path = path
		prepare(c)
	}
}

func unprepared(*exec.Cmd) {}

// holdsAll checks that an archive has all records, sound.
func holdsAll(t *testing.T, dir string) {
	t.Helper()
	runHere(t, "verify", dir, "--deep")
	var out strings.Builder
	if code := run(t.Context(), []string{"cat", dir}, nil, &out, os.Stderr); code != exitDone || strings.Count(out.String(), "\n") != records {
		t.Errorf("cat: exit code %d, %d records, want %d", code, strings.Count(out.String(), "\n"), records)
	}
}

func TestTimeoutLeavesAnArchiveWithAllThatWasFetched(t *testing.T) {
	p, dir := following(t, unprepared, "timeout", "--kill-after=60", "3600") // its end is not waited for: what it is sent it passes on, twice
	p.send(syscall.SIGTERM)
	_, stderr := p.wait()
	if !strings.Contains(stderr, "10 records in 1 segment are sealed") {
		t.Errorf("stderr %s, want it to say what is sealed", stderr)
	}
	holdsAll(t, dir)
}

func TestSignalsAsServiceManagersAndTerminalsSendThem(t *testing.T) {
	for name, signals := range map[string][]os.Signal{
		"systemd":             {syscall.SIGTERM, syscall.SIGCONT},
		"a closed terminal":   {syscall.SIGHUP, syscall.SIGCONT},
		"twice":               {syscall.SIGTERM, syscall.SIGTERM},
		"of different kinds":  {syscall.SIGHUP, syscall.SIGTERM, os.Interrupt},
		"while it is stopped": {syscall.SIGSTOP, syscall.SIGTERM, syscall.SIGCONT},
	} {
		t.Run(name, func(t *testing.T) {
			if slices.Contains(signals, os.Signal(syscall.SIGHUP)) {
				needsHangup(t)
			}
			p, dir := following(t, unprepared)
			for _, s := range signals {
				p.send(s)
			}
			code, stderr := p.wait()
			if code != exitDone || !strings.Contains(stderr, "10 records in 1 segment are sealed; the same command goes on") {
				t.Errorf("exit code %d, want %d; stderr %s", code, exitDone, stderr)
			}
			holdsAll(t, dir)
		})
	}
}

// needsHangup skips a test where SIGHUP is ignored, as nohup(1) has it: the programs that the test starts inherit that.
func needsHangup(t *testing.T) {
	t.Helper()
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("SIGHUP is ignored here")
	}
}

// A container that is stopped gets SIGTERM, and SIGKILL when its time is over. Here that comes as soon as the end was heard.
func TestAnArchiveIsSoundWhenTheGraceTimeIsTooShort(t *testing.T) {
	p, dir := following(t, unprepared)
	p.send(syscall.SIGTERM)
	p.says("ending the capture")
	p.send(os.Kill)
	p.wait()
	runHere(t, "verify", dir, "--deep")
}

func TestNohupIsKept(t *testing.T) {
	p, dir := following(t, unprepared, "nohup")
	p.send(syscall.SIGHUP)
	p.send(syscall.SIGTERM)
	_, stderr := p.wait()
	if !strings.Contains(stderr, "ending the capture") {
		t.Errorf("stderr %s", stderr)
	}
	holdsAll(t, dir)
}
