package main

import (
	"io"
	"os"
	"sync"

	"golang.org/x/term"

	"github.com/karchive/karchive/internal/aside"
)

// keys are what is typed on the terminal, key by key and without an echo; Ctrl-C still interrupts. It is not ok when stdin is no terminal,
// or is another job's. restore gives the terminal back, also when the process ends early.
func (e *env) keys() (keys io.Reader, restore func(), ok bool) {
	f, isFile := e.stdin.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return nil, nil, false
	}
	undo, err := typing(int(f.Fd()))
	if err != nil {
		return nil, nil, false
	}
	once := sync.OnceFunc(undo)
	forget := aside.OnLeave(once)
	return f, func() {
		forget()
		once()
	}, true
}
