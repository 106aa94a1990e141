package connect

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/test/testpki"
)

// patience is how long a check may take at most. No test waits for it unless it says so.
const patience = 30 * time.Second

func broker(t *testing.T, opts ...kfake.Opt) string {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

func check(t *testing.T, in Input) (*Config, error) {
	t.Helper()
	in.Words = words
	c, err := Load(in)
	if err != nil {
		t.Fatal(err)
	}
	return c, c.Check(t.Context(), patience)
}

func TestEveryLoginReachesABrokerThatKnowsIt(t *testing.T) {
	addr := broker(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "ann", "pw-1"), kfake.Superuser("SCRAM-SHA-256", "bob", "pw;2"), kfake.Superuser("SCRAM-SHA-512", "cat", `p"w3`))
	for _, set := range [][]string{
		{"sasl.mechanism=PLAIN", "sasl.username=ann", "sasl.password=pw-1"},
		{`sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="ann" password="pw-1";`},
		{"sasl.mechanisms=SCRAM-SHA-256", `sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="bob" password="pw;2";`},
		{"sasl.mechanism=scram-sha-512", `sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username='cat' password='p"w3';`},
	} {
		if _, err := check(t, Input{Brokers: []string{addr}, Set: append(set, "security.protocol=SASL_PLAINTEXT")}); err != nil {
			t.Errorf("%v: %v", set, err)
		}
	}
}

func TestAWrongPasswordIsSaid(t *testing.T) {
	addr := broker(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "ann", "pw"), kfake.Superuser("SCRAM-SHA-256", "ann", "pw"))
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256"} {
		c, err := check(t, Input{Brokers: []string{addr},
			Set: []string{"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=" + mechanism, "sasl.username=ann", "sasl.password=not-this"}})
		if !errors.Is(err, io.EOF) { // kfake hangs up where Kafka answers
			t.Fatalf("%s: got %v, want %v", mechanism, err, io.EOF)
		}
		for _, err := range []error{err, &UnreachableError{Addresses: []string{addr}, Err: kerr.SaslAuthenticationFailed}} {
			if hint := c.Explain(err); !strings.Contains(hint, "sasl.password") || strings.Contains(err.Error()+hint, "not-this") {
				t.Errorf("%s: error %v, hint %q", mechanism, err, hint)
			}
		}
	}
}

func TestAMechanismThatTheBrokerLacksIsSaid(t *testing.T) {
	addr := broker(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "ann", "pw"))
	c, err := check(t, Input{Brokers: []string{addr},
		Set: []string{"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.token=t"}})
	if hint := c.Explain(err); !strings.Contains(hint, "sasl.mechanism") {
		t.Errorf("error %v, hint %q", err, hint)
	}
}

