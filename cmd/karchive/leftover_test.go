package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/internal/aside"
)

// temporaries are the directories that karchive has in a directory for temporary ones.
func temporaries(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out
}

func TestAKilledReplayOfCSVLeavesNothingUnmaskedAndTheNextStartRemovesIt(t *testing.T) {
	target := watched(t, kmsg.Produce, func(kmsg.Request) bool { return false })
	tmp, table := t.TempDir(), filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(table, []byte("mail\n"+strings.Repeat("someone@example.com\n", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	here := func(c *exec.Cmd) { c.Env = append(os.Environ(), "TMPDIR="+tmp) }
	replay := func() *process {
		p := startAs(t, here, "replay", table, "-b", target, "--topic", "orders", "--rate", "100/s", "--mask", "value=fixed=masked", "--metrics", "0")
		scrapeUntil(t, p.metricsAt(), "karchive_replay_acknowledged_records_total", atLeast(1))
		return p
	}
	version := func() {
		if code, stderr := startAs(t, here, "version").wait(); code != exitDone {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
	}

	p := replay()
	version()
	if got := temporaries(t, tmp); len(got) != 1 {
		t.Errorf("while it lives there is %q, want one directory", got)
	}
	p.send(os.Kill)
	p.wait()
	checkNothingOf(t, tmp, "someone@example.com")
	if got := temporaries(t, tmp); len(got) != 1 {
		t.Errorf("after the kill there is %q, want one directory", got)
	}
	version()
	if entries, err := os.ReadDir(tmp); err != nil || len(entries) > 0 {
		t.Errorf("the next start leaves %v, %v", entries, err)
	}
	p = replay()
	p.send(os.Interrupt)
	p.wait()
	if entries, err := os.ReadDir(tmp); err != nil || len(entries) > 0 {
		t.Errorf("a replay that ends leaves %v, %v", entries, err)
	}
}

// checkNothingOf reads every file, and decodes archives, as somebody who looks for a text would.
func checkNothingOf(t *testing.T, dir, text string) {
	t.Helper()
	archives := 0
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.Name() == "archive" {
			archives++
			var stdout, stderr strings.Builder
			if code := run(t.Context(), []string{"cat", name}, strings.NewReader(""), &stdout, &stderr); code != exitDone || !strings.Contains(stdout.String(), "masked") {
				t.Errorf("cat: exit code %d: %s", code, &stderr)
			}
			if strings.Contains(stdout.String(), text) {
				t.Errorf("%s holds %s", name, text)
			}
		}
		if e.IsDir() {
			return nil
		}
		data, err := os.ReadFile(name)
		if bytes.Contains(data, []byte(text)) {
			t.Errorf("%s holds %s", name, text)
		}
		return err
	})
	if err != nil || archives != 1 {
		t.Errorf("looked at %d archives, %v", archives, err)
	}
}

func TestOnlyDirectoriesOfDeadProcessesAreRemoved(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	living, err := aside.CreateTemporary()
	if err != nil {
		t.Fatal(err)
	}
	defer living.End()
	for _, name := range []string{"karchive-replay-other", "karchive-demo-1", "mine"} {
		if err := os.Mkdir(filepath.Join(tmp, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(tmp, "karchive-replay-dead")
	for _, err := range []error{os.Mkdir(dead, 0o700), os.WriteFile(dead+".lock", nil, 0o600), os.Symlink(filepath.Dir(victim), filepath.Join(dead, "link"))} {
		if err != nil {
			t.Skip(err)
		}
	}
	aside.RemoveLeftovers()
	got := strings.Join(temporaries(t, tmp), " ")
	if want := "karchive-demo-1 karchive-replay-other mine"; !strings.Contains(got, filepath.Base(living.Dir)) || strings.Contains(got, "dead") || len(strings.Fields(got)) != 4 {
		t.Errorf("left are %s, want %s and the one of this process", got, want)
	}
	if _, err := os.Stat(victim); err != nil {
		t.Errorf("what a link names: %v", err)
	}
}
