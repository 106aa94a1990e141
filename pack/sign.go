package pack

import (
	"bytes"
	"errors"
	"fmt"

	"aead.dev/minisign"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// Signer signs a manifest.
type Signer interface {
	fmt.Stringer
	// Suffix is what the name of the signature has behind that of the manifest: MinisignSuffix or SSHSuffix.
	Suffix() string
	// Sign returns the signature in the form in which its own tool reads it.
	Sign(manifest []byte) ([]byte, error)
}

// The suffixes of signatures' names.
const (
	MinisignSuffix = ".minisig"
	SSHSuffix      = ".sig"
)

// signatureKinds is the order of signatures in a packed file.
var signatureKinds = []string{MinisignSuffix, SSHSuffix}

// ErrNoKey is wrapped by errors about text that is no key.
var ErrNoKey = errors.New("no key of minisign or SSH")

// ParseSecretKey reads a secret key of minisign or a private key of SSH, and asks for its passphrase if it has one. Errors repeat nothing of it.
func ParseSecretKey(text []byte, passphrase func() ([]byte, error)) (Signer, error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("-----BEGIN")) {
		return parseSSHKey(text, passphrase)
	}
	var key minisign.PrivateKey
	if minisign.IsEncrypted(text) {
		secret, err := passphrase()
		if err != nil {
			return nil, err
		}
		if key, err = minisign.DecryptKey(string(secret), text); err != nil {
			return nil, errors.New("the passphrase is not that of this minisign key")
		}
		return minisignSigner{key}, nil
	}
	if err := key.UnmarshalText(bytes.TrimSpace(text)); err != nil {
		return nil, ErrNoKey
	}
	return minisignSigner{key}, nil
}

func parseSSHKey(text []byte, passphrase func() ([]byte, error)) (Signer, error) {
	key, err := ssh.ParsePrivateKey(text)
	if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
		secret, err := passphrase()
		if err != nil {
			return nil, err
		}
		if key, err = ssh.ParsePrivateKeyWithPassphrase(text, secret); err != nil {
			return nil, errors.New("the passphrase is not that of this SSH key")
		}
		return SSHSigner(key), nil
	}
	if err != nil {
		return nil, ErrNoKey
	}
	return SSHSigner(key), nil
}

// SSHSigner signs with an SSH key, one of an agent say.
func SSHSigner(key ssh.Signer) Signer { return sshSigner{key} }

type minisignSigner struct{ key minisign.PrivateKey }

func (s minisignSigner) String() string { return fmt.Sprintf("minisign key %016X", s.key.ID()) }

func (minisignSigner) Suffix() string { return MinisignSuffix }

// Sign writes no time into its comments: the same archive gives the same file.
func (s minisignSigner) Sign(manifest []byte) ([]byte, error) {
	return minisign.SignWithComments(s.key, manifest, "file:"+ManifestName, "signature from minisign secret key"), nil
}

type sshSigner struct{ key ssh.Signer }

func (s sshSigner) String() string { return "SSH key " + ssh.FingerprintSHA256(s.key.PublicKey()) }

func (sshSigner) Suffix() string { return SSHSuffix }

func (s sshSigner) Sign(manifest []byte) ([]byte, error) {
	signature, err := sshsig.Sign(bytes.NewReader(manifest), s.key, sshsig.HashSHA512, Namespace)
	if err != nil {
		return nil, err
	}
	return sshsig.Armor(signature), nil
}
