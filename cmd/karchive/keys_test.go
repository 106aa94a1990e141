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
// The SSH key has the passphrase of the file NAME.passphrase. That of minisign has none: it would take a gigabyte and some seconds to read.
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
	text, err := mSecret.MarshalText()
	ts.Check(err)
	write(".minisign", text)
	write(".minisign.pub", []byte("untrusted comment: "+name+"\n"+mPublic.String()+"\n"))
	id, err := age.GenerateX25519Identity()
	ts.Check(err)
	write(".age", []byte(id.String()+"\n"))
	write(".age.pub", []byte(id.Recipient().String()+"\n"))
}