func TestABrokerIsVerifiedAgainstEveryKindOfTrustStore(t *testing.T) {
	ca := testpki.NewAuthority(t)
	addr := broker(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{ca.Issue("127.0.0.1").TLS()}}))
	pemFile := write(t, "ca.pem", ca.PEM())
	for name, set := range map[string][]string{
		"PEM file":                      {"ssl.ca.location=" + pemFile},
		"PEM directory":                 {"ssl.ca.location=" + strings.TrimSuffix(pemFile, "/ca.pem")},
		"PEM file by its Java name":     {"ssl.truststore.location=" + pemFile, "ssl.truststore.type=PEM"},
		"inline PEM":                    {"ssl.truststore.certificates=" + string(ca.PEM())},
		"inline PEM in one line":        {"ssl.truststore.certificates=" + strings.ReplaceAll(string(ca.PEM()), "\n", " ")},
		"JKS":                           {"ssl.truststore.location=" + write(t, "t.jks", ca.TrustJKS("changeit")), "ssl.truststore.password=changeit"},
		"JKS without its password":      {"ssl.truststore.location=" + write(t, "t.jks", ca.TrustJKS("changeit"))},
		"PKCS12":                        {"ssl.truststore.location=" + write(t, "t.p12", ca.TrustPKCS12("changeit")), "ssl.truststore.password=changeit", "ssl.truststore.type=PKCS12"},
		"PKCS12 that is called JKS":     {"ssl.truststore.location=" + write(t, "t.jks", ca.TrustPKCS12("changeit")), "ssl.truststore.password=changeit", "ssl.truststore.type=JKS"},
		"only TLS 1.2":                  {"ssl.ca.location=" + pemFile, "ssl.enabled.protocols=TLSv1.2"},
		"no verification":               {"enable.ssl.certificate.verification=false"},
		"the chain, but no host name":   {"ssl.ca.location=" + pemFile, "ssl.endpoint.identification.algorithm="},
		"PEM after noise, as openssl's": {"ssl.ca.location=" + write(t, "n.pem", append([]byte("subject=CN = x\n\n"), ca.PEM()...))},
	} {
		if _, err := check(t, Input{Brokers: []string{addr}, Set: append(set, "security.protocol=SSL")}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABrokerThatCannotBeVerifiedIsRefused(t *testing.T) {
	ca, other := testpki.NewAuthority(t), testpki.NewAuthority(t)
	here := broker(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{ca.Issue("127.0.0.1").TLS()}}))
	elsewhere := broker(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{ca.Issue("broker.example").TLS()}}))
	trust, wrong := "ssl.ca.location="+write(t, "ca.pem", ca.PEM()), "ssl.ca.location="+write(t, "other.pem", other.PEM())
	for _, c := range []struct {
		name, addr string
		set        []string
		hint       string
	}{
		{"the system's roots", here, nil, "ssl.truststore.location"},
		{"another authority", here, []string{wrong}, "ssl.truststore.location"},
		{"another authority, no host name", here, []string{wrong, "ssl.endpoint.identification.algorithm="}, "ssl.truststore.location"},
		{"another host name", elsewhere, []string{trust}, "another host name"},
	} {
		cfg, err := check(t, Input{Brokers: []string{c.addr}, Set: append(c.set, "security.protocol=SSL")})
		if err == nil || !strings.Contains(cfg.Explain(err), c.hint) {
			t.Errorf("%s: error %v, hint %q, want %q", c.name, err, cfg.Explain(err), c.hint)
		}
	}
	if _, err := check(t, Input{Brokers: []string{elsewhere}, Set: []string{trust, "security.protocol=SSL", "ssl.endpoint.identification.algorithm=none"}}); err != nil {
		t.Errorf("another host name, not checked: %v", err)
	}
}

