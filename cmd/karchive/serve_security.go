package main

import (
	"crypto/tls"
	"fmt"
	"strings"

	"github.com/karchive/karchive/internal/serve"
)

// accounts are the users of --sasl-user.
func (o *serveOptions) accounts(e *env) ([]serve.User, error) {
	var users []serve.User
	for _, text := range o.users.Value() {
		name, from, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, &usageError{"--sasl-user is not NAME=PASSWORD", saslHint}
		}
		password, err := o.password(e, from)
		if err != nil {
			return nil, err
		}
		users = append(users, serve.User{Name: name, Password: password})
	}
	return users, nil
}

const saslHint = "give the password as @FILE or env:VARIABLE, which other users of this machine do not see"

func (o *serveOptions) password(e *env, from string) (string, error) {
	sources := e.sources("")
	if name, ok := strings.CutPrefix(from, "@"); ok {
		b, err := sources.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	}
	if name, ok := strings.CutPrefix(from, "env:"); ok {
		if password, ok := sources.Getenv(name); ok && password != "" {
			return password, nil
		}
		return "", usage("--sasl-user: the environment has no %s", name)
	}
	return "", &usageError{"--sasl-user has a password that everybody can see", saslHint}
}

// tls is how connections are encrypted; nil: they are not.
func (o *serveOptions) tls() (*tls.Config, error) {
	if (o.certificate == "") != (o.key == "") {
		return nil, usage("--tls-cert and --tls-key belong together")
	}
	if o.certificate == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(o.certificate, o.key)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}
