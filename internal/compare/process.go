package compare

import (
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"
)

// process is a program that runs, with those that it starts.
type process struct {
	command *exec.Cmd
	family  family
	ended   chan struct{} // closed when err is known
	err     error
}

// pipeGrace is how long children of a program that ended may go on printing.
const pipeGrace = time.Second

// start runs a program for a broker. What it reads is empty.
func start(p Program, broker string, to *output) (*process, error) {
	c := shell(strings.ReplaceAll(p.Command, "{broker}", broker))
	mark := "KARCHIVE_COMPARED=" + rand.Text()
	c.Env = append(os.Environ(), "KAFKA_BOOTSTRAP_SERVERS="+broker, "KARCHIVE_BROKER="+broker, mark)
	c.Stdout, c.Stderr = to, to
	c.WaitDelay = pipeGrace
	run := &process{command: c, ended: make(chan struct{})}
	if err := c.Start(); err != nil {
		return nil, err
	}
	if err := run.family.adopt(c.Process, mark); err != nil {
		c.Process.Kill()
		c.Wait()
		return nil, err
	}
	go func() {
		if run.err = c.Wait(); errors.Is(run.err, exec.ErrWaitDelay) {
			run.err = nil // children go on: that is no failure
		}
		close(run.ended)
	}()
	return run, nil
}

// stop asks a program to end, and kills what there is of it and its children after the grace. It returns when the program has ended.
func (p *process) stop(grace time.Duration) {
	defer p.kill() // what it left
	select {
	case <-p.ended:
		return
	default:
	}
	p.family.look() // what it took is lost when nobody waits for who took it
	p.family.ask()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		p.kill()
		<-p.ended
	}
}

// kill ends a program and its children at once.
func (p *process) kill() { p.family.kill() }

// used is the processor time and the peak memory of a program that has ended.
func (p *process) used() (cpu time.Duration, memory int64) {
	state := p.command.ProcessState
	if state == nil {
		return 0, 0
	}
	return p.family.spent(state), p.family.peak(state)
}
