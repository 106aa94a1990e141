package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"testing"

	"aead.dev/minisign"
	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/karchive/karchive/test/testpki"
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

// startAgent NAME starts an ssh-agent that holds the key NAME.ssh, and sets the variable of its socket.
func startAgent(ts *testscript.TestScript, _ bool, args []string) {
	key, err := ssh.ParseRawPrivateKeyWithPassphrase([]byte(ts.ReadFile(args[0]+".ssh")), []byte("correct horse"))
	ts.Check(err)
	keys := agent.NewKeyring()
	ts.Check(keys.Add(agent.AddedKey{PrivateKey: key}))
	dir, err := os.MkdirTemp("", "agent") // paths of sockets are short
	ts.Check(err)
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	ts.Check(err)
	ts.Defer(func() {
		l.Close()
		os.RemoveAll(dir)
	})
	ts.Setenv("SSH_AUTH_SOCK", l.Addr().String())
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(keys, conn)
		}
	}()
}

// certificate NAME makes NAME.pem and NAME.key, a certificate of localhost and its key, and ca.pem, who it is to be trusted by.
func makeCertificate(ts *testscript.TestScript, _ bool, args []string) {
	ca := testpki.NewAuthority(ts.Value("testing").(*testing.T))
	identity := ca.Issue("localhost")
	for name, content := range map[string][]byte{"ca.pem": ca.PEM(), args[0] + ".pem": identity.PEM(), args[0] + ".key": identity.KeyPEM()} {
		ts.Check(os.WriteFile(ts.MkAbs(name), content, 0o600))
	}
}
