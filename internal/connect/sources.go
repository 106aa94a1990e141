package connect

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/magiconair/properties"

	"github.com/karchive/karchive/internal/suggest"
	"github.com/karchive/karchive/internal/units"
)

// loadFile reads a client.properties file. Its values are taken as they are: a password there may begin with @.
func (c *Config) loadFile(name string) error {
	data, err := c.readFile(name)
	if err != nil {
		return &SettingError{From: "--config", Err: err}
	}
	p, err := parseProperties(data)
	if err != nil {
		return &SettingError{From: name, Err: err}
	}
	from, layer := filepath.Base(name), map[string]setting{}
	var ignored []string
	for _, key := range p.Keys() {
		value, _ := p.Get(key)
		name, known := canonical(key)
		switch {
		case known:
			if err := put(layer, name, value, from); err != nil {
				return err
			}
		case foreign(key):
			ignored = append(ignored, key)
		default:
			c.noteUnknown(key, from)
		}
	}
	c.noteIgnored(ignored, from)
	c.override(layer)
	return nil
}

// parseProperties reads Java's properties format. Java takes a file for ISO 8859-1, librdkafka for UTF-8: one that is valid UTF-8
// is read as that.
func parseProperties(data []byte) (*properties.Properties, error) {
	l := properties.Loader{Encoding: properties.UTF8, DisableExpansion: true}
	if !utf8.Valid(data) {
		l.Encoding = properties.ISO_8859_1
	}
	p, err := l.LoadBytes(data)
	if err != nil {
		return nil, errors.New("not a properties file") // the parser's message may show a value
	}
	return p, nil
}

func (c *Config) noteIgnored(keys []string, from string) {
	if len(keys) > 0 {
		c.note("%s: ignoring what has no meaning for karchive: %s", from, strings.Join(keys, ", "))
	}
}

func (c *Config) noteUnknown(key, from string) {
	if s := suggest.Nearest(key, suggestible()); s != "" {
		c.note("%s: ignoring the unknown setting %s (did you mean %s?)", from, key, s)
		return
	}
	c.note("%s: ignoring the unknown setting %s", from, key)
}

func environment(environ []string) map[string]string {
	env := map[string]string{}
	for _, e := range environ {
		if k, v, ok := strings.Cut(e, "="); ok && strings.HasPrefix(k, "KARCHIVE_") {
			env[k] = v
		}
	}
	return env
}

func (c *Config) loadEnvironment(env map[string]string) error {
	layer := map[string]setting{}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		rest, ok := strings.CutPrefix(name, EnvPrefix)
		if !ok {
			continue
		}
		key := strings.ReplaceAll(strings.ToLower(rest), "_", ".")
		if err := c.putGiven(layer, key, env[name], name); err != nil {
			return err
		}
	}
	c.override(layer)
	return c.loadBrokers([]string{env[EnvBrokers]}, EnvBrokers)
}

// loadSet takes key=value settings, the later of two with the same key.
func (c *Config) loadSet(set []string) error {
	layer := map[string]setting{}
	for _, s := range set {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			if _, known := canonical(key); !known {
				key = "" // it may be the value, and a secret
			}
			return &SettingError{Key: key, From: "-X", Err: errors.New("has no value"), Hint: "write -X key=value"}
		}
		key = strings.TrimSpace(key)
		if err := c.putGiven(layer, key, value, "-X"); err != nil {
			return err
		}
		if name, _ := canonical(key); isSecret(name) && value != "" && !strings.HasPrefix(value, "@") {
			c.note("%s is on the command line, where ps shows it to others: give -X %s=@FILE or %s", key, key, envName(key))
		}
	}
	c.override(layer)
	return nil
}

// putGiven adds a setting that was typed for karchive: an unknown key is an error, and @name stands for a file's content.
func (c *Config) putGiven(layer map[string]setting, key, value, from string) error {
	name, known := canonical(key)
	if !known {
		return unknown(key, from)
	}
	value, err := c.expand(value)
	if err != nil {
		return &SettingError{Key: key, From: from, Err: err}
	}
	return put(layer, name, value, from)
}

// expand replaces @name by the content of that file without its last line end. A value that begins with @ itself is written @@.
func (c *Config) expand(value string) (string, error) {
	name, ok := strings.CutPrefix(value, "@")
	if !ok || strings.HasPrefix(name, "@") {
		return name, nil
	}
	data, err := c.readFile(name)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}

func (c *Config) loadBrokers(given []string, from string) error {
	list := units.SplitList(strings.Join(given, ","))
	if len(list) == 0 {
		return nil
	}
	for _, b := range list {
		if strings.Contains(b, "://") {
			return &SettingError{Key: b, From: from, Err: errors.New("not a broker address"),
				Hint: "write host:port; -X security.protocol says how to talk to it"}
		}
	}
	c.settings[keyBrokers] = setting{strings.Join(list, ","), from}
	return nil
}

func envName(key string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// check looks at the settings as a whole.
func (c *Config) check() error {
	if len(c.Brokers()) == 0 {
		return &SettingError{Key: keyBrokers, Err: errors.New("no brokers given"),
			Hint: fmt.Sprintf("give -b host:port, or %s, or %s in a --config file", EnvBrokers, keyBrokers)}
	}
	p, err := c.protocol()
	if err != nil {
		return err
	}
	for _, groups := range exclusive {
		if err := c.checkExclusive(groups); err != nil {
			return err
		}
	}
	c.noteUnused(p)
	_, err = c.mechanism(p)
	return err
}

// checkExclusive refuses two settings of one source that take each other's place.
func (c *Config) checkExclusive(groups [][]string) error {
	var first string
	for _, group := range groups {
		i := slices.IndexFunc(group, c.has)
		switch {
		case i < 0:
		case first == "":
			first = group[i]
		default:
			return c.fail(group[i], fmt.Errorf("%s is given as well", first), "give one of the two")
		}
	}
	return nil
}

// noteUnused says that credentials or certificates are there and the protocol has no use for them: a forgotten security.protocol.
func (c *Config) noteUnused(p protocol) {
	for _, u := range []struct {
		used bool
		keys []string
	}{
		{p.sasl, []string{keyMechanism, keyUsername, keyToken, keyTokenURL}},
		{p.tls, []string{keyTrustFile, keyTrustPEM, keyStoreFile, keyChainPEM, keyCertificateFile}},
	} {
		if i := slices.IndexFunc(u.keys, c.has); i >= 0 && !u.used {
			c.note("%s is given but %s is %s, which does not use it", u.keys[i], keyProtocol, p.name)
		}
	}
}
