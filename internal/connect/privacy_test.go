package connect

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/karchive/karchive/test/testpki"
)

// saidOf is everything that is said of settings.
func saidOf(in Input) string {
	in.Words = words
	c, err := Load(in)
	said := fmt.Sprint(err)
	if err == nil {
		_, err = c.Opts()
		said = fmt.Sprintf("%v %v %v %v", c, err, c.Notes(), c.Warnings())
	}
	if s, ok := errors.AsType[*SettingError](err); ok {
		said += s.Hint
	}
	return said
}

// wrongPlaces are inputs with a secret where none belongs.
func wrongPlaces(t *testing.T, secret string) []Input {
	file := func(text string) Input { return Input{File: write(t, "f", []byte("bootstrap.servers=a:1\n"+text))} }
	set := func(settings ...string) Input { return Input{Brokers: []string{"a:1"}, Set: settings} }
	out := []Input{
		set(secret), set(secret + "="), set(secret + "=x"), set("=" + secret), set("sasl.password", secret), set(" " + secret + " = "), set("sasl.password " + secret),
		set("sasl.password=@" + secret), set("sasl.oauthbearer.token.endpoint.url=file:///"+secret, "security.protocol=SASL_SSL", "sasl.mechanism=OAUTHBEARER"),
		set("sasl.oauthbearer.token.endpoint.url=https://u:"+secret+"@h/", "security.protocol=SASL_SSL", "sasl.mechanism=OAUTHBEARER"),
		set("sasl.jaas.config=" + secret + "LoginModule required a=b;"),
		{Brokers: []string{"user:" + secret + "@host:9092"}}, {Brokers: []string{"SASL://" + secret + "@host:9092"}}, {Brokers: []string{"user:" + secret}},
		{Brokers: []string{"a:1 " + secret}}, set("bootstrap.servers=u:" + secret + "@h:1"),
		{Environ: []string{"KARCHIVE_BROKERS=u:" + secret + "@h"}}, {Environ: []string{"KARCHIVE_CONFIG=" + secret}}, {File: secret},
		{Brokers: []string{"a:1"}, Environ: []string{"KARCHIVE_X_" + secret + "=x"}}, {Brokers: []string{"a:1"}, Environ: []string{"KARCHIVE_X_" + secret + "="}},
		file(secret), file(secret + "="), file(secret + " " + secret), file("bootstrap.servers=u:" + secret + "@h:1"), file("a=\\u00zz" + secret),
		file("sasl.jaas.config=a.PlainLoginModule required\nusername=\"u\"\npassword=\"" + secret + "\";\n" + secret),
	}
	for _, key := range suggestible() {
		out = append(out, set(key+"="+secret), set(key+"=@"+secret), file(key+"="+secret), file(key+" "+secret+"\n"+secret), set(key+" "+secret), file(key+"="+secret+"\nsecurity.protocol=SSL"),
			Input{Brokers: []string{"a:1"}, Environ: []string{envName(key) + "=" + secret}})
		if name, _ := canonical(key); name != keyBrokers {
			out = append(out, set("security.protocol=SSL", key+"="+secret))
		}
	}
	return out
}

func TestASecretInAnyWrongPlaceIsNotRepeated(t *testing.T) {
	for _, secret := range []string{"CANARY", "canary-7jq2xwv9", "canary7jq2xwv9", "-----BEGIN PRIVATE KEY-----CANARY"} {
		for _, in := range wrongPlaces(t, secret) {
			in.Brokers = slices.Clip(in.Brokers)
			said := saidOf(in)
			if c, err := Load(in); err == nil { // what is shown of these is not printed, and no place for a secret
				said = strings.ReplaceAll(said, c.String(), "")
			}
			if strings.Contains(strings.ToLower(said), "canary") {
				t.Errorf("%+v tells %q: %s", in, secret, said)
			}
		}
	}
}

func TestAKeyPastedWithoutBackslashesIsNamedByItsLines(t *testing.T) {
	key := string(testpki.NewAuthority(t).Issue("client").KeyPEM())
	c := load(t, Input{File: write(t, "client.properties", []byte("bootstrap.servers=a:1\nssl.keystore.key="+key+"client.id=x\nhunter2\n"))})
	said := strings.Join(slices.Concat(c.Notes(), c.Warnings()), "\n")
	lines := strings.Split(strings.TrimSpace(key), "\n")
	for _, line := range lines[1:] {
		if strings.Contains(said, line) {
			t.Errorf("%s is told: %s", line, said)
		}
	}
	last := len(lines) + 1
	if want := fmt.Sprintf("client.properties: ignoring lines 3-%d, %d,", last, last+2); !strings.Contains(said, want) {
		t.Errorf("got %q, want %q", said, want)
	}
	if c.clientID() != "x" {
		t.Errorf("client.id is %q, want x", c.clientID())
	}
}

func TestWhatAFileOfASettingHoldsIsInNoError(t *testing.T) {
	ca := testpki.NewAuthority(t)
	id := ca.Issue("client")
	garbage := pem.EncodeToMemory(&pem.Block{Type: "CANARY", Headers: map[string]string{"CANARY": "CANARY"}, Bytes: []byte("CANARY")})
	for _, data := range [][]byte{[]byte("CANARY"), garbage, []byte("-----BEGIN CERTIFICATE-----\nCANARY\n-----END CERTIFICATE-----\n"), []byte("-----BEGIN CANARY PRIVATE KEY-----\nQ0FOQVJZ\n-----END CANARY PRIVATE KEY-----\n"),
		[]byte("\xfe\xed\xfe\xedCANARY"), id.JKS("p", "p"), append(id.PEM(), garbage...)} {
		name := write(t, "CANARY.pem", data)
		for _, key := range files {
			said := saidOf(Input{Brokers: []string{"a:1"}, Set: []string{"security.protocol=SSL", key + "=" + name}})
			if said = strings.ReplaceAll(said, key+"="+name, ""); strings.Contains(said, "CANARY") {
				t.Errorf("%s tells what is in the file: %s", key, said)
			}
		}
	}
}

