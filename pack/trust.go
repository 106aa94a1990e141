package pack

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"aead.dev/minisign"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// Namespace is what signatures with SSH keys are for: ssh-keygen -Y verify -n karchive.
const Namespace = "karchive"

// PublicKey checks signatures over manifests.
type PublicKey interface {
	fmt.Stringer
	// Suffix is that of the signatures that it checks.
	Suffix() string
	// Verify fails when the signature is not one of this key over the manifest.
	Verify(manifest, signature []byte) error
}

// ErrNotTrusted is wrapped by errors about a packed archive that is not signed by a key that is trusted.
var ErrNotTrusted = errors.New("not trusted")

// checkTrust finds the key that signed the manifest among those that are trusted.
func (p *Pack) checkTrust(keys []PublicKey) error {
	if len(keys) == 0 {
		return nil
	}
	var wrong []string
	for _, key := range keys {
		signature, ok := p.Signatures[key.Suffix()]
		if !ok {
			wrong = append(wrong, "it has no signature of the kind of "+key.String())
			continue
		}
		err := key.Verify(p.text, signature)
		if err == nil {
			p.SignedBy = key
			return nil
		}
		wrong = append(wrong, err.Error())
	}
	return fmt.Errorf("%w: %s", ErrNotTrusted, strings.Join(wrong, ", "))
}

// ParsePublicKeys reads public keys: of minisign, as its own file or the one line with the key, or of SSH, one a line.
func ParsePublicKeys(text []byte) ([]PublicKey, error) {
	var keys []PublicKey
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || bytes.HasPrefix(line, []byte("#")) || bytes.HasPrefix(line, []byte("untrusted comment:")) {
			continue
		}
		key, err := parsePublicKey(line)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("no public key in it")
	}
	return keys, nil
}

func parsePublicKey(line []byte) (PublicKey, error) {
	var m minisign.PublicKey
	if m.UnmarshalText(line) == nil {
		return minisignKey{m}, nil
	}
	s, _, _, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		return nil, errors.New("not a public key of minisign or SSH")
	}
	return sshKey{s}, nil
}

type minisignKey struct{ key minisign.PublicKey }

func (k minisignKey) String() string { return fmt.Sprintf("minisign key %016X", k.key.ID()) }

func (minisignKey) Suffix() string { return MinisignSuffix }

func (k minisignKey) Verify(manifest, signature []byte) error {
	if minisign.Verify(k.key, manifest, signature) {
		return nil
	}
	return fmt.Errorf("its minisign signature is not one of %s", k)
}

type sshKey struct{ key ssh.PublicKey }

func (k sshKey) String() string { return "SSH key " + ssh.FingerprintSHA256(k.key) }

func (sshKey) Suffix() string { return SSHSuffix }

func (k sshKey) Verify(manifest, signature []byte) error {
	s, err := sshsig.Unarmor(signature)
	if err == nil {
		err = sshsig.Verify(bytes.NewReader(manifest), s, k.key, s.HashAlgorithm, Namespace)
	}
	if err != nil {
		return fmt.Errorf("its SSH signature is not one of %s: %w", k, err)
	}
	return nil
}
