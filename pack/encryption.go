package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
)

// What begins a file that age encrypted: as it is, and armored.
var (
	ageMagic   = []byte("age-encryption.org/v1\n")
	armorMagic = []byte("-----BEGIN AGE ENCRYPTED FILE-----")
)

// decrypted is src itself, or where age encrypted it, its content, which is decrypted where it is read.
func decrypted(src io.ReaderAt, size int64, identities []age.Identity) (io.ReaderAt, int64, error) {
	begin := make([]byte, len(armorMagic))
	n, err := src.ReadAt(begin, 0)
	if err != nil && err != io.EOF {
		return nil, 0, err
	}
	switch begin = begin[:n]; {
	case bytes.HasPrefix(begin, armorMagic):
		return nil, 0, fmt.Errorf("%w as text, which cannot be read by ranges: decrypt it with age -d", ErrEncrypted)
	case !bytes.HasPrefix(begin, ageMagic):
		return src, size, nil
	case len(identities) == 0:
		return nil, 0, ErrEncrypted
	}
	plain, size, err := age.DecryptReaderAt(src, size, identities...)
	if noMatch, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, 0, fmt.Errorf("%w, and not to this identity: %w", ErrEncrypted, noMatch)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("decrypt: %w", err)
	}
	return plain, size, nil
}

// ParseRecipients reads public keys to encrypt to, one a line: of age, or of SSH. Lines that begin with # are left out.
func ParseRecipients(text []byte) ([]age.Recipient, error) {
	var all []age.Recipient
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		r, err := parseRecipient(string(line))
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil, errors.New("no recipient in it")
	}
	return all, nil
}

func parseRecipient(line string) (age.Recipient, error) {
	switch {
	case strings.HasPrefix(line, "age1pq1"):
		if r, err := age.ParseHybridRecipient(line); err == nil {
			return r, nil
		}
	case strings.HasPrefix(line, "age1"):
		if r, err := age.ParseX25519Recipient(line); err == nil {
			return r, nil
		}
	case strings.HasPrefix(line, "ssh-"):
		if r, err := agessh.ParseRecipient(line); err == nil {
			return r, nil
		}
	}
	return nil, errors.New("not a public key of age or SSH (ssh-ed25519, ssh-rsa)")
}
