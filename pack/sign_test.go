package pack

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aead.dev/minisign"
	"filippo.io/age"
	"golang.org/x/crypto/ssh"
)

// keys are a key of each kind, with the line that trusts it.
func keys(t *testing.T) (signers []Signer, public []string) {
	t.Helper()
	mp, ms, err := minisign.GenerateKey(rand.Reader)
	must(t, err)
	_, raw, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	s, err := ssh.NewSignerFromSigner(raw)
	must(t, err)
	return []Signer{minisignSigner{ms}, SSHSigner(s)}, []string{mp.String(), string(ssh.MarshalAuthorizedKey(s.PublicKey()))}
}

func TestOnlyWhatATrustedKeySignedIsOpened(t *testing.T) {
	dir, tmp := newArchive(t, 1, 1), t.TempDir()
	signers, public := keys(t)
	_, others := keys(t)
	signed := packInto(t, dir, filepath.Join(tmp, "signed.karchive"), Options{Signers: signers})
	unsigned := packInto(t, dir, filepath.Join(tmp, "unsigned.karchive"), Options{})
	for i, line := range public {
		trusted, err := ParsePublicKeys([]byte(line))
		must(t, err)
		other, err := ParsePublicKeys([]byte(others[i]))
		must(t, err)
		p, err := Open(signed, OpenOptions{Trust: trusted})
		must(t, err)
		if p.SignedBy == nil || p.SignedBy.String() != trusted[0].String() {
			t.Errorf("signed by %v, want %v", p.SignedBy, trusted[0])
		}
		p.text = append(bytes.Clone(p.text), ' ')
		if err := p.checkTrust(trusted); !errors.Is(err, ErrNotTrusted) {
			t.Errorf("a changed manifest: got %v, want %v", err, ErrNotTrusted)
		}
		p.Close()
		if _, err := Open(signed, OpenOptions{Trust: other}); !errors.Is(err, ErrNotTrusted) {
			t.Errorf("signed by another: got %v, want %v", err, ErrNotTrusted)
		}
		if _, err := Open(unsigned, OpenOptions{Trust: trusted}); !errors.Is(err, ErrNotTrusted) {
			t.Errorf("not signed: got %v, want %v", err, ErrNotTrusted)
		}
	}
}

func TestAnEncryptedPackIsReadWithItsIdentityAlone(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	must(t, err)
	other, err := age.GenerateX25519Identity()
	must(t, err)
	to, err := ParseRecipients([]byte(id.Recipient().String()))
	must(t, err)
	files := packInto(t, newArchive(t, 1, 2), filepath.Join(t.TempDir(), "run.karchive.age"), Options{Recipients: to})
	a, err := OpenArchive(files[0], OpenOptions{Identities: []age.Identity{id}})
	must(t, err)
	if got := len(a.Partitions()); got != 1 {
		t.Errorf("%d partitions, want 1", got)
	}
	for _, ids := range [][]age.Identity{nil, {other}} {
		if _, err := Open(files, OpenOptions{Identities: ids}); !errors.Is(err, ErrEncrypted) {
			t.Errorf("with %d other identities: got %v, want %v", len(ids), err, ErrEncrypted)
		}
	}
}

func TestStockToolsReadAndVerifyAPackedFile(t *testing.T) {
	tmp := t.TempDir()
	signers, public := keys(t)
	file := packInto(t, newArchive(t, 2, 2), filepath.Join(tmp, "run.karchive"), Options{Signers: signers})[0]
	must(t, os.WriteFile(filepath.Join(tmp, "signers"), []byte("giver "+public[1]), 0o600))
	run(t, tmp, "", "unzip", "-t", file)
	run(t, tmp, "", "python3", "-m", "zipfile", "-t", file)
	run(t, tmp, "", "unzip", "-q", file, "-d", "out")
	out := filepath.Join(tmp, "out")
	run(t, out, "", "sha256sum", "-c", "--quiet", "SHA256SUMS")
	manifest, err := os.ReadFile(filepath.Join(out, ManifestName))
	must(t, err)
	run(t, out, string(manifest), "ssh-keygen", "-Y", "verify", "-f", "../signers", "-I", "giver", "-n", Namespace, "-s", ManifestName+SSHSuffix)
	run(t, out, "", "minisign", "-V", "-P", public[0], "-m", ManifestName)
}

// run runs a tool of the machine; one that is not there is left out.
func run(t *testing.T, dir, stdin, name string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Logf("no %s here: left out", name)
		return
	}
	c := exec.Command(name, args...)
	c.Dir, c.Stdin = dir, strings.NewReader(stdin)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%s: %v: %s", name, err, out)
	}
}
