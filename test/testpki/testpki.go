// Package testpki makes certificate authorities, certificates and key stores for tests. They live for an hour.
package testpki

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
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// Authority is a certificate authority made for one test.
type Authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	next int64
}

// NewAuthority makes one.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{t: t, key: newKey(t), next: 2}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.cert = a.sign(template, &a.key.PublicKey, template)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *Authority) sign(template *x509.Certificate, key *ecdsa.PublicKey, parent *x509.Certificate) *x509.Certificate {
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

// Issue makes a certificate for a server at 127.0.0.1, or for another name.
func (a *Authority) Issue(name string) Identity {
	a.t.Helper()
	id := Identity{t: a.t, key: newKey(a.t), ca: a.cert}
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

// Pool is the authority as one to trust.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// PEM is the authority's certificate.
func (a *Authority) PEM() []byte { return certPEM(a.cert) }

// TrustJKS is a Java trust store that holds the authority.
func (a *Authority) TrustJKS(password string) []byte {
	a.t.Helper()
	ks := keystore.New()
	entry := keystore.TrustedCertificateEntry{CreationTime: time.Now(), Certificate: keystore.Certificate{Type: "X509", Content: a.cert.Raw}}
	if err := ks.SetTrustedCertificateEntry("authority", entry); err != nil {
		a.t.Fatal(err)
	}
	return storeJKS(a.t, ks, password)
}

// TrustPKCS12 is the same as PKCS #12.
func (a *Authority) TrustPKCS12(password string) []byte {
	a.t.Helper()
	data, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{a.cert}, password)
	if err != nil {
		a.t.Fatal(err)
	}
	return data
}

// Identity is a certificate with its key.
type Identity struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	ca   *x509.Certificate
}

// TLS is the identity for crypto/tls.
func (i Identity) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{i.cert.Raw}, PrivateKey: i.key}
}

// PEM is the certificate.
func (i Identity) PEM() []byte { return certPEM(i.cert) }

// KeyPEM is the private key.
func (i Identity) KeyPEM() []byte {
	i.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		i.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// EncryptedKeyPEM is the private key under a password.
func (i Identity) EncryptedKeyPEM(password string) []byte {
	i.t.Helper()
	der, err := pkcs8.MarshalPrivateKey(i.key, []byte(password), nil)
	if err != nil {
		i.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})
}

// JKS is a Java key store with the identity, its chain and a password of the key's own.
func (i Identity) JKS(password, keyPassword string) []byte {
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

// PKCS12 is the identity with its chain.
func (i Identity) PKCS12(password string) []byte {
	i.t.Helper()
	data, err := pkcs12.Modern.Encode(i.key, i.cert, []*x509.Certificate{i.ca}, password)
	if err != nil {
		i.t.Fatal(err)
	}
	return data
}

func storeJKS(t testing.TB, ks keystore.KeyStore, password string) []byte {
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
