package connect

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/karchive/karchive/internal/registry"
)

// TestARegistryIsReachedByTheSettingsOfAFile has a login and a certificate that only the settings make right.
func TestARegistryIsReachedByTheSettingsOfAFile(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user+":"+password != "ann:a:b" && r.Header.Get("Authorization") != "Bearer token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Write([]byte(`["AVRO"]`))
	}))
	defer server.Close()
	ca := write(t, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	trust := "schema.registry.ssl.truststore.type=PEM\nschema.registry.ssl.truststore.location=" + strings.ReplaceAll(ca, `\`, `\\`) + "\n"
	for _, c := range []struct {
		what, settings string
		works          bool
	}{
		{"a login", trust + "basic.auth.user.info=ann:a:b\n", true},
		{"a token", trust + "bearer.auth.token=token\n", true},
		{"another login", trust + "basic.auth.user.info=ann:b\n", false},
		{"a certificate that nobody trusts", "basic.auth.user.info=ann:a:b\n", false},
	} {
		r, err := load(t, Input{File: write(t, "client.properties", []byte("bootstrap.servers=a:1\nschema.registry.url="+server.URL+"\n"+c.settings))}).Registry()
		if err != nil || len(r.URLs) != 1 {
			t.Errorf("%s: got %v, %v", c.what, r.URLs, err)
			continue
		}
		_, err = registry.Open(t.Context(), registry.Options{URLs: r.URLs, User: r.User, Password: r.Password, Token: r.Token, TLS: r.TLS, Timeout: 10 * time.Second})
		if (err == nil) != c.works {
			t.Errorf("%s: got %v, want it to work: %v", c.what, err, c.works)
		}
	}
	_, err := load(t, Input{File: write(t, "client.properties", []byte("bootstrap.servers=a:1\nbasic.auth.user.info=secret\n"))}).Registry()
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "basic.auth.user.info") {
		t.Errorf("half a login: got %v, want the setting and not its value", err)
	}
}
