package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"

	"aead.dev/minisign"
	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
)

// makeKeys writes keys of the kinds that pack knows: NAME.ssh and NAME.ssh.pub, NAME.minisign and NAME.minisign.pub, NAME.age and NAME.age.pub.
// The SSH key and that of minisign have the passphrase of the file NAME.passphrase.
func makeKeys(ts *testscript.TestScript, _ bool, args []string) {
	name, passphrase := args[0], "correct horse"
	write := func(ending string, content []byte) {
		ts.Check(os.WriteFile(ts.MkAbs(name+ending), content, 0o600))
	}
	write(".passphrase", []byte(passphrase+"\n"))
	public, secret, err := ed25519.GenerateKey(rand.Reader)
	ts.Check(err)
	block, err := ssh.MarshalPrivateKeyWithPassphrase(secret, "", []byte(passphrase))
	ts.Check(err)
	write(".ssh", pem.EncodeToMemory(block))
	sshPublic, err := ssh.NewPublicKey(public)
	ts.Check(err)
	write(".ssh.pub", ssh.MarshalAuthorizedKey(sshPublic))
	mPublic, mSecret, err := minisign.GenerateKey(rand.Reader)
	ts.Check(err)
	locked, err := minisign.EncryptKey(passphrase, mSecret)
	ts.Check(err)
	write(".minisign", locked)
	write(".minisign.pub", []byte(mPublic.String()+"\n"))
	id, err := age.GenerateX25519Identity()
	ts.Check(err)
	write(".age", []byte(id.String()+"\n"))
	write(".age.pub", []byte(id.Recipient().String()+"\n"))
}
