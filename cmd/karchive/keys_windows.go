package main

import "golang.org/x/sys/windows"

// typing switches a console to single keys without an echo, and leaves Ctrl-C as it is.
func typing(fd int) (undo func(), err error) {
	var old uint32
	if err := windows.GetConsoleMode(windows.Handle(fd), &old); err != nil {
		return nil, err
	}
	if err := windows.SetConsoleMode(windows.Handle(fd), old&^(windows.ENABLE_LINE_INPUT|windows.ENABLE_ECHO_INPUT)); err != nil {
		return nil, err
	}
	return func() { windows.SetConsoleMode(windows.Handle(fd), old) }, nil
}
