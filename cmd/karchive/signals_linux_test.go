package main

import (
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

func TestAClosedTerminalEndsAFollowCaptureWell(t *testing.T) {
	needsHangup(t)
	person, program := newTerminal(t)
	p, dir := following(t, func(c *exec.Cmd) {
		c.Stdin, c.SysProcAttr = program, &syscall.SysProcAttr{Setsid: true, Setctty: true}
	})
	person.Close()
	if code, stderr := p.wait(); code != exitDone || !strings.Contains(stderr, "10 records in 1 segment are sealed") {
		t.Errorf("exit code %d, want %d; stderr %s", code, exitDone, stderr)
	}
	holdsAll(t, dir)
}

func TestATerminalThatShowsTheInterruptDoesNotEatTheMessage(t *testing.T) {
	person, program := newTerminal(t)
	shown := make(chan string)
	go func() {
		all, _ := io.ReadAll(person) // an error ends it, when nobody has the other side any more
		shown <- string(all)
	}()
	p, _ := following(t, func(c *exec.Cmd) {
		c.Stdin, c.Stdout, c.SysProcAttr = program, program, &syscall.SysProcAttr{Setsid: true, Setctty: true}
		c.Env = append(c.Environ(), "TERM=xterm")
	}, onTerminal...)
	p.types(person, "\x03")
	p.wait()
	program.Close()
	all := <-shown
	_, after, found := strings.Cut(all, "^C")
	if !found || !strings.HasPrefix(after, "\r") || !strings.Contains(after, "karchive: ending the capture") {
		t.Errorf("the terminal got %q, want a carriage return and the message after ^C", all)
	}
}

// onTerminal gives a command the terminal for stderr, which the tests otherwise read.
var onTerminal = []string{"sh", "-c", `exec "$@" 2>/dev/tty`, "sh"}
