package connect

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/karchive/karchive/internal/units"
)

var tlsVersions = map[string]uint16{
	"TLSV1": tls.VersionTLS10, "TLSV1.1": tls.VersionTLS11, "TLSV1.2": tls.VersionTLS12, "TLSV1.3": tls.VersionTLS13,
}

// oldestGoodTLS is the oldest version of TLS that is not broken.
const oldestGoodTLS = tls.VersionTLS12

// tlsConfig follows Kafka's clients: the system's roots unless a trust store is given, host names checked unless
// ssl.endpoint.identification.algorithm is empty or none, a client certificate when a key store is given.
func (c *Config) tlsConfig() (*tls.Config, error) {
	t := &tls.Config{MinVersion: oldestGoodTLS}
	if err := c.setVersions(t); err != nil {
		return nil, err
	}
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	t.RootCAs = roots
	if t.Certificates, err = c.identities(); err != nil {
		return nil, err
	}
	return t, c.setVerification(t)
}

func (c *Config) setVersions(t *tls.Config) error {
	for i, name := range units.SplitList(c.get(keyTLSVersions)) {
		v, ok := tlsVersions[strings.ToUpper(name)]
		if !ok {
			return c.fail(keyTLSVersions, errors.New("names an unknown version"), "write TLSv1.2,TLSv1.3")
		}
		if i == 0 {
			t.MinVersion, t.MaxVersion = v, v
		}
		t.MinVersion, t.MaxVersion = min(t.MinVersion, v), max(t.MaxVersion, v)
	}
	return nil
}

// setVerification turns off what the settings ask to turn off. Without host names the chain is still verified.
func (c *Config) setVerification(t *tls.Config) error {
	switch v := strings.ToLower(c.get(keyVerify)); v {
	case "", "true":
	case "false":
		t.InsecureSkipVerify = true
		return nil
	default:
		return c.fail(keyVerify, errors.New("is neither true nor false"), "")
	}
	host, given := c.settings[keyHostCheck]
	switch v := strings.ToLower(host.value); {
	case !given, v == "https":
		return nil
	case v == "", v == "none":
		t.InsecureSkipVerify = true
		t.VerifyConnection = verifyChain(t.RootCAs)
		return nil
	}
	return c.fail(keyHostCheck, errors.New("is neither https nor none"), "")
}

func verifyChain(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, cert := range s.PeerCertificates[1:] {
			o.Intermediates.AddCert(cert)
		}
		_, err := s.PeerCertificates[0].Verify(o)
		return err
	}
}

// roots are the certificates that brokers are verified against, nil for the system's.
func (c *Config) roots() (*x509.CertPool, error) {
	key := keyTrustFile
	var data []byte
	var err error
	switch {
	case c.has(keyTrustPEM):
		key, data = keyTrustPEM, inlinePEM(c.get(keyTrustPEM))
	case c.has(keyTrustFile) && c.get(keyTrustFile) != "probe": // librdkafka's word for the system's roots
		data, err = c.readTrust(c.get(keyTrustFile))
	default:
		return nil, nil
	}
	if err != nil {
		return nil, c.fail(key, unread(err), "")
	}
	certs, err := trustedCertificates(data, c.get(keyTrustPassword))
	if err != nil {
		return nil, c.fail(key, unparsed(err), storeHint(err, keyTrustPassword))
	}
	pool := x509.NewCertPool()
	for _, cert := range certs {
		pool.AddCert(cert)
	}
	return pool, nil
}

// readTrust reads a file, or all PEM files of a directory, as ssl.ca.location allows.
func (c *Config) readTrust(name string) ([]byte, error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return c.readFile(name)
	}
	var all []byte
	for _, e := range entries {
		if data, err := c.readFile(filepath.Join(name, e.Name())); err == nil && isPEM(data) {
			all = append(append(all, data...), '\n')
		}
	}
	if len(all) == 0 {
		return nil, &fs.PathError{Op: "read", Path: name, Err: contentError("the directory holds no PEM certificates")}
	}
	return all, nil
}

// identities are the certificates that karchive shows to brokers that ask for one.
func (c *Config) identities() ([]tls.Certificate, error) {
	keyPassword := c.get(keyKeyPassword)
	switch {
	case c.has(keyChainPEM) || c.has(keyKeyPEM):
		id, err := pemIdentity(inlinePEM(c.get(keyChainPEM)+"\n"+c.get(keyKeyPEM)), keyPassword)
		return c.oneIdentity(keyChainPEM, id, err)
	case c.has(keyCertificateFile) || c.has(keyKeyFile):
		data, err := c.readPair()
		if err != nil {
			return nil, err
		}
		id, err := pemIdentity(data, keyPassword)
		return c.oneIdentity(keyCertificateFile, id, err)
	case c.has(keyStoreFile):
		data, err := c.readFile(c.get(keyStoreFile))
		if err != nil {
			return nil, c.fail(keyStoreFile, unread(err), "")
		}
		ids, err := storeIdentities(data, c.get(keyStorePassword), keyPassword)
		if err != nil {
			return nil, c.fail(keyStoreFile, unparsed(err), storeHint(err, keyStorePassword))
		}
		return ids, nil
	}
	return nil, nil
}

func (c *Config) oneIdentity(key string, id tls.Certificate, err error) ([]tls.Certificate, error) {
	if err != nil {
		return nil, c.fail(key, unparsed(err), storeHint(err, keyKeyPassword))
	}
	return []tls.Certificate{id}, nil
}

// readPair reads the certificate and the key, which may be in one file.
func (c *Config) readPair() ([]byte, error) {
	var all []byte
	for _, key := range []string{keyCertificateFile, keyKeyFile} {
		if !c.has(key) {
			continue
		}
		data, err := c.readFile(c.get(key))
		if err != nil {
			return nil, c.fail(key, unread(err), "")
		}
		all = append(append(all, data...), '\n')
	}
	return all, nil
}

func storeHint(err error, passwordKey string) string {
	if errors.Is(err, errStorePassword) {
		return "check " + passwordKey
	}
	return ""
}
