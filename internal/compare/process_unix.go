//go:build unix

package compare

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// shell runs a command in a process group of its own.
func shell(command string) *exec.Cmd {
	c := exec.Command("sh", "-c", command)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c
}

// family is the process group of a program.
type family struct {
	group int
	floor int64 // what peak memory of a program is not known below
	seen  int64 // the most memory that looks saw
}

// adopt is called when the program has replaced this one in its process. The kernel counts for it what this one had in memory until then.
func (f *family) adopt(p *os.Process) error {
	f.group = p.Pid
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return err
	}
	f.floor = bytesOf(&own)
	return nil
}

func (f *family) ask()  { syscall.Kill(-f.group, syscall.SIGTERM) }
func (f *family) kill() { syscall.Kill(-f.group, syscall.SIGKILL) }

// look notes the memory of the processes now.
func (f *family) look() { f.seen = max(f.seen, highWater(f.group)) }

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
