package connect

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/units"
)

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
		if _, known := canonical(key); !known && !showable(key, env[name]) {
			return &SettingError{From: "the environment", Err: fmt.Errorf("a variable that begins with %s names no setting, and is not shown, as it may be a secret", EnvPrefix),
				Hint: "karchive help connection lists the settings"}
		}
		if err := c.putGiven(layer, key, env[name], name); err != nil {
			return err
		}
	}
	c.override(layer)
	c.loadBrokers([]string{env[EnvBrokers]}, EnvBrokers)
	return nil
}

// loadSet takes key=value settings, the later of two with the same key.
func (c *Config) loadSet(set []string) error {
	layer, from := map[string]setting{}, cmp.Or(c.words.Set, "the settings")
	for i, s := range set {
		key, value, ok := strings.Cut(s, "=")
		key = strings.TrimSpace(key)
		_, known := canonical(key)
		switch hint := "write " + c.giving("key=value"); {
		case !ok && known:
			return &SettingError{Key: key, From: from, Err: errors.New("has no value"), Hint: hint}
		case !ok || !known && !showable(key, value):
			return &SettingError{From: from, Err: fmt.Errorf("the one of place %d names no setting, and is not shown, as it may be a secret", i+1), Hint: hint}
		}
		if err := c.putGiven(layer, key, value, from); err != nil {
			return err
		}
		if name, _ := canonical(key); isSecret(name) && value != "" && !strings.HasPrefix(value, "@") {
			c.note("%s is on the command line, where ps shows it to others: give %s or %s", key, c.giving(key+"=@FILE"), envName(key))
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
	file, ok := strings.CutPrefix(value, "@")
	switch {
	case !ok:
		return put(layer, name, value, from)
	case strings.HasPrefix(file, "@"): // @@ is @ itself
		return put(layer, name, file, from)
	case namesFile(name):
		return &SettingError{Key: key, From: from, Err: errors.New("names a file, and its value begins with @, which stands for a file's content"), Hint: "leave the @ out; a file whose name begins with it is @@..."}
	}
	value, err := c.content(file)
	if err != nil {
		return &SettingError{Key: key, From: from, Err: err, Hint: "a value that begins with @ names a file that holds it; @@ stands for @ itself"}
	}
	if isSecret(name) {
		c.checkPrivate(key+" ("+from+") is in a file", file)
	}
	return put(layer, name, value, from)
}

// content is that of a file without its last line end. The error does not name the file: it may be a secret that begins with @.
func (c *Config) content(name string) (string, error) {
	data, err := c.readFile(name)
	if err != nil {
		return "", unread(err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}

func (c *Config) loadBrokers(given []string, from string) {
	list := units.SplitList(strings.Join(given, ","))
	if len(list) == 0 {
		return
	}
	c.settings[keyBrokers] = setting{strings.Join(list, ","), from}
}

func envName(key string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// check looks at the settings as a whole.
func (c *Config) check() error {
	if len(c.Brokers()) == 0 {
		return &SettingError{Key: keyBrokers, Err: errors.New("no brokers given"),
			Hint: fmt.Sprintf("give %s, or %s, or %s in a %s", strings.TrimSpace(c.words.Brokers+" host:port"), EnvBrokers, keyBrokers, strings.TrimSpace(c.words.File+" file"))}
	}
	if err := c.checkAddresses(); err != nil {
		return err
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
	c.warnWeak(p)
	c.checkFiles()
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