func TestABrokerThatWantsACertificateGetsIt(t *testing.T) {
	ca := testpki.NewAuthority(t)
	addr := broker(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{ca.Issue("127.0.0.1").TLS()},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}))
	id := ca.Issue("client")
	trust := "ssl.ca.location=" + write(t, "ca.pem", ca.PEM())
	both := append(id.PEM(), id.KeyPEM()...)
	for name, set := range map[string][]string{
		"certificate and key":           {"ssl.certificate.location=" + write(t, "c.pem", id.PEM()), "ssl.key.location=" + write(t, "k.pem", id.KeyPEM())},
		"encrypted key":                 {"ssl.certificate.location=" + write(t, "c.pem", id.PEM()), "ssl.key.location=" + write(t, "k.pem", id.EncryptedKeyPEM("kp")), "ssl.key.password=kp"},
		"both in one PEM key store":     {"ssl.keystore.location=" + write(t, "k.pem", both), "ssl.keystore.type=PEM"},
		"inline":                        {"ssl.keystore.certificate.chain=" + string(id.PEM()), "ssl.keystore.key=" + string(id.KeyPEM())},
		"inline by librdkafka's name":   {"ssl.certificate.pem=" + string(id.PEM()), "ssl.key.pem=" + string(id.KeyPEM())},
		"JKS":                           {"ssl.keystore.location=" + write(t, "k.jks", id.JKS("storepw", "storepw")), "ssl.keystore.password=storepw"},
		"JKS with another key password": {"ssl.keystore.location=" + write(t, "k.jks", id.JKS("storepw", "keypw")), "ssl.keystore.password=storepw", "ssl.key.password=keypw"},
		"PKCS12":                        {"ssl.keystore.location=" + write(t, "k.p12", id.PKCS12("storepw")), "ssl.keystore.password=storepw", "ssl.keystore.type=PKCS12"},
	} {
		if _, err := check(t, Input{Brokers: []string{addr}, Set: append(set, trust, "security.protocol=SSL")}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg, err := check(t, Input{Brokers: []string{addr}, Set: []string{trust, "security.protocol=SSL"}})
	if err == nil || !strings.Contains(cfg.Explain(err), "client certificate") {
		t.Errorf("without a certificate: error %v, hint %q", err, cfg.Explain(err))
	}
}

func TestStoresThatDoNotOpenAreSaid(t *testing.T) {
	ca := testpki.NewAuthority(t)
	id := ca.Issue("client")
	for name, c := range map[string]struct {
		set        []string
		want, hint string
	}{
		"JKS trust store":      {[]string{"ssl.truststore.location=" + write(t, "t", ca.TrustJKS("right")), "ssl.truststore.password=wrong"}, "password is wrong", "ssl.truststore.password"},
		"PKCS12 trust store":   {[]string{"ssl.truststore.location=" + write(t, "t", ca.TrustPKCS12("right")), "ssl.truststore.password=wrong"}, "password is wrong", "ssl.truststore.password"},
		"JKS key store":        {[]string{"ssl.keystore.location=" + write(t, "t", id.JKS("right", "right")), "ssl.keystore.password=wrong"}, "password is wrong", "ssl.keystore.password"},
		"JKS key":              {[]string{"ssl.keystore.location=" + write(t, "t", id.JKS("right", "other")), "ssl.keystore.password=right"}, "password is wrong", "ssl.keystore.password"},
		"PKCS12 key store":     {[]string{"ssl.keystore.location=" + write(t, "t", id.PKCS12("right")), "ssl.keystore.password=wrong"}, "password is wrong", "ssl.keystore.password"},
		"encrypted PEM key":    {[]string{"ssl.keystore.certificate.chain=" + string(id.PEM()), "ssl.keystore.key=" + string(id.EncryptedKeyPEM("right")), "ssl.key.password=wrong"}, "password is wrong", "ssl.key.password"},
		"certificate, no key":  {[]string{"ssl.keystore.certificate.chain=" + string(id.PEM())}, "both needed", ""},
		"key of another":       {[]string{"ssl.keystore.certificate.chain=" + string(id.PEM()), "ssl.keystore.key=" + string(ca.Issue("x").KeyPEM())}, "do not belong together", ""},
		"truncated JKS":        {[]string{"ssl.truststore.location=" + write(t, "t", ca.TrustJKS("right")[:100])}, "ssl.truststore.location", ""},
		"no store at all":      {[]string{"ssl.truststore.location=" + write(t, "t", []byte("hello"))}, "ssl.truststore.location", ""},
		"absent file":          {[]string{"ssl.keystore.location=/does/not/exist"}, "ssl.keystore.location (-X): no such file", ""},
		"empty trust store":    {[]string{"ssl.truststore.certificates=-----BEGIN X-----"}, "no trusted certificates", ""},
		"unknown TLS version":  {[]string{"ssl.enabled.protocols=TLSv9"}, "unknown version", "TLSv1.3"},
		"unknown verification": {[]string{"enable.ssl.certificate.verification=perhaps"}, "neither true nor false", ""},
		"unknown host check":   {[]string{"ssl.endpoint.identification.algorithm=ftp"}, "neither https nor none", ""},
		"timeout":              {[]string{"socket.connection.setup.timeout.ms=soon"}, "number of milliseconds", ""},
	} {
		cfg := load(t, Input{Brokers: []string{"a:1"}, Set: append(c.set, "security.protocol=SSL")})
		_, err := cfg.Opts()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(cfg.Explain(err), c.hint) {
			t.Errorf("%s: got %v with hint %q, want %q with %q", name, err, cfg.Explain(err), c.want, c.hint)
		}
	}
}

func TestStoresMadeByKeytoolOpen(t *testing.T) {
	if _, err := exec.LookPath("keytool"); err != nil {
		t.Skip("no keytool here")
	}
	ca := testpki.NewAuthority(t)
	addr := broker(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{ca.Issue("127.0.0.1").TLS()}}))
	pemFile := write(t, "ca.pem", ca.PEM())
	for _, kind := range []string{"JKS", "PKCS12"} {
		store := t.TempDir() + "/store"
		out, err := exec.Command("keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", pemFile, "-keystore", store, "-storetype", kind, "-storepass", "changeit").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if _, err := check(t, Input{Brokers: []string{addr}, Set: []string{"security.protocol=SSL", "ssl.truststore.location=" + store, "ssl.truststore.password=changeit"}}); err != nil {
			t.Errorf("%s trust store: %v", kind, err)
		}
		out, err = exec.Command("keytool", "-genkeypair", "-alias", "me", "-keyalg", "EC", "-dname", "CN=me", "-keystore", store, "-storetype", kind, "-storepass", "changeit", "-keypass", "changeit").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if kind == "JKS" { // PKCS12 with a trusted certificate beside the key is no key store
			cfg := load(t, Input{Brokers: []string{addr}, Set: []string{"security.protocol=SSL", "ssl.keystore.location=" + store, "ssl.keystore.password=changeit"}})
			if ids, err := cfg.identities(); err != nil || len(ids) != 1 {
				t.Errorf("%s key store: %d keys, %v", kind, len(ids), err)
			}
		}
	}
}

