package connect

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// authority is a certificate authority made for one test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	next int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t), next: 2}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.cert = a.sign(template, &a.key.PublicKey, template)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) sign(template *x509.Certificate, key *ecdsa.PublicKey, parent *x509.Certificate) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

// issue makes a certificate for a server at 127.0.0.1, or for another name.
func (a *authority) issue(name string) identity {
	a.t.Helper()
	id := identity{t: a.t, key: newKey(a.t), ca: a.cert}
	template := &x509.Certificate{SerialNumber: big.NewInt(a.next), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	a.next++
	id.cert = a.sign(template, &id.key.PublicKey, a.cert)
	return id
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func (a *authority) pem() []byte { return certPEM(a.cert) }

// trustJKS is a Java trust store that holds the authority.
func (a *authority) trustJKS(password string) []byte {
	a.t.Helper()
	ks := keystore.New()
	entry := keystore.TrustedCertificateEntry{CreationTime: time.Now(), Certificate: keystore.Certificate{Type: "X509", Content: a.cert.Raw}}
	if err := ks.SetTrustedCertificateEntry("authority", entry); err != nil {
		a.t.Fatal(err)
	}
	return storeJKS(a.t, ks, password)
}

func (a *authority) trustPKCS12(password string) []byte {
	a.t.Helper()
	data, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{a.cert}, password)
	if err != nil {
		a.t.Fatal(err)
	}
	return data
}

// identity is a certificate with its key.
type identity struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	ca   *x509.Certificate
}

func (i identity) tls() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{i.cert.Raw}, PrivateKey: i.key}
}

func (i identity) keyPEM() []byte {
	i.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		i.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (i identity) encryptedKeyPEM(password string) []byte {
	i.t.Helper()
	der, err := pkcs8.MarshalPrivateKey(i.key, []byte(password), nil)
	if err != nil {
		i.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})
}

func (i identity) jks(password, keyPassword string) []byte {
	i.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		i.t.Fatal(err)
	}
	ks := keystore.New()
	entry := keystore.PrivateKeyEntry{CreationTime: time.Now(), PrivateKey: der,
		CertificateChain: []keystore.Certificate{{Type: "X509", Content: i.cert.Raw}, {Type: "X509", Content: i.ca.Raw}}}
	if err := ks.SetPrivateKeyEntry("client", entry, []byte(keyPassword)); err != nil {
		i.t.Fatal(err)
	}
	return storeJKS(i.t, ks, password)
}

func (i identity) pkcs12(password string) []byte {
	i.t.Helper()
	data, err := pkcs12.Modern.Encode(i.key, i.cert, []*x509.Certificate{i.ca}, password)
	if err != nil {
		i.t.Fatal(err)
	}
	return data
}

func storeJKS(t *testing.T, ks keystore.KeyStore, password string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := ks.Store(&b, []byte(password)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func certPEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

// write puts data into a new file and returns its name.
func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
