package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/karchive/karchive/internal/schema"
)

// Options say how to reach a registry.
type Options struct {
	URLs           []string
	User, Password string      // of basic authentication; empty: none
	Token          string      // of a bearer; empty: none
	TLS            *tls.Config // nil: the system's roots
	Timeout        time.Duration
	Schemas        *schema.Set // to which is added what is fetched; nil: an own one
}

// URLError is an address that cannot be a registry's.
type URLError struct{ Reason string }

func (e *URLError) Error() string { return "schema registry: " + e.Reason }

// Open makes a client and makes sure that a registry answers.
func Open(ctx context.Context, o Options) (*Client, error) {
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	var types []string
	err = c.registry.Do(ctx, http.MethodGet, "/schemas/types", nil, &types)
	if err != nil && !isNotFound(err) { // older ones do not have the question
		return nil, fmt.Errorf("ask the schema registry: %w", plain(err))
	}
	return c, nil
}

func newClient(o Options) (*Client, error) {
	for _, text := range o.URLs {
		u, err := url.Parse(text)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "":
			return nil, &URLError{"an address is http://HOST:PORT or https://HOST:PORT"}
		case u.User != nil:
			return nil, &URLError{"user and password go into basic.auth.user.info"}
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = o.TLS
	opts := []sr.ClientOpt{sr.URLs(o.URLs...), sr.UserAgent("karchive"), sr.HTTPClient(&http.Client{
		Transport: bounded{transport}, Timeout: o.Timeout, CheckRedirect: staysEncrypted,
	})}
	if o.User != "" {
		opts = append(opts, sr.BasicAuth(o.User, o.Password))
	}
	if o.Token != "" {
		opts = append(opts, sr.BearerToken(o.Token))
	}
	cl, err := sr.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("schema registry: %w", err)
	}
	set := o.Schemas
	if set == nil {
		set = &schema.Set{}
	}
	return &Client{registry: cl, set: set, seen: map[name]bool{}}, nil
}

// maxAnswer bounds an answer of a registry.
const maxAnswer = 32 << 20

// bounded ends answers that are too long for memory.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = http.MaxBytesReader(nil, answer.Body, maxAnswer)
	}
	return answer, err
}

// staysEncrypted refuses to be sent on to where the login would be readable on its way.
func staysEncrypted(to *http.Request, via []*http.Request) error {
	switch {
	case via[0].URL.Scheme == "https" && to.URL.Scheme != "https":
		return errors.New("it redirects from https to http")
	case len(via) >= 10:
		return errors.New("it redirects too often")
	}
	return nil
}

// inContextOf makes questions about ids those of the context that a subject is in: each context numbers its own schemas.
func inContextOf(ctx context.Context, subject string) context.Context {
	if name := strings.Trim(schema.ContextOf(subject), ":"); name != "" {
		return sr.InContext(ctx, name)
	}
	return ctx
}

// isNotFound says that a registry answered that it does not have something.
func isNotFound(err error) bool {
	answer, ok := errors.AsType[*sr.ResponseError](err)
	return ok && answer.StatusCode == http.StatusNotFound
}

// maxMessage bounds what of a registry's message is repeated, in bytes.
const maxMessage = 500

// plain is an error of the client in a line.
func plain(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errors.New("it answers with more than 32 MiB")
	}
	answer, ok := errors.AsType[*sr.ResponseError](err)
	if !ok {
		return err
	}
	text := strings.Join(strings.Fields(answer.Message), " ")
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "") + "…"
	}
	if text == "" {
		text = http.StatusText(answer.StatusCode)
	}
	return fmt.Errorf("%d: %s", answer.StatusCode, text)
}
