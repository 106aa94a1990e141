package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// passphrase asks on the terminal for the passphrase of a key file, once for each file. Without a terminal it is the first line of the file that the
// environment names in KARCHIVE_PASSPHRASE_FILE: a passphrase is never on a command line.
func (e *env) passphrase(file string) ([]byte, error) {
	if name, ok := e.sources("").Getenv("KARCHIVE_PASSPHRASE_FILE"); ok {
		text, err := os.ReadFile(name)
		line, _, _ := bytes.Cut(text, []byte("\n"))
		return bytes.TrimSuffix(line, []byte("\r")), err
	}
	in, ok := e.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, withHint(fmt.Errorf("%s: its key has a passphrase, and there is no terminal to ask for it", file),
			"use an SSH key that ssh-agent holds, or name a file with the passphrase in KARCHIVE_PASSPHRASE_FILE")
	}
	e.freshLine()
	e.ask("passphrase of %s: ", file)
	secret, err := term.ReadPassword(int(in.Fd()))
	e.ask("\n")
	if errors.Is(err, io.EOF) || err == nil && len(secret) == 0 {
		return nil, errInterrupted
	}
	return secret, err
}
