package connect

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/karchive/karchive/internal/suggest"
	"github.com/karchive/karchive/internal/units"
)

// protocol is a security.protocol.
type protocol struct {
	name      string
	tls, sasl bool
}

var protocols = []protocol{
	{"PLAINTEXT", false, false},
	{"SSL", true, false},
	{"SASL_PLAINTEXT", false, true},
	{"SASL_SSL", true, true},
}

var mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}

// Opts are the client options for the settings: addresses, client id, TLS and SASL. It reads the certificate and key files they name.
func (c *Config) Opts() ([]kgo.Opt, error) {
	p, err := c.protocol()
	if err != nil {
		return nil, err
	}
	opts := []kgo.Opt{kgo.SeedBrokers(c.Brokers()...), kgo.ClientID(c.clientID())}
	if c.has(keyDialTimeout) {
		d, err := c.milliseconds(keyDialTimeout)
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTimeout(d))
	}
	if p.tls {
		t, err := c.tlsConfig()
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(t))
	}
	m, err := c.mechanism(p)
	if err != nil {
		return nil, err
	}
	if m != nil {
		opts = append(opts, kgo.SASL(m))
	}
	return opts, nil
}

func (c *Config) clientID() string {
	if id := c.get(keyClientID); id != "" {
		return id
	}
	return "karchive"
}

func (c *Config) milliseconds(key string) (time.Duration, error) {
	n, err := strconv.ParseInt(c.get(key), 10, 32)
	if err != nil || n <= 0 {
		return 0, c.fail(key, errors.New("is not a number of milliseconds"), "")
	}
	return time.Duration(n) * time.Millisecond, nil
}

func (c *Config) protocol() (protocol, error) {
	name := strings.ToUpper(c.get(keyProtocol))
	if name == "" {
		return protocols[0], nil
	}
	var names []string
	for _, p := range protocols {
		if p.name == name {
			return p, nil
		}
		names = append(names, p.name)
	}
	return protocol{}, c.fail(keyProtocol, fmt.Errorf("is not one of %s", strings.Join(names, ", ")), didYouMean(name, names))
}

func didYouMean(word string, names []string) string {
	if s := suggest.Nearest(word, names); s != "" {
		return "did you mean " + s + "?"
	}
	return ""
}

// mechanism is how to log in, nil when the protocol has no SASL.
func (c *Config) mechanism(p protocol) (sasl.Mechanism, error) {
	if !p.sasl {
		return nil, nil
	}
	name, err := c.mechanismName(p)
	if err != nil {
		return nil, err
	}
	if name == "OAUTHBEARER" {
		return c.oauth()
	}
	user, password := c.get(keyUsername), c.get(keyPassword)
	if user == "" || password == "" {
		return nil, &SettingError{Key: keyMechanism, From: c.settings[keyMechanism].from, Err: fmt.Errorf("%s needs a user name and a password", name),
			Hint: fmt.Sprintf("give %s and %s, or %s", c.giving(keyUsername+"=NAME"), c.giving(keyPassword+"=@FILE"), keyJAAS)}
	}
	switch name {
	case "PLAIN":
		return plain.Auth{User: user, Pass: password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return c.scram().AsSha256Mechanism(), nil
	default:
		return c.scram().AsSha512Mechanism(), nil
	}
}

func (c *Config) scram() scram.Auth {
	return scram.Auth{User: c.get(keyUsername), Pass: c.get(keyPassword), IsToken: c.get(keyDelegation) == "true"}
}

func (c *Config) mechanismName(p protocol) (string, error) {
	name, all := strings.ToUpper(c.get(keyMechanism)), strings.Join(mechanisms, ", ")
	for _, m := range mechanisms {
		if m == name || name == "" && m == c.get(keyModule) {
			return m, nil
		}
	}
	if name == "" {
		return "", &SettingError{Key: keyMechanism, Err: fmt.Errorf("is not given and %s is %s", keyProtocol, p.name), Hint: "give one of " + all}
	}
	return "", c.fail(keyMechanism, errors.New("is not supported"), "karchive logs in with "+all)
}

// oauth sends a token as it is given. One from a file: URL, as Kafka's clients read it, is read again at each login, so that
// whoever renews the file renews the session.
func (c *Config) oauth() (sasl.Mechanism, error) {
	ext, err := c.extensions()
	if err != nil {
		return nil, err
	}
	read := func() (string, error) { return c.get(keyToken), nil }
	if c.has(keyTokenURL) {
		path, ok := c.tokenFile()
		if !ok {
			return nil, c.fail(keyTokenURL, errors.New("is not a file: URL, and karchive fetches no tokens"), "fetch one and give "+c.giving(keyToken+"=@FILE"))
		}
		read = func() (string, error) { return c.content(path) }
	}
	if token, err := read(); err != nil {
		return nil, c.fail(keyTokenURL, err, "")
	} else if token == "" {
		return nil, &SettingError{Key: keyToken, Err: errors.New("OAUTHBEARER needs a token"), Hint: "give " + c.giving(keyToken+"=@FILE")}
	}
	return oauth.Oauth(func(context.Context) (oauth.Auth, error) {
		token, err := read()
		return oauth.Auth{Token: strings.TrimSpace(token), Extensions: ext}, err
	}), nil
}

// tokenFile is the file that a file: URL names.
func (c *Config) tokenFile() (path string, ok bool) {
	u, err := url.Parse(c.get(keyTokenURL))
	if err != nil || u.Scheme != "file" {
		return "", false
	}
	return u.Path, true
}

func (c *Config) extensions() (map[string]string, error) {
	ext := map[string]string{}
	for _, e := range units.SplitList(c.get(keyExtensions)) {
		k, v, ok := strings.Cut(e, "=")
		if !ok {
			return nil, c.fail(keyExtensions, errors.New("is not key=value,key=value"), "")
		}
		ext[k] = v
	}
	return ext, nil
}
