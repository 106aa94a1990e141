//go:build !linux

package kafkatest

import "syscall"

// childAttr leaves a child in the process group of its parent, so that a terminal's Ctrl-C ends both.
func childAttr() *syscall.SysProcAttr { return nil }
