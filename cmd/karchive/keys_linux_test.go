package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// newTerminal is a terminal, as a person has it in front of them and as a program has it.
func newTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

func (p *process) types(person *os.File, keys string) {
	p.t.Helper()
	if _, err := person.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// lines says whether the terminal gives lines and shows what is typed.
func lines(t *testing.T, terminal *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&(unix.ICANON|unix.ECHO) == unix.ICANON|unix.ECHO
}

func TestTheSpaceBarPausesAReplayOnATerminal(t *testing.T) {
	person, program := newTerminal(t)
	p := startOn(t, program, loop(t, recorded(t), "--metrics", "0")...)
	url := p.metricsAt()
	p.says("the space bar pauses and goes on")
	scrapeUntil(t, url, "karchive_replay_sent_records_total", atLeast(records))
	if lines(t, program) {
		t.Error("the terminal waits for lines")
	}
	p.types(person, " ")
	p.says("karchive: paused")
	p.types(person, "x ")
	p.says("karchive: going on")
	p.types(person, "\x03") // Ctrl-C
	if code, stderr := p.wait(); code != exitDone {
		t.Errorf("exit code %d, stderr %s", code, stderr)
	}
	if !lines(t, program) {
		t.Error("the terminal is not as it was")
	}
}

func TestTheTerminalIsGivenBackWhenAReplayEndsAtOnce(t *testing.T) {
	person, program := newTerminal(t)
	p := startOn(t, program, loop(t, recorded(t))...)
	p.says("the space bar pauses and goes on")
	p.types(person, " ")
	p.says("karchive: paused")
	p.types(person, "\x03\x03")
	p.wait()
	if !lines(t, program) {
		t.Error("the terminal is not as it was")
	}
}

// startOn starts karchive as the job that a terminal belongs to.
func startOn(t *testing.T, terminal *os.File, args ...string) *process {
	t.Helper()
	return startAs(t, func(c *exec.Cmd) {
		c.Stdin, c.SysProcAttr = terminal, &syscall.SysProcAttr{Setsid: true, Setctty: true}
	}, args...)
}