func TestFilesWithSecretsThatEverybodyReadsAreWarnedOf(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const password = "bootstrap.servers=a:1\nsasl.password=p\n"
	for _, c := range []struct {
		in   Input
		want string
	}{
		{Input{File: file("open.properties", password, 0o644)}, "open.properties holds sasl.password"},
		{Input{File: file("shut.properties", password, 0o640)}, ""},
		{Input{File: file("plain.properties", "bootstrap.servers=a:1\n", 0o644)}, ""},
		{Input{Set: []string{"sasl.password=@" + file("open", "p", 0o604)}}, "sasl.password (-X) is in a file"},
		{Input{Set: []string{"sasl.password=@" + file("shut", "p", 0o600)}}, ""},
		{Input{Environ: []string{"KARCHIVE_X_SASL_PASSWORD=@" + file("open2", "p", 0o644)}}, "sasl.password (KARCHIVE_X_SASL_PASSWORD) is in a file"},
		{Input{Set: []string{"client.id=@" + file("name", "n", 0o644)}}, ""},
		{Input{Set: []string{"ssl.keystore.location=" + file("store", "n", 0o644)}}, "ssl.keystore.location names a private key"},
		{Input{Set: []string{"ssl.key.location=" + file("key", "n", 0o644), "ssl.certificate.location=" + file("cert", "n", 0o644)}}, "ssl.key.location names a private key"},
		{Input{Set: []string{"ssl.truststore.location=" + file("trust", "n", 0o644)}}, ""},
	} {
		c.in.Brokers = []string{"localhost:1"}
		got := strings.Join(load(t, c.in).Warnings(), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%+v: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestWhatLetsOthersInIsWarnedOf(t *testing.T) {
	login := []string{"sasl.mechanism=PLAIN", "sasl.username=u", "sasl.password=p"}
	for _, c := range []struct {
		broker string
		set    []string
		want   string
	}{
		{"a:1", []string{"security.protocol=SSL"}, ""},
		{"a:1", []string{"security.protocol=SSL", "ssl.endpoint.identification.algorithm="}, "is empty"},
		{"a:1", []string{"security.protocol=SSL", "ssl.endpoint.identification.algorithm=none"}, "is none"},
		{"a:1", []string{"security.protocol=SSL", "ssl.endpoint.identification.algorithm=HTTPS"}, ""},
		{"a:1", []string{"security.protocol=SSL", "enable.ssl.certificate.verification=false"}, "is false"},
		{"a:1", []string{"security.protocol=SSL", "ssl.enabled.protocols=TLSv1.1,TLSv1.2"}, "allows TLSv1.1"},
		{"a:1", []string{"security.protocol=SSL", "ssl.enabled.protocols=tlsv1"}, "allows tlsv1"},
		{"a:1", []string{"security.protocol=SSL", "ssl.enabled.protocols=TLSv1.2,TLSv1.3"}, ""},
		{"a:1", append(login, "security.protocol=SASL_PLAINTEXT"), "SASL_SSL encrypts both"},
		{"localhost:1,b:1", append(login, "security.protocol=SASL_PLAINTEXT"), "SASL_SSL encrypts both"},
		{"a:1", append(login, "security.protocol=SASL_SSL"), ""},
	} {
		got := strings.Join(load(t, Input{Brokers: []string{c.broker}, Set: c.set}).Warnings(), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s %v: got %q, want %q", c.broker, c.set, got, c.want)
		}
	}
	for _, near := range []string{"localhost", "localhost:1", "127.0.0.1:9092", "127.8.8.8", "[::1]:9092", "[::1]", "kafka.localhost:1", "LOCALHOST.:1"} {
		if warnings := load(t, Input{Brokers: []string{near}, Set: append(login, "security.protocol=SASL_PLAINTEXT")}).Warnings(); len(warnings) > 0 {
			t.Errorf("%s: %v", near, warnings)
		}
	}
}

func TestSettingsAreKnownInWrongPlaces(t *testing.T) {
	for word, want := range map[string]bool{
		"sasl.password=x": true, "sasl.password:x": true, "sasl.password x": true, "--sasl.password=x": true, `"sasl.password=x"`: true,
		"SASL.PASSWORD=x": true, "ssl.key.pem=x": true, "sasl.jaas.config=": true, "sasl.password": false, "run1": false, "a=b": false,
		"./sasl.password=x": false, "kafka://h:1/t": false, "topic:orders": false, "": false,
	} {
		if got := IsSetting(word); got != want {
			t.Errorf("%q: got %t, want %t", word, got, want)
		}
	}
}

func TestOnlyHostsAndPortsAreBrokers(t *testing.T) {
	for address, want := range map[string]bool{
		"a": true, "a:1": true, "a.b-c_d:65535": true, "10.0.0.1:9092": true, "[::1]:9092": true, "[fe80::1%eth0]:9092": true, "::1": true,
		"a:0": false, "a:65536": false, "a:x": false, "u:p@h:1": false, "u@h": false, "//a": false, "a b:1": false, "a:1/x": false, "a\x1b:1": false, "é:1": false, "[u:p]:1": false,
		"[a": false, "a]": false, "[[a]]": false, "[a,b]": false,
	} {
		if got := isAddress(address); got != want {
			t.Errorf("%q: got %t, want %t", address, got, want)
		}
	}
}
