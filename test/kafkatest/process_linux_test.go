//go:build kafka

package kafkatest

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test runs itself as a child that starts a broker, tells its pid and is then killed.
func TestBrokerDiesWithTheProcessThatStartedIt(t *testing.T) {
	if os.Getenv("KAFKATEST_CHILD") != "" {
		os.Stdout.WriteString("pid " + strconv.Itoa(Start(t, Options{}).PID()) + "\n")
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "KAFKATEST_CHILD=1", "TMPDIR="+t.TempDir())
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := readPID(t, stdout)
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("broker %d does not run: %v", pid, err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	for deadline := time.Now().Add(5 * time.Minute); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("broker %d outlives the process that started it", pid)
		}
	}
}

func readPID(t *testing.T, r io.Reader) int {
	t.Helper()
	var text []byte
	for buf := make([]byte, 256); !bytes.Contains(text, []byte("\n")); {
		n, err := r.Read(buf)
		if text = append(text, buf[:n]...); err != nil {
			t.Fatalf("child said %q: %v", text, err)
		}
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimPrefix(first, "pid "))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
