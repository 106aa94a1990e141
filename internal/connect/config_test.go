package connect

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// write puts data into a new file and returns its name.
func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// words are those of the command.
var words = Words{File: "--config", Set: "-X", Brokers: "-b"}

func load(t *testing.T, in Input) *Config {
	t.Helper()
	in.Words = words
	c, err := Load(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLaterSourcesOverrideEarlierOnes(t *testing.T) {
	file := write(t, "client.properties", []byte("bootstrap.servers=file:1\nclient.id=file\nsasl.mechanism=PLAIN\nsasl.username=file\n"))
	env := []string{"KARCHIVE_BROKERS=env:1", "KARCHIVE_X_CLIENT_ID=env", "KARCHIVE_X_SASL_USERNAME=env", "HOME=/"}
	for _, c := range []struct {
		name                 string
		in                   Input
		brokers, id, user    string
		explicitlyFromSource string
	}{
		{"file", Input{File: file}, "file:1", "file", "file", "client.properties"},
		{"file by environment", Input{Environ: []string{"KARCHIVE_CONFIG=" + file}}, "file:1", "file", "file", "client.properties"},
		{"environment over file", Input{File: file, Environ: env}, "env:1", "env", "env", "KARCHIVE_X_CLIENT_ID"},
		{"-X over environment", Input{File: file, Environ: env, Set: []string{"client.id=x", "metadata.broker.list=x:1"}}, "x:1", "x", "env", "-X"},
		{"-b over -X", Input{Set: []string{"client.id=x", "bootstrap.servers=x:1"}, Brokers: []string{"b:1, b:2", "b:3"}}, "b:1,b:2,b:3", "x", "", "-X"},
		{"the later -X", Input{Set: []string{"client.id=x", "client.id=y"}, Brokers: []string{"b:1"}}, "b:1", "y", "", "-X"},
	} {
		got := load(t, c.in)
		if b := strings.Join(got.Brokers(), ","); b != c.brokers {
			t.Errorf("%s: brokers %s, want %s", c.name, b, c.brokers)
		}
		if got.clientID() != c.id || got.get(keyUsername) != c.user {
			t.Errorf("%s: client id %s user %s, want %s %s", c.name, got.clientID(), got.get(keyUsername), c.id, c.user)
		}
		if from := got.settings[keyClientID].from; from != c.explicitlyFromSource {
			t.Errorf("%s: client id comes from %s, want %s", c.name, from, c.explicitlyFromSource)
		}
	}
}

func TestLibrdkafkaNamesMeanTheSame(t *testing.T) {
	c := load(t, Input{File: write(t, "rd.conf", []byte("metadata.broker.list=a:1\nsasl.mechanisms=PLAIN\nsecurity.protocol=sasl_ssl\n"+
		"sasl.username=u\nsasl.password=p\nssl.ca.location=/ca\nssl.certificate.location=/c\nssl.key.location=/k\n"))})
	for key, want := range map[string]string{keyBrokers: "a:1", keyMechanism: "PLAIN", keyTrustFile: "/ca", keyCertificateFile: "/c", keyKeyFile: "/k"} {
		if got := c.get(key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
}

func TestAFileOnAUsersDiskIsReadAsJavaReadsIt(t *testing.T) {
	data := "# made by hand\nbootstrap.servers = a:1,\\\n    b:2\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n" +
		"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n  username=\"ann\" \\\n  password=\"@s\\\\\\\\e;c=r\\u00e9t${x}\";\n" +
		"group.id=g\nauto.offset.reset=earliest\nkey.deserializer=org.example.D\nschema.registry.proxy.host=r\nsasl.mecanism=PLAIN\nwhat.is.this=1\n"
	c := load(t, Input{File: write(t, "client.properties", []byte(data))})
	for key, want := range map[string]string{keyBrokers: "a:1,b:2", keyUsername: "ann", keyPassword: `@s\e;c=rét${x}`, keyMechanism: "SCRAM-SHA-512"} {
		if got := c.get(key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	notes := strings.Join(c.Notes(), "\n")
	for _, want := range []string{
		"client.properties: ignoring what has no meaning for karchive: group.id, auto.offset.reset, key.deserializer, schema.registry.proxy.host",
		"client.properties: ignoring the unknown setting sasl.mecanism (did you mean sasl.mechanism?)",
		"client.properties: ignoring the unknown setting what.is.this",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
}

func TestAFileInLatin1IsUnderstood(t *testing.T) {
	c := load(t, Input{File: write(t, "f", []byte("bootstrap.servers=a:1\nsasl.password=p\xe9\n"))})
	if got, want := c.get(keyPassword), "pé"; got != want {
		t.Errorf("password %q, want %q", got, want)
	}
}

func TestAPasswordOverridesTheOneInAJAASConfiguration(t *testing.T) {
	file := write(t, "f", []byte("bootstrap.servers=a:1\nsecurity.protocol=SASL_PLAINTEXT\n"+
		"sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"old\";\n"))
	c := load(t, Input{File: file, Environ: []string{"KARCHIVE_X_SASL_PASSWORD=new"}})
	if c.get(keyUsername) != "u" || c.get(keyPassword) != "new" {
		t.Errorf("got %s and %s, want u and new", c.get(keyUsername), c.get(keyPassword))
	}
}

func TestAStoreInALaterSourceReplacesPEMInAnEarlierOne(t *testing.T) {
	file := write(t, "f", []byte("bootstrap.servers=a:1\nsecurity.protocol=SSL\nssl.ca.pem=x\nssl.certificate.pem=x\nssl.key.pem=x\n"))
	c := load(t, Input{File: file, Set: []string{"ssl.ca.location=/ca", "ssl.keystore.location=/k"}})
	if c.has(keyTrustPEM) || c.has(keyChainPEM) || c.has(keyKeyPEM) || c.get(keyStoreFile) != "/k" {
		t.Errorf("got %s", c)
	}
}

func TestValuesComeFromFiles(t *testing.T) {
	secret := write(t, "secret", []byte("s3cret\n"))
	for given, want := range map[string]string{"@" + secret: "s3cret", "@@home": "@home", "plain": "plain", "": ""} {
		c := load(t, Input{Brokers: []string{"a:1"}, Set: []string{"sasl.password=" + given}})
		if got := c.get(keyPassword); got != want {
			t.Errorf("-X sasl.password=%s gives %q, want %q", given, got, want)
		}
	}
	if got := load(t, Input{Brokers: []string{"a:1"}, Environ: []string{"KARCHIVE_X_SASL_PASSWORD=@" + secret}}).get(keyPassword); got != "s3cret" {
		t.Errorf("from the environment: %q", got)
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	const secret = "hunter2"
	jaas := `a.PlainLoginModule required username="u" password="` + secret + `";`
	inputs := []Input{
		{Set: []string{"sasl.password=" + secret, "ssl.key.password=" + secret, "ssl.keystore.key=" + secret, "ssl.keystore.password=" + secret,
			"ssl.truststore.password=" + secret, "sasl.oauthbearer.token=" + secret}},
		{Set: []string{"sasl.jaas.config=" + jaas, "security.protocol=SASL_SSL"}},
		{Set: []string{"sasl.jaas.config=" + strings.TrimSuffix(jaas, `";`)}},
		{Set: []string{"sasl.jaas.config=" + secret + " " + secret}},
		{Set: []string{"security.protocol=SSL", "ssl.keystore.certificate.chain=x", "ssl.keystore.key=" + secret}},
		{Set: []string{"security.protocol=SASL_SSL", "sasl.mechanism=PLAIN", "sasl.password=" + secret}},
		{File: write(t, "f", []byte("sasl.jaas.config="+jaas+"\nsasl.password="+secret+"\nsasl.password.x="+secret+"\nbad=\\u12 "+secret+"\n"))},
	}
	for i, in := range inputs {
		in.Brokers = []string{"a:1"}
		c, err := Load(in)
		shown := fmt.Sprint(err)
		if err == nil {
			_, err = c.Opts()
			shown += fmt.Sprintf("%v %+v %#v %s %v %s", c, c, c, c, err, strings.Join(c.Notes(), " "))
		}
		if strings.Contains(shown, secret) {
			t.Errorf("input %d shows its secret: %s", i, shown)
		}
	}
}

func TestASecretOnTheCommandLineIsRemarked(t *testing.T) {
	c := load(t, Input{Brokers: []string{"a:1"}, Set: []string{"sasl.password=x"}})
	if notes := strings.Join(c.Notes(), "\n"); !strings.Contains(notes, "ps shows it") || !strings.Contains(notes, "KARCHIVE_X_SASL_PASSWORD") {
		t.Errorf("notes %q", notes)
	}
	c = load(t, Input{Brokers: []string{"a:1"}, Set: []string{"sasl.password=@" + write(t, "p", []byte("x"))}, Environ: []string{"KARCHIVE_X_SSL_KEY_PASSWORD=x"}})
	if notes := c.Notes(); len(notes) > 0 {
		t.Errorf("notes %q, want none", notes)
	}
}

func TestSettingsThatCannotBeUsedAreNamedWithAHint(t *testing.T) {
	for _, c := range []struct {
		set        []string
		want, hint string
	}{
		{[]string{"sasl.mecanism=PLAIN"}, "sasl.mecanism (-X): unknown setting", "did you mean sasl.mechanism?"},
		{[]string{"group.id=g"}, "group.id (-X): has no meaning for karchive", "leave it out"},
		{[]string{"client.id"}, "client.id (-X): has no value", "key=value"},
		{[]string{"security.protocol=TLS"}, "security.protocol (-X): is not one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL", ""},
		{[]string{"security.protocol=SASL_SLL"}, "is not one of", "did you mean SASL_SSL?"},
		{[]string{"security.protocol=SASL_SSL"}, "sasl.mechanism: is not given", "SCRAM-SHA-256"},
		{[]string{"security.protocol=SASL_SSL", "sasl.mechanism=GSSAPI"}, "sasl.mechanism (-X): is not supported", "PLAIN"},
		{[]string{"security.protocol=SASL_SSL", "sasl.mechanism=PLAIN"}, "needs a user name and a password", "sasl.username"},
		{[]string{"security.protocol=SASL_SSL", "sasl.mechanism=OAUTHBEARER"}, "needs a token", "@FILE"},
		{[]string{"security.protocol=SASL_SSL", "sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url=https://x"}, "fetches no tokens", "token"},
		{[]string{"ssl.ca.location=/x", "ssl.ca.pem=y"}, "ssl.truststore.location is given as well", "one of the two"},
		{[]string{"sasl.password=@/does/not/exist"}, "sasl.password (-X): no such file or directory", "@@"},
		{[]string{"ssl.keystore.location=@key.pem"}, "ssl.keystore.location (-X): names a file", "leave the @ out"},
		{[]string{"bootstrap.servers="}, "no brokers given", "-b"},
	} {
		in := Input{Set: c.set, Brokers: []string{"a:1"}}
		if c.set[0] == "bootstrap.servers=" {
			in.Brokers = nil
		}
		in.Words = words
		_, err := Load(in)
		s, ok := errors.AsType[*SettingError](err)
		if !ok || !strings.Contains(err.Error(), c.want) || !strings.Contains(s.Hint, c.hint) {
			t.Errorf("%v: got %v, want %q with hint %q", c.set, err, c.want, c.hint)
		}
		if ok && (*Config)(nil).Explain(fmt.Errorf("connect: %w", err)) != s.Hint {
			t.Errorf("%v: Explain does not give the hint", c.set)
		}
	}
	for _, in := range []Input{{Brokers: []string{"SSL://a:1"}}, {Environ: []string{"KARCHIVE_X_GROUP_ID=g"}}, {File: "/does/not/exist"}} {
		if _, err := Load(in); err == nil {
			t.Errorf("%+v was accepted", in)
		}
	}
}

func TestCredentialsThatTheProtocolDoesNotUseAreRemarked(t *testing.T) {
	for _, set := range [][]string{{"sasl.username=u"}, {"ssl.ca.location=/ca"}, {"security.protocol=SSL", "sasl.mechanism=PLAIN"}} {
		if notes := strings.Join(load(t, Input{Brokers: []string{"a:1"}, Set: set}).Notes(), "\n"); !strings.Contains(notes, "does not use it") {
			t.Errorf("%v: notes %q", set, notes)
		}
	}
}

func TestNoErrorNeedsNoHint(t *testing.T) {
	if got := load(t, Input{Brokers: []string{"a:1"}}).Explain(nil); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestHelpNamesEverySetting(t *testing.T) {
	names := slices.DeleteFunc(suggestible(), func(k string) bool { return k == keyTrustType || k == keyStoreType }) // the content tells
	for _, name := range names {
		if canonicalName, _ := canonical(name); !strings.Contains(Help, name) && canonicalName == name {
			t.Errorf("help does not name %s", name)
		}
	}
}
