package compare

import (
	"os"
	"os/exec"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// shell runs a command by cmd.exe, which takes the line as it is.
func shell(command string) *exec.Cmd {
	c := exec.Command("cmd.exe")
	c.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /D /S /C "` + command + `"`, CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
	return c
}

// family is the job that a program and its children are in. All of them end when it is closed, also by the end of this process.
type family struct{ job windows.Handle }

func (f *family) adopt(p *os.Process, _ string) (err error) {
	if f.job, err = windows.CreateJobObject(nil, nil); err != nil {
		return err
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	if _, err := windows.SetInformationJobObject(f.job, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits))); err != nil {
		return err
	}
	h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(p.Pid))
	if err != nil {
		return err
	}
	defer windows.CloseHandle(h)
	return windows.AssignProcessToJobObject(f.job, h)
}

// ask ends all at once: there is no other way that every program hears of.
func (f *family) ask() { f.kill() }

func (f *family) kill() { windows.TerminateJobObject(f.job, 1) }

// look does nothing: the job knows.
func (f *family) look() {}

// spent is the processor time of a program that has ended.
func (f *family) spent(s *os.ProcessState) time.Duration { return s.UserTime() + s.SystemTime() }

// peak is the most memory that a process of the job had, in bytes.
func (f *family) peak(*os.ProcessState) int64 {
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	err := windows.QueryInformationJobObject(f.job, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)), nil)
	if err != nil {
		return 0
	}
	return int64(limits.PeakProcessMemoryUsed)
}
