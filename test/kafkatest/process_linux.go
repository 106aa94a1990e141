package kafkatest

import "syscall"

// childAttr puts a child into its own process group, out of reach of a terminal's Ctrl-C, and has it killed when the thread that started
// it ends, hence with this process. The thread must stay alive as long as the child: its goroutine is locked to it.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
