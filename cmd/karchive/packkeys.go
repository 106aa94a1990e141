package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/karchive/karchive/pack"
)

// options are those of the library, with all keys and what --since names.
func (o *packOptions) options(e *env) (pack.Options, error) {
	opts := pack.Options{Split: o.split}
	var err error
	for _, file := range o.sign.Value() {
		s, err := e.signer(file)
		if err != nil {
			return opts, fmt.Errorf("--sign: %w", err)
		}
		opts.Signers = append(opts.Signers, s)
	}
	for _, s := range o.encryptTo.Value() {
		found, err := recipients(s)
		if err != nil {
			return opts, fmt.Errorf("--encrypt-to: %w", err)
		}
		opts.Recipients = append(opts.Recipients, found...)
	}
	if o.since != "" {
		if opts.Since, err = o.sinceState(e); err != nil {
			return opts, fmt.Errorf("--since %s: %w", o.since, err)
		}
	}
	return opts, nil
}

// sinceState is the manifest of an earlier archive, of a packed one, or one that lies there alone.
func (o *packOptions) sinceState(e *env) (*pack.Manifest, error) {
	p, packed, err := e.openPacked(o.since, pack.OpenOptions{AllowMissing: true})
	switch {
	case err != nil:
		return nil, err
	case packed:
		return p.Manifest, p.Close()
	}
	if info, err := os.Stat(o.since); err == nil && info.Mode().IsRegular() {
		text, err := os.ReadFile(o.since)
		if err != nil {
			return nil, err
		}
		return pack.ParseManifest(text)
	}
	fsys, err := directoryFS(o.since)
	if err != nil {
		return nil, err
	}
	return pack.Describe(fsys)
}

// signer is a key that signs: a file with a secret one, or a file with a public SSH key of which ssh-agent holds the other half.
func (e *env) signer(file string) (pack.Signer, error) {
	text, err := readKeys(file)
	if err != nil {
		return nil, err
	}
	if public, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil {
		return e.agentSigner(file, public)
	}
	s, err := pack.ParseSecretKey(text, func() ([]byte, error) { return e.passphrase(file) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

func (e *env) agentSigner(file string, public ssh.PublicKey) (pack.Signer, error) {
	socket, ok := e.sources("").Getenv("SSH_AUTH_SOCK")
	if !ok {
		return nil, withHint(fmt.Errorf("%s is a public key, and no ssh-agent is running", file), "start one and ssh-add the key, or give the file of the private key")
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("ssh-agent: %w", err)
	}
	keys, err := agent.NewClient(conn).Signers()
	if err != nil {
		return nil, fmt.Errorf("ssh-agent: %w", err)
	}
	for _, k := range keys {
		if string(k.PublicKey().Marshal()) == string(public.Marshal()) {
			return pack.SSHSigner(k), nil
		}
	}
	return nil, withHint(fmt.Errorf("ssh-agent does not hold the key of %s", file), "ssh-add it")
}

// recipients are the public keys that s is, or that are in the file s.
func recipients(s string) ([]age.Recipient, error) {
	found, err := pack.ParseRecipients([]byte(s))
	if err == nil {
		return found, nil
	}
	text, readErr := readKeys(s)
	if readErr != nil {
		return nil, fmt.Errorf("%w, nor a file that can be read: %w", err, readErr)
	}
	if found, err = pack.ParseRecipients(text); err != nil {
		return nil, fmt.Errorf("%s: %w", s, err)
	}
	return found, nil
}

// readKeys reads a file with keys. The error does not name it: what was given may be the key itself.
func readKeys(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if wrong, ok := errors.AsType[*fs.PathError](err); ok {
		err = wrong.Err
	}
	return text, err
}

func signedBy(signers []pack.Signer) []string {
	names := []string{}
	for _, s := range signers {
		names = append(names, s.String())
	}
	return names
}
