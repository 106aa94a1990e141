//go:build kafka

package connect

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/test/kafkatest"
	"github.com/karchive/karchive/test/testpki"
)

// listeners are what a real broker listens on beside PLAINTEXT.
var listeners = []string{"SSL", "MTLS", "SASL_PLAINTEXT", "SASL_SSL"}

// realBroker starts Kafka, adds listeners of every protocol, and returns their addresses by name.
func realBroker(t *testing.T, ca *testpki.Authority) map[string]string {
	t.Helper()
	b := kafkatest.Start(t, kafkatest.Options{})
	addrs := map[string]string{"PLAINTEXT": b.Brokers()[0]}
	for _, name := range listeners {
		addrs[name] = freeAddr(t)
	}
	addUser(t, b.Brokers())
	b.Stop()
	configure(t, filepath.Join(filepath.Dir(b.DataDir()), "server.properties"), addrs, ca)
	if err := b.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	return addrs
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func addUser(t *testing.T, brokers []string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, m := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} { // one request may name a user once
		altered, err := kadm.NewClient(client).AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{{User: "ann", Mechanism: m, Iterations: 4096, Password: "secret"}})
		if err == nil {
			err = altered.Error()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func configure(t *testing.T, file string, addrs map[string]string, ca *testpki.Authority) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var more string
	for _, name := range listeners {
		more += name + "://" + addrs[name] + ","
	}
	properties := strings.Replace(string(text), "listeners=PLAINTEXT://", "listeners="+more+"PLAINTEXT://", 1)
	properties = strings.Replace(properties, "PLAINTEXT:PLAINTEXT", "SSL:SSL,MTLS:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT", 1)
	id := ca.Issue("127.0.0.1")
	for _, name := range []string{"ssl", "mtls", "sasl_ssl"} {
		properties += fmt.Sprintf("listener.name.%[1]s.ssl.keystore.location=%[2]s\nlistener.name.%[1]s.ssl.keystore.password=pw\nlistener.name.%[1]s.ssl.keystore.type=PKCS12\n",
			name, write(t, "broker.p12", id.PKCS12("pw")))
	}
	properties += "listener.name.mtls.ssl.client.auth=required\nlistener.name.mtls.ssl.truststore.type=PKCS12\nlistener.name.mtls.ssl.truststore.password=pw\n" +
		"listener.name.mtls.ssl.truststore.location=" + write(t, "trust.p12", ca.TrustPKCS12("pw")) + "\n"
	for _, name := range []string{"sasl_plaintext", "sasl_ssl"} {
		properties += fmt.Sprintf(`listener.name.%[1]s.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.%[1]s.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_ann="secret";
listener.name.%[1]s.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.%[1]s.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.%[1]s.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
`, name)
	}
	if err := os.WriteFile(file, []byte(properties), 0o644); err != nil {
		t.Fatal(err)
	}
}

// token is one that Kafka takes without a signature when it is configured with nothing better.
func token() string {
	part := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"sub":"ann","iat":%d,"exp":%d}`, time.Now().Unix(), time.Now().Add(time.Hour).Unix())
	return part([]byte(`{"alg":"none"}`)) + "." + part([]byte(claims)) + "."
}

func TestARealBrokerIsReachedByEveryProtocolAndLogin(t *testing.T) {
	ca := testpki.NewAuthority(t)
	addrs := realBroker(t, ca)
	trust := "ssl.truststore.location=" + write(t, "t.jks", ca.TrustJKS("pw"))
	client := ca.Issue("client")
	const user, password = "sasl.username=ann", "sasl.password=secret"
	for _, c := range []struct {
		listener string
		set      []string
		hint     string // of the error that is expected; empty: none is
	}{
		{"PLAINTEXT", nil, ""},
		{"SSL", []string{"security.protocol=SSL", trust}, ""},
		{"MTLS", []string{"security.protocol=SSL", trust, "ssl.keystore.location=" + write(t, "k.p12", client.PKCS12("pw")), "ssl.keystore.password=pw"}, ""},
		{"MTLS", []string{"security.protocol=SSL", trust, "ssl.keystore.location=" + write(t, "k.jks", client.JKS("pw", "pw")), "ssl.keystore.password=pw"}, ""},
		{"SASL_PLAINTEXT", []string{"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN", user, password}, ""},
		{"SASL_PLAINTEXT", []string{"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=SCRAM-SHA-256", user, password}, ""},
		{"SASL_SSL", []string{"security.protocol=SASL_SSL", trust, "sasl.mechanism=SCRAM-SHA-512", user, password}, ""},
		{"SASL_SSL", []string{"security.protocol=SASL_SSL", trust, "sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.token=" + token()}, ""},

		{"PLAINTEXT", []string{"security.protocol=SSL", trust}, "the broker seems not to speak TLS"},
		{"PLAINTEXT", []string{"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN", user, password}, "expects no login"},
		{"SSL", nil, "the broker seems to speak TLS"},
		{"SSL", []string{"security.protocol=SSL"}, "ssl.truststore.location"},
		{"SASL_SSL", []string{"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN", user, password}, "TLS on this port"},
		{"MTLS", []string{"security.protocol=SSL", trust}, "client certificate"},
		{"SASL_PLAINTEXT", nil, "sasl.username"},
		{"SASL_PLAINTEXT", []string{"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN", user, "sasl.password=wrong"}, "check sasl.username, sasl.password"},
		{"SASL_PLAINTEXT", []string{"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=SCRAM-SHA-256", user, "sasl.password=wrong"}, "check sasl.username, sasl.password"},
		{"SASL_SSL", []string{"security.protocol=SASL_SSL", trust, "sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.token=abc"}, "token"},
	} {
		cfg, err := check(t, Input{Brokers: []string{addrs[c.listener]}, Set: c.set})
		hint := cfg.Explain(err)
		if (err == nil) != (c.hint == "") || !strings.Contains(hint, c.hint) {
			t.Errorf("%s with %s:\nerror %v\n hint %q\n want %q", c.listener, cfg, err, hint, c.hint)
		}
	}
}
