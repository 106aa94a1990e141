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
	if !run(t, tmp, "", "unzip", "-q", file, "-d", "out") && !run(t, tmp, "", "python3", "-m", "zipfile", "-e", file, "out") {
		return
	}
	out := filepath.Join(tmp, "out")
	run(t, out, "", "sha256sum", "-c", "--quiet", "SHA256SUMS")
	name := filepath.Join(out, ManifestName)
	manifest, err := os.ReadFile(name)
	must(t, err)
	ssh := []string{"-Y", "verify", "-f", "../signers", "-I", "giver", "-n", Namespace, "-s", ManifestName + SSHSuffix}
	minisign := []string{"-V", "-P", public[0], "-m", ManifestName}
	run(t, out, string(manifest), "ssh-keygen", ssh...)
	run(t, out, "", "minisign", minisign...)
	flipBit(t, name, 20)
	refuse(t, out, string(manifest)+" ", "ssh-keygen", ssh...)
	refuse(t, out, "", "minisign", minisign...)
}

func TestAgeDecryptsAnEncryptedPack(t *testing.T) {
	dir, tmp := newArchive(t, 1, 2), t.TempDir()
	id, err := age.GenerateX25519Identity()
	must(t, err)
	to, err := ParseRecipients([]byte(id.Recipient().String()))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(tmp, "key"), []byte(id.String()+"\n"), 0o600))
	encrypted := packInto(t, dir, filepath.Join(tmp, "run.karchive.age"), Options{Recipients: to})[0]
	if !run(t, tmp, "", "age", "-d", "-i", "key", "-o", "got.karchive", encrypted) {
		return
	}
	got, err := os.ReadFile(filepath.Join(tmp, "got.karchive"))
	must(t, err)
	want, err := os.ReadFile(packInto(t, dir, filepath.Join(tmp, "run.karchive"), Options{})[0])
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("age decrypts %d bytes that are not the %d of the packed file", len(got), len(want))
	}
}

// run runs a tool of the machine, which must end well. One that is not there is left out: false.
func run(t *testing.T, dir, stdin, name string, args ...string) bool {
	t.Helper()
	out, err := tool(dir, stdin, name, args)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		t.Logf("no %s here: left out", name)
		return false
	case err != nil:
		t.Errorf("%s: %v: %s", name, err, out)
	}
	return true
}

// refuse runs a tool that must fail.
func refuse(t *testing.T, dir, stdin, name string, args ...string) {
	t.Helper()
	if out, err := tool(dir, stdin, name, args); err == nil {
		t.Errorf("%s takes what was changed: %s", name, out)
	}
}

func tool(dir, stdin, name string, args []string) ([]byte, error) {
	c := exec.Command(name, args...)
	c.Dir, c.Stdin = dir, strings.NewReader(stdin)
	return c.CombinedOutput()
}
