package connect

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// errStorePassword is wrapped when a store or a key does not open with its password.
const errStorePassword = contentError("does not open: the password is wrong or the file is damaged")

// contentError says what is wrong with a store, a certificate or a key, and nothing of what is in it.
type contentError string

func (e contentError) Error() string { return string(e) }

// unparsed is what may be said of an error of a parser: those of others may quote what they read.
func unparsed(err error) error {
	if ours, ok := errors.AsType[contentError](err); ok {
		return ours
	}
	return contentError("cannot be parsed: it is damaged, or not what the setting is for")
}

// What a store's first bytes say. The type that the settings name is not used: Java, too, opens a PKCS #12 file that is called JKS.
func isPEM(data []byte) bool { return bytes.Contains(data, []byte("-----BEGIN ")) }

func isJKS(data []byte) bool { return bytes.HasPrefix(data, []byte{0xFE, 0xED, 0xFE, 0xED}) }

var pemBlock = regexp.MustCompile(`(-----BEGIN [A-Z0-9 ]+-----)([^-]*)(-----END [A-Z0-9 ]+-----)`)

// inlinePEM restores the line breaks around a block's content, which get lost where a properties file continues a line. Kafka takes any
// white space there.
func inlinePEM(s string) []byte {
	return pemBlock.ReplaceAll([]byte(s), []byte("\n$1\n$2\n$3\n"))
}

// trustedCertificates reads the certificates of a trust store: PEM, JKS or PKCS #12.
func trustedCertificates(data []byte, password string) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	var err error
	switch {
	case isPEM(data):
		certs, err = pemCertificates(data)
	case isJKS(data):
		certs, err = jksCertificates(data, password)
	default:
		certs, err = pkcs12.DecodeTrustStore(data, password)
		err = pkcs12Error(err)
	}
	if err == nil && len(certs) == 0 {
		err = contentError("holds no trusted certificates")
	}
	return certs, err
}

func pemCertificates(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" && block.Type != "TRUSTED CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	return certs, nil
}

// loadJKS opens a Java key store. Without a password its integrity is not checked, as in Java; keystore-go has read all entries when it
// finds the digest wrong, and has no error value for that.
func loadJKS(data []byte, password string) (keystore.KeyStore, error) {
	ks := keystore.New(keystore.WithOrderedAliases(), keystore.WithCaseExactAliases())
	if !jksFits(data) {
		return ks, contentError("is damaged: it says that it holds more than it has")
	}
	err := ks.Load(bytes.NewReader(data), []byte(password))
	if err != nil && strings.Contains(err.Error(), "invalid digest") {
		if password == "" {
			return ks, nil
		}
		return ks, errStorePassword
	}
	return ks, err
}

func jksCertificates(data []byte, password string) ([]*x509.Certificate, error) {
	ks, err := loadJKS(data, password)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for _, alias := range ks.Aliases() {
		entry, err := ks.GetTrustedCertificateEntry(alias)
		if err != nil {
			continue // a private key
		}
		cert, err := x509.ParseCertificate(entry.Certificate.Content)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	return certs, nil
}

// storeIdentities reads the private keys of a key store with their certificate chains. A key's own password is the store's unless given.
func storeIdentities(data []byte, password, keyPassword string) ([]tls.Certificate, error) {
	if keyPassword == "" {
		keyPassword = password
	}
	switch {
	case isPEM(data):
		id, err := pemIdentity(data, keyPassword)
		return []tls.Certificate{id}, err
	case isJKS(data):
		return jksIdentities(data, password, keyPassword)
	}
	key, leaf, chain, err := pkcs12.DecodeChain(data, password)
	if err != nil {
		return nil, pkcs12Error(err)
	}
	id := tls.Certificate{PrivateKey: key, Leaf: leaf}
	for _, cert := range append([]*x509.Certificate{leaf}, chain...) {
		id.Certificate = append(id.Certificate, cert.Raw)
	}
	return []tls.Certificate{id}, nil
}

func pkcs12Error(err error) error {
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return errStorePassword
	}
	return err
}

func jksIdentities(data []byte, password, keyPassword string) ([]tls.Certificate, error) {
	ks, err := loadJKS(data, password)
	if err != nil {
		return nil, err
	}
	var ids []tls.Certificate
	for _, alias := range ks.Aliases() {
		if !ks.IsPrivateKeyEntry(alias) {
			continue
		}
		entry, err := ks.GetPrivateKeyEntry(alias, []byte(keyPassword))
		if err != nil {
			return nil, errStorePassword
		}
		id, err := jksIdentity(entry)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, contentError("holds no private key")
	}
	return ids, nil
}

func jksIdentity(entry keystore.PrivateKeyEntry) (tls.Certificate, error) {
	key, err := x509.ParsePKCS8PrivateKey(entry.PrivateKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	id := tls.Certificate{PrivateKey: key}
	for _, cert := range entry.CertificateChain {
		id.Certificate = append(id.Certificate, cert.Content)
	}
	return id, nil
}

// pemIdentity reads a certificate chain and its private key, in any order, the key possibly encrypted (PKCS #8).
func pemIdentity(data []byte, password string) (tls.Certificate, error) {
	var chain, key []byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "CERTIFICATE":
			chain = append(chain, pem.EncodeToMemory(block)...)
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			plain, err := decryptKey(block, password)
			if err != nil {
				return tls.Certificate{}, err
			}
			key = pem.EncodeToMemory(plain)
		}
	}
	if chain == nil || key == nil {
		return tls.Certificate{}, contentError("a certificate and its private key in PEM form are both needed")
	}
	id, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return id, contentError("the certificate or its private key cannot be parsed, or they do not belong together")
	}
	return id, nil
}

func decryptKey(block *pem.Block, password string) (*pem.Block, error) {
	if strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return nil, contentError("has a private key in OpenSSL's old encrypted form: convert it with openssl pkcs8 -topk8")
	}
	if block.Type != "ENCRYPTED PRIVATE KEY" {
		return block, nil
	}
	key, err := pkcs8.ParsePKCS8PrivateKey(slices.Clone(block.Bytes), []byte(password))
	if err != nil {
		return nil, errStorePassword
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return &pem.Block{Type: "PRIVATE KEY", Bytes: der}, err
}
