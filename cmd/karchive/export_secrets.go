//go:build iceberg

package main

import (
	"net/url"
	"slices"
	"strings"

	ice "github.com/apache/iceberg-go"
)

// secretMarks are in the names of options of URLs, and of properties, whose values are secret; those of propertyMarks in the latter alone,
// because options have files of keys and passwords.
var (
	secretMarks   = []string{"token", "credential", "secret", "password"}
	propertyMarks = append(slices.Clone(secretMarks), "key", "auth", "sas", "connection-string", "header.", "cookie")
)

func marked(name string, marks []string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(name, mark) })
}

// secretsOf are the values of properties that are not for anybody's eyes, and the parts of them that a server may quote.
func secretsOf(p ice.Properties) (secrets []string) {
	for name, value := range p {
		u, err := url.Parse(value)
		if err == nil && u.Host != "" {
			secrets = append(secrets, secretsIn(u)...)
			continue
		}
		if marked(name, propertyMarks) {
			secrets = append(secrets, value)
			if _, secret, ok := strings.Cut(value, ":"); ok { // of client:secret
				secrets = append(secrets, secret)
			}
		}
	}
	return secrets
}

// secretsIn are those of a URL, which has no business to have any.
func secretsIn(u *url.URL) (secrets []string) {
	if password, ok := u.User.Password(); ok {
		secrets = append(secrets, password)
	}
	for name, values := range u.Query() {
		if marked(name, secretMarks) {
			secrets = append(secrets, values...)
		}
	}
	return secrets
}

func hasSecret(u *url.URL) bool { return len(secretsIn(u)) > 0 }
