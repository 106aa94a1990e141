package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Explain says what a user can do about an error of a connection or of a broker, in one sentence; empty when there is nothing to say.
// A nil Config explains what can be explained without knowing the settings.
func (c *Config) Explain(err error) string {
	if err == nil {
		return ""
	}
	if s, ok := errors.AsType[*SettingError](err); ok {
		return s.Hint
	}
	for _, explain := range []func(error) string{c.explainTLS, c.explainKafka, c.explainEOF, c.explainNetwork} {
		if hint := explain(err); hint != "" {
			return hint
		}
	}
	return ""
}

func (c *Config) explainTLS(err error) string {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		header   tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &unknown):
		return "the broker's certificate is signed by an authority that is not trusted here: give " + c.giving(keyTrustFile+"=FILE") + " (PEM, JKS or PKCS12)"
	case errors.As(err, &hostname):
		return "the certificate is for another host name: use a name it holds, or " + c.giving(keyHostCheck+"=") + " to skip that check"
	case errors.As(err, &invalid):
		return "the broker's certificate is not valid: see its dates and its issuer"
	case errors.As(err, &header):
		return c.plaintextHint()
	case strings.Contains(err.Error(), "remote error: tls"): // crypto/tls keeps its type for an alert to itself
		return "the broker refused the TLS handshake: it may want a client certificate (" + c.giving(keyStoreFile+"=FILE") + ") from an authority it trusts, or another TLS version"
	case strings.Contains(err.Error(), "appear to be a tls alert"): // kgo has no error value for it
		return c.tlsHint()
	}
	return ""
}

func (c *Config) plaintextHint() string {
	return "the broker seems not to speak TLS on this port: use its TLS port, or " + c.giving("security.protocol=PLAINTEXT") + " (SASL_PLAINTEXT)"
}

func (c *Config) tlsHint() string {
	return "the broker seems to speak TLS on this port: give " + c.giving("security.protocol=SSL") + " (SASL_SSL with a login)"
}

func (c *Config) loginHint() string {
	return "the broker may want a login (" + c.giving("security.protocol=SASL_PLAINTEXT") + " or SASL_SSL, sasl.mechanism, sasl.username, sasl.password) or TLS (" +
		c.giving("security.protocol=SSL") + ")"
}

// explainEOF guesses why a broker hung up on the first bytes.
func (c *Config) explainEOF(err error) string {
	if !errors.Is(err, io.EOF) {
		return ""
	}
	var p protocol
	if c != nil {
		p, _ = c.protocol()
	}
	first, _ := errors.AsType[*kgo.ErrFirstReadEOF](err)
	switch {
	case p.sasl && first == nil:
		return "the broker hung up during the login: check sasl.username, sasl.password and sasl.mechanism"
	case p.tls:
		return c.plaintextHint()
	case p.sasl:
		return "the broker hung up: it may speak TLS on this port (" + c.giving("security.protocol=SASL_SSL") + "), or know no login there"
	case first != nil && strings.Contains(first.Error(), "api versions"): // before any other request: kgo's sign of TLS
		return c.tlsHint()
	}
	return c.loginHint()
}

func (c *Config) explainKafka(err error) string {
	if strings.Contains(err.Error(), "oauth response") { // kgo has no error value for it
		return "the broker refused the token: check that it is meant for this cluster and has not expired"
	}
	for _, k := range []struct {
		err  error
		hint string
	}{
		{kerr.SaslAuthenticationFailed, "the broker does not know this user name and password for this mechanism: check sasl.username, sasl.password and sasl.mechanism"},
		{kerr.UnsupportedSaslMechanism, "the broker has not enabled this mechanism: give another " + c.giving("sasl.mechanism")},
		{kerr.IllegalSaslState, "the broker expects no login here: check security.protocol and the port"},
		{kerr.TopicAuthorizationFailed, "the user may not do this with the topic: capture needs READ and DESCRIBE, replay WRITE and DESCRIBE, and CREATE where it makes topics"},
		{kerr.ClusterAuthorizationFailed, "the user may not do this in the cluster: replay needs IDEMPOTENT_WRITE before Kafka 3.0, and CREATE where it makes topics"},
		{kerr.TransactionalIDAuthorizationFailed, "the user may not use this transactional id"},
		{kerr.InvalidReplicationFactor, "the cluster has too few brokers for this replication factor"},
		{kerr.PolicyViolation, "a policy of the cluster forbids it"},
	} {
		if errors.Is(err, k.err) {
			return k.hint
		}
	}
	return ""
}

func (c *Config) explainNetwork(err error) string {
	unreachable, _ := errors.AsType[*UnreachableError](err)
	if unreachable != nil && unreachable.Advertised {
		return "the first broker answered, but these addresses do not: its advertised.listeners must be reachable from this machine"
	}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "the host name cannot be resolved: check the address"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: is the server up, and is it this port?"
	case errors.Is(err, syscall.ECONNRESET):
		return c.loginHint()
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route to this address"
	case errors.Is(err, errNoAnswer), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "nothing answers there: check the address, the port and the firewall, and whether the port speaks TLS"
	}
	return ""
}
