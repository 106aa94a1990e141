//go:build !(linux || darwin || freebsd || netbsd || openbsd || windows)

package main

import "errors"

// typing is not known on this system.
func typing(int) (undo func(), err error) { return nil, errors.ErrUnsupported }
