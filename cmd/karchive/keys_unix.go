//go:build linux || darwin || freebsd || netbsd || openbsd

package main

import (
	"errors"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// typing switches a terminal to single keys without an echo, and leaves signals and the output as they are.
func typing(fd int) (undo func(), err error) {
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	if err != nil {
		return nil, err
	}
	if group != unix.Getpgrp() {
		return nil, errors.New("the terminal is another job's")
	}
	old, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	single := *old
	single.Lflag &^= unix.ICANON | unix.ECHO
	single.Cc[unix.VMIN], single.Cc[unix.VTIME] = 1, 0
	// A job that is moved to the background would be stopped for reading on; so the read fails.
	signal.Ignore(syscall.SIGTTIN)
	if err := unix.IoctlSetTermios(fd, setTermios, &single); err != nil {
		return nil, err
	}
	return func() {
		signal.Ignore(syscall.SIGTTOU) // from the background too
		unix.IoctlSetTermios(fd, setTermios, old)
	}, nil
}
