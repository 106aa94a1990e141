package connect

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/karchive/karchive/internal/suggest"
	"github.com/karchive/karchive/internal/units"
)

var settingName = regexp.MustCompile(`^[a-z][a-z0-9._-]{0,63}$`)

// showable says whether an unknown name may be repeated: what was given may be a secret in the wrong place, a line of a key or a
// password without its name. A name looks like one, and is either like one that is known, or dotted and has a value.
func showable(key, value string) bool {
	if !settingName.MatchString(key) {
		return false
	}
	return slices.Contains(foreignKeys, key) || value != "" && strings.Contains(key, ".") || suggest.Nearest(key, suggestible()) != ""
}

// IsSetting says whether a word that belongs elsewhere begins with the name of a setting and one of the signs that stand before its value.
func IsSetting(word string) bool {
	i := strings.IndexAny(word, "=: \t")
	if i < 0 {
		return false
	}
	_, known := canonical(strings.ToLower(strings.TrimLeft(word[:i], `"'-`)))
	return known
}

// errUnread is for what a file system says in words that may hold a name, which may be a secret in the wrong place.
var errUnread = errors.New("the file cannot be read")

// unread is why a file cannot be read, without its name.
func unread(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return errUnread
}

// Secrets are the values that must not be shown, whoever repeats them.
func (c *Config) Secrets() []string {
	var out []string
	for _, key := range slices.Sorted(slices.Values(secrets)) {
		if c.has(key) {
			out = append(out, c.get(key))
		}
	}
	return out
}

// EverybodyReads says whether a file is there that every user of the machine can read. A system without modes does not tell.
func EverybodyReads(name string) bool {
	info, err := os.Stat(name)
	return runtime.GOOS != "windows" && err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0
}

// checkPrivate warns of a file with a secret that everybody can read.
func (c *Config) checkPrivate(what, name string) {
	if name != "-" && EverybodyReads(name) {
		c.warn("%s, and everybody on this machine can read the file: chmod o-r it", what)
	}
}

// checkFiles warns of files that the settings name.
func (c *Config) checkFiles() {
	names := []string{keyStoreFile, keyKeyFile}
	if !c.has(keyKeyFile) {
		names = append(names, keyCertificateFile) // the key is in there
	}
	for _, key := range names {
		if c.has(key) {
			c.checkPrivate(key+" names a private key", c.get(key))
		}
	}
	if path, ok := c.tokenFile(); ok {
		c.checkPrivate(keyTokenURL+" names a token", path)
	}
}

// warnWeak says what the settings leave open to others.
func (c *Config) warnWeak(p protocol) {
	if !p.tls {
		if far := slices.IndexFunc(c.Brokers(), notLoopback); p.sasl && far >= 0 {
			c.warn("%s is %s: whoever is on the way to the broker can read or use the login, and reads all records; %s encrypts both", keyProtocol, p.name, "SASL_SSL")
		}
		return
	}
	host, given := c.settings[keyHostCheck]
	switch {
	case strings.EqualFold(c.get(keyVerify), "false"):
		c.warn("%s is false: whoever answers is taken for the broker", keyVerify)
	case given && !strings.EqualFold(host.value, "https"):
		c.warn("%s is %s: whoever has any certificate of a trusted authority is taken for the broker", keyHostCheck, orEmpty(host.value))
	}
	for _, name := range units.SplitList(c.get(keyTLSVersions)) {
		if v := tlsVersions[strings.ToUpper(name)]; v != 0 && v < oldestGoodTLS {
			c.warn("%s allows %s, which is broken: TLSv1.2 and TLSv1.3 are not", keyTLSVersions, name)
		}
	}
}

func orEmpty(s string) string {
	if s == "" {
		return "empty"
	}
	return "none"
}

func notLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return false
	}
	ip := net.ParseIP(host)
	return ip == nil || !ip.IsLoopback()
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})$`)

// checkAddresses refuses what is no host and port without repeating it: user:password@host is not.
func (c *Config) checkAddresses() error {
	for i, address := range c.Brokers() {
		if isAddress(address) {
			continue
		}
		return &SettingError{Key: keyBrokers, From: c.settings[keyBrokers].from,
			Err:  errors.New("address " + strconv.Itoa(i+1) + " is not a broker's, and not shown, as there may be a password in it"),
			Hint: "write host:port; security.protocol says how to talk to it, sasl.username and sasl.password who you are"}
	}
	return nil
}

func isAddress(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil { // a host alone: its port is Kafka's
		if host, port = address, "9092"; strings.HasPrefix(address, "[") && strings.HasSuffix(address, "]") {
			host = address[1 : len(address)-1]
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return false
	}
	host, zone, _ := strings.Cut(host, "%")
	return hostName.MatchString(host) && zone == "" || net.ParseIP(host) != nil && (zone == "" || hostName.MatchString(zone))
}