func TestTLSAgainstPlaintextAndTheReverseAreSaid(t *testing.T) {
	ca := testpki.NewAuthority(t)
	plain := broker(t)
	secure := broker(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{ca.Issue("127.0.0.1").TLS()}}))
	login := broker(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "u", "p"))
	for _, c := range []struct {
		name, addr string
		set        []string
		hint       string
	}{
		{"TLS against plaintext", plain, []string{"security.protocol=SSL"}, "TLS"},
		{"plaintext against TLS", secure, nil, "security.protocol=SSL"},
		{"no login where one is wanted", login, nil, "sasl.username"},
	} {
		cfg := load(t, Input{Brokers: []string{c.addr}, Set: c.set})
		var err error
		for wait := 200 * time.Millisecond; wait < patience; wait *= 4 { // an answer may take longer on a slow machine
			if err = cfg.Check(t.Context(), wait); err == nil || strings.Contains(cfg.Explain(err), c.hint) {
				break
			}
		}
		if err == nil || !strings.Contains(cfg.Explain(err), c.hint) {
			t.Errorf("%s: error %v, hint %q", c.name, err, cfg.Explain(err))
		}
	}
}

func TestABrokerThatIsNotThereIsSaid(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	cfg, err := check(t, Input{Brokers: []string{addr}})
	unreachable, ok := errors.AsType[*UnreachableError](err)
	if !ok || unreachable.Advertised || !strings.Contains(err.Error(), addr) || !strings.Contains(cfg.Explain(err), "nothing listens there") {
		t.Errorf("error %v, hint %q", err, cfg.Explain(err))
	}
}

func TestABrokerThatDoesNotAnswerIsGivenUpOn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg := load(t, Input{Brokers: []string{l.Addr().String()}})
	err = cfg.Check(t.Context(), 20*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "no answer within 20ms") || !strings.Contains(cfg.Explain(err), "firewall") {
		t.Errorf("error %v, hint %q", err, cfg.Explain(err))
	}
}

func TestOneBrokerOfTheListIsEnough(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := check(t, Input{Brokers: []string{l.Addr().String(), broker(t)}}); err != nil {
		t.Error(err)
	}
}

func TestAddressesThatTheClusterGivesAreTried(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	gone := l.Addr().(*net.TCPAddr)
	c.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		resp.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 0, Host: "127.0.0.1", Port: int32(gone.Port)}}
		return resp, nil, true
	})
	cfg, err := check(t, Input{Brokers: c.ListenAddrs()})
	unreachable, ok := errors.AsType[*UnreachableError](err)
	if !ok || !unreachable.Advertised || !strings.Contains(cfg.Explain(err), "advertised.listeners") {
		t.Errorf("error %v, hint %q", err, cfg.Explain(err))
	}
}

func TestACancelledCheckEndsWithTheCause(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("stop")
	cancel(why)
	if err := load(t, Input{Brokers: []string{broker(t)}}).Check(ctx, patience); !errors.Is(err, why) {
		t.Errorf("got %v, want %v", err, why)
	}
}

func TestATokenIsSentWithItsExtensions(t *testing.T) {
	file := write(t, "token", []byte("abc.def\n"))
	for _, set := range [][]string{
		{"sasl.oauthbearer.token=abc.def", "sasl.oauthbearer.extensions=logicalCluster=lkc-1"},
		{"sasl.oauthbearer.token.endpoint.url=file://" + file, "sasl.oauthbearer.extensions=logicalCluster=lkc-1"},
		{`sasl.jaas.config=x.OAuthBearerLoginModule required token="abc.def" extension_logicalCluster="lkc-1";`},
	} {
		cfg := load(t, Input{Brokers: []string{"a:1"}, Set: append(set, "security.protocol=SASL_SSL", "sasl.mechanism=OAUTHBEARER")})
		m, err := cfg.mechanism(protocol{sasl: true})
		if err != nil {
			t.Fatal(err)
		}
		_, first, err := m.Authenticate(t.Context(), "a")
		if want := "n,,\x01auth=Bearer abc.def\x01logicalCluster=lkc-1\x01\x01"; err != nil || string(first) != want {
			t.Errorf("%v: got %q %v, want %q", set, first, err, want)
		}
	}
}
