package connect

import (
	"crypto/tls"
	"errors"
	"strings"

	"github.com/karchive/karchive/internal/units"
)

// Registry says how to reach a schema registry.
type Registry struct {
	URLs           []string // none: no registry was named
	User, Password string
	Token          string
	TLS            *tls.Config
}

// Registry are the settings of a schema registry.
func (c *Config) Registry() (Registry, error) {
	r := Registry{URLs: units.SplitList(c.get(keyRegistryURL)), Token: c.get(keyRegistryToken)}
	if login := c.get(keyRegistryLogin); login != "" {
		user, password, ok := strings.Cut(login, ":")
		if !ok {
			return r, c.fail(keyRegistryLogin, errors.New("is not USER:PASSWORD"), "")
		}
		r.User, r.Password = user, password
	}
	own := &Config{settings: map[string]setting{}, readFile: c.readFile}
	for _, key := range registryTLS {
		if s, ok := c.settings[registryPrefix+key]; ok {
			own.settings[key] = s
		}
	}
	var err error
	if r.TLS, err = own.tlsConfig(); err != nil {
		if wrong, ok := errors.AsType[*SettingError](err); ok {
			wrong.Key = registryPrefix + wrong.Key
		}
		return r, err
	}
	return r, nil
}
