//go:build buckets && unix

package buckets

import (
	"bytes"
	"net"
	"os/exec"
	"testing"
	"time"
)

// server is a process that listens.
type server struct {
	process *exec.Cmd
	over    chan struct{} // closed when it has ended
	said    bytes.Buffer  // to be read when it has ended
}

// launch starts a server and waits until it listens at addr, for as long as it lives: a machine with other work takes minutes to load Azurite.
func launch(t *testing.T, process *exec.Cmd, addr string) *server {
	t.Helper()
	s := &server{process: process, over: make(chan struct{})}
	process.Stdout, process.Stderr = &s.said, &s.said
	must(t, process.Start())
	t.Cleanup(s.kill)
	go func() {
		defer close(s.over)
		process.Wait()
	}()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return s
		}
		select {
		case <-s.over:
			t.Fatalf("%s has ended before it listened at %s: %v: %s", process.Path, addr, process.ProcessState, &s.said)
		case <-tick.C:
		}
	}
}

func (s *server) kill() {
	s.process.Process.Kill()
	<-s.over
}
