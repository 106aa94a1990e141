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
type family struct{ group int }

func (f *family) adopt(p *os.Process) error {
	f.group = p.Pid
	return nil
}

func (f *family) ask()  { syscall.Kill(-f.group, syscall.SIGTERM) }
func (f *family) kill() { syscall.Kill(-f.group, syscall.SIGKILL) }

// peak is not known of a group.
func (f *family) peak() int64 { return 0 }

// peak is the most memory of a process that has ended, or of a child that it waited for, in bytes.
func peak(s *os.ProcessState) int64 {
	usage, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(usage.Maxrss) // bytes there
	}
	return int64(usage.Maxrss) << 10
}
