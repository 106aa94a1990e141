//go:build unix

package compare

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// shell runs a command in a process group of its own.
func shell(command string) *exec.Cmd {
	c := exec.Command("sh", "-c", command)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c
}

// family is a program, its process group, and what left that: where this can be known, all that has the mark in its environment.
type family struct {
	group int
	mark  string
	floor int64         // what peak memory of a program is not known below
	seen  int64         // the most memory that looks saw
	cpu   time.Duration // the most processor time that they saw, of all members together
}

// member is a process of a family.
type member struct {
	pid    int
	memory int64         // at its peak
	cpu    time.Duration // also of children that it waited for
	left   bool          // the process group
}

// adopt is called when the program has replaced this one in its process. The kernel counts for it what this one had in memory until then.
func (f *family) adopt(p *os.Process, mark string) error {
	f.group, f.mark = p.Pid, mark
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return err
	}
	f.floor = bytesOf(&own)
	return nil
}

func (f *family) ask() { f.signal(syscall.SIGTERM) }

// mostSweeps bounds how often those that left the group are looked for: each may have started another one meanwhile.
const mostSweeps = 10

func (f *family) kill() {
	for range mostSweeps {
		if f.signal(syscall.SIGKILL) == 0 {
			return
		}
	}
}

// signal is for all of the family, and says how many have left the group.
func (f *family) signal(s syscall.Signal) (left int) {
	syscall.Kill(-f.group, s)
	for _, m := range members(f.group, f.mark) {
		if m.left {
			syscall.Kill(m.pid, s)
			left++
		}
	}
	return left
}

// look notes what the processes have taken until now.
func (f *family) look() {
	cpu := time.Duration(0)
	for _, m := range members(f.group, f.mark) {
		f.seen = max(f.seen, m.memory)
		cpu += m.cpu
	}
	f.cpu = max(f.cpu, cpu)
}

// spent is the processor time of a program that has ended.
func (f *family) spent(s *os.ProcessState) time.Duration {
	return max(f.cpu, s.UserTime()+s.SystemTime())
}

// peak is the most memory of a process that has ended, or of a child, in bytes; 0 when it is not known.
func (f *family) peak(s *os.ProcessState) int64 {
	usage, ok := s.SysUsage().(*syscall.Rusage)
	if !ok || bytesOf(usage) <= f.floor {
		return f.seen
	}
	return max(f.seen, bytesOf(usage))
}

// bytesOf is the peak memory of a process and of the children that it waited for.
func bytesOf(usage *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(usage.Maxrss) // bytes there
	}
	return int64(usage.Maxrss) << 10
}
