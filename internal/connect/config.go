package connect

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/karchive/karchive/internal/suggest"
	"github.com/karchive/karchive/internal/units"
)

// EnvPrefix begins the environment variables that hold settings: sasl.password is KARCHIVE_X_SASL_PASSWORD. EnvBrokers and EnvConfig
// stand for -b and --config.
const (
	EnvPrefix  = "KARCHIVE_X_"
	EnvBrokers = "KARCHIVE_BROKERS"
	EnvConfig  = "KARCHIVE_CONFIG"
)

// SettingError is returned for a setting that cannot be used. Its message names the setting and where it was given and shows no value.
type SettingError struct {
	Key  string // as given, where it is known or looks like a name; empty when no setting is to blame
	From string // what the user calls it: one of Words, a file or an environment variable
	Err  error
	Hint string // what to do about it; may be empty
}

func (e *SettingError) Error() string {
	switch {
	case e.Key == "":
		return fmt.Sprintf("%s: %v", e.From, e.Err)
	case e.From == "":
		return fmt.Sprintf("%s: %v", e.Key, e.Err)
	}
	return fmt.Sprintf("%s (%s): %v", e.Key, e.From, e.Err)
}

func (e *SettingError) Unwrap() error { return e.Err }

// Input is what a user gave, in rising precedence. The zero value connects to nothing: Load then says that brokers are missing.
type Input struct {
	File    string   // a client.properties file; empty: the one that KARCHIVE_CONFIG names, if any
	Environ []string // as os.Environ gives it
	Set     []string // key=value, each
	Brokers []string // host:port, each possibly a comma list

	// Words are what messages call the ways in which a user gives all this.
	Words Words
	// ReadFile reads File, values given as @name, and the files that settings name. Nil: os.ReadFile.
	ReadFile func(name string) ([]byte, error)
}

// Words name the ways in which settings are given, as a command line spells them. Empty ones are named by what they are.
type Words struct{ File, Set, Brokers string }

// giving says how to give a setting, KEY=VALUE.
func (c *Config) giving(setting string) string {
	if c == nil || c.words.Set == "" {
		return setting
	}
	return c.words.Set + " " + setting
}

// Config holds settings by their canonical names. It is immutable once loaded and safe for concurrent use.
type Config struct {
	settings map[string]setting
	words    Words
	readFile func(string) ([]byte, error)
	notes    []string
	warnings []string
}

// setting is a value and where it was given, for messages.
type setting struct {
	value string
	from  string
}

// Load reads in and checks every setting that can be checked without the files it names. Errors are SettingErrors.
func Load(in Input) (*Config, error) {
	c := &Config{settings: map[string]setting{}, words: in.Words, readFile: in.ReadFile}
	if c.readFile == nil {
		c.readFile = os.ReadFile
	}
	env := environment(in.Environ)
	file, source := in.File, cmp.Or(c.words.File, "the file")
	if file == "" {
		file, source = env[EnvConfig], EnvConfig
	}
	if file != "" {
		if err := c.loadFile(file, source); err != nil {
			return nil, err
		}
	}
	if err := c.loadEnvironment(env); err != nil {
		return nil, err
	}
	if err := c.loadSet(in.Set); err != nil {
		return nil, err
	}
	c.loadBrokers(in.Brokers, cmp.Or(c.words.Brokers, "the brokers"))
	return c, c.check()
}

// Notes are remarks for the user about what was given: settings that were ignored, secrets in sight. One sentence each.
func (c *Config) Notes() []string { return slices.Clone(c.notes) }

// Warnings are remarks that must be heard: what lets others in, and lines that may be a secret in the wrong place. They show none.
func (c *Config) Warnings() []string { return slices.Clone(c.warnings) }

// Brokers are the addresses to start from.
func (c *Config) Brokers() []string {
	return units.SplitList(c.settings[keyBrokers].value)
}

// Names are the settings that were given, sorted.
func (c *Config) Names() []string { return slices.Sorted(maps.Keys(c.settings)) }

// String shows the settings with their secrets redacted, sorted by name.
func (c *Config) String() string {
	keys := c.Names()
	for i, k := range keys {
		v := c.settings[k].value
		if isSecret(k) {
			v = "[hidden]"
		}
		keys[i] = k + "=" + v
	}
	return strings.Join(keys, " ")
}

// GoString is String: %#v shows no secret either.
func (c *Config) GoString() string { return c.String() }

func (c *Config) get(key string) string { return c.settings[key].value }

func (c *Config) has(key string) bool { return c.settings[key].value != "" }

// fail blames the setting key for err.
func (c *Config) fail(key string, err error, hint string) error {
	return &SettingError{Key: key, From: c.settings[key].from, Err: err, Hint: hint}
}

func (c *Config) warn(format string, args ...any) {
	c.warnings = append(c.warnings, fmt.Sprintf(format, args...))
}

func (c *Config) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

// override takes over the settings of a later source. A setting that takes another's place removes it.
func (c *Config) override(layer map[string]setting) {
	for _, groups := range exclusive {
		for i, group := range groups {
			if !anyKey(layer, group) {
				continue
			}
			for j, other := range groups {
				if j != i {
					c.remove(other)
				}
			}
		}
	}
	for k, s := range layer {
		c.settings[k] = s
	}
}

func (c *Config) remove(keys []string) {
	for _, k := range keys {
		delete(c.settings, k)
	}
}

func anyKey(layer map[string]setting, keys []string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { return layer[k].value != "" })
}

// put adds a setting of one source to its layer. A JAAS configuration is taken apart, so that a later source can override the
// password alone.
func put(layer map[string]setting, key, value, from string) error {
	if key != keyJAAS {
		layer[key] = setting{value, from}
		return nil
	}
	login, err := parseJAAS(value)
	if err != nil {
		return &SettingError{Key: key, From: from, Err: err, Hint: jaasHint}
	}
	for k, v := range login.settings() {
		layer[k] = setting{v, from + ", " + keyJAAS}
	}
	return nil
}

// unknown is the error for a key that is not karchive's.
func unknown(key, from string) error {
	if foreign(key) {
		return &SettingError{Key: key, From: from, Err: errors.New("has no meaning for karchive"),
			Hint: "leave it out; in a file of settings it would be ignored"}
	}
	e := &SettingError{Key: key, From: from, Err: errors.New("unknown setting"), Hint: "karchive help connection lists the settings"}
	if s := suggest.Nearest(key, suggestible()); s != "" {
		e.Hint = "did you mean " + s + "?"
	}
	return e
}
