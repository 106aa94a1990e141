package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/karchive/karchive/pack"
)

// identityFlag is --identity, of every command that reads an archive.
func identityFlag(e *env) cli.Flag {
	return &cli.StringFlag{Name: "identity", Usage: "decrypt an encrypted packed archive with the age or SSH key in `FILE`", Destination: &e.identity}
}

// openPacked opens the packed archive called name; none is one when there is a directory or nothing of that name.
func (e *env) openPacked(name string, o pack.OpenOptions) (p *pack.Pack, packed bool, err error) {
	files := pack.Find(name)
	if files == nil {
		return nil, false, nil
	}
	p, err = e.openPackedFiles(files, o)
	return p, true, err
}

func (e *env) openPackedFiles(files []string, o pack.OpenOptions) (*pack.Pack, error) {
	var err error
	if o.Identities, err = e.identities(); err != nil {
		return nil, err
	}
	p, err := pack.Open(files, o)
	switch {
	case errors.Is(err, pack.ErrEncrypted) && e.identity == "":
		return nil, withHint(err, "give the file with the age or SSH key as --identity")
	case errors.Is(err, pack.ErrNotTrusted):
		return nil, withHint(err, "do not use it before whoever signs has said why")
	}
	return p, err
}

// identities are the keys in the file of --identity.
func (e *env) identities() ([]age.Identity, error) {
	if e.identity == "" {
		return nil, nil
	}
	text, err := readKeys(e.identity)
	if err != nil {
		return nil, fmt.Errorf("--identity: %w", err)
	}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("-----BEGIN")) {
		id, err := e.sshIdentity(text)
		if err != nil {
			return nil, fmt.Errorf("--identity %s: %w", e.identity, plainError(err))
		}
		return []age.Identity{id}, nil
	}
	ids, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil { // age repeats the line, which may be a key
		return nil, fmt.Errorf("--identity %s: not an identity file of age, nor a private key of SSH", e.identity)
	}
	return ids, nil
}

// sshIdentity is a private key of SSH; one with a passphrase asks for it when it is needed.
func (e *env) sshIdentity(text []byte) (age.Identity, error) {
	id, err := agessh.ParseIdentity(text)
	locked, ok := errors.AsType[*ssh.PassphraseMissingError](err)
	if !ok {
		return id, err
	}
	if locked.PublicKey == nil {
		return nil, errors.New("a key with a passphrase in a form that does not say its public key: convert it with ssh-keygen -p")
	}
	return agessh.NewEncryptedSSHIdentity(locked.PublicKey, text, func() ([]byte, error) { return e.passphrase(e.identity) })
}

// plainError is an error without what a library added behind the first line.
func plainError(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(text)
}
