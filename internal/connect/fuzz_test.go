package connect

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/karchive/karchive/test/seeds"
)

// planted is part of every secret here. What is printed must not hold it.
const planted = "planted-7Jq2xWv9"

// everythingSaid reads settings, and everything that they name out of file, and returns all that would be printed of them.
func everythingSaid(in Input, file []byte) (said string) {
	in.ReadFile = func(string) ([]byte, error) { return file, nil }
	c, err := Load(in)
	if c != nil {
		said = fmt.Sprint(c.Notes(), c, fmt.Sprintf("%#v %+v", c, c), c.Explain(err))
		if err == nil {
			_, err = c.Opts()
		}
	}
	if e := new(SettingError); errors.As(err, &e) {
		said += e.Error() + e.Hint
	}
	return said + fmt.Sprint(err)
}

// FuzzProperties reads a client.properties file, with a secret in it.
func FuzzProperties(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 1<<16 {
			return
		}
		in := Input{File: "client.properties", Brokers: []string{"localhost:9092"}}
		everythingSaid(in, file)
		for _, secret := range []string{"sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.keystore.key", "sasl.oauthbearer.token"} {
			if said := everythingSaid(in, append([]byte(secret+"="+planted+"\n"), file...)); strings.Contains(said, planted) {
				t.Errorf("%s is told: %s", secret, said)
			}
		}
	})
}

// FuzzSetting reads what is given as -X, and the same from the environment. The value of a secret is not told.
func FuzzSetting(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, key, value string) {
		if len(key)+len(value) > 1<<16 || strings.Contains(value, "@") {
			return
		}
		value += planted
		name, _ := canonical(strings.TrimSpace(key))
		variable := envName(strings.TrimSpace(key)) + "=" + value
		for _, in := range []Input{
			{Set: []string{key + "=" + value}, Brokers: []string{"localhost:9092"}},
			{Set: []string{"security.protocol=sasl_ssl", key + "=" + value}, Brokers: []string{"localhost:9092"}},
			{Environ: []string{variable}, Brokers: []string{"localhost:9092"}},
		} {
			if said := everythingSaid(in, []byte(value)); isSecret(name) && strings.Contains(said, planted) {
				t.Errorf("%s is told: %s", key, said)
			}
		}
	})
}

// FuzzJAAS reads a sasl.jaas.config, around a secret.
func FuzzJAAS(f *testing.F) {
	seeds.Need(f)
	f.Fuzz(func(t *testing.T, before, after string) {
		if len(before)+len(after) > 1<<16 {
			return
		}
		if _, err := parseJAAS(before + planted + after); err != nil && strings.Contains(err.Error(), planted) {
			t.Errorf("it is told: %v", err)
		}
	})
}
