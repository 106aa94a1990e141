package main

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/connect"
	"github.com/karchive/karchive/internal/registry"
	"github.com/karchive/karchive/internal/schema"
	"github.com/karchive/karchive/internal/units"
)

// registryOfConfig is the word for the registry that the settings name.
const registryOfConfig = "config"

// registryFlag is --schema-registry, of the commands that have a cluster.
func (r *reading) registryFlag(usage string) cli.Flag {
	return &cli.StringFlag{Name: "schema-registry", Category: readingCategory, Destination: &r.registry,
		Usage: usage + " the registry at `URL`, or that of schema.registry.url if URL is " + registryOfConfig + "; see karchive help connection"}
}

// openRegistry connects to the registry that was asked for; nil when none was. What it fetches comes to the schemas that are loaded then.
func (r *reading) openRegistry(ctx context.Context, e *env, cfg *connect.Config, timeout time.Duration) (*registry.Client, error) {
	if r.registry == "" {
		return nil, nil
	}
	settings, err := cfg.Registry()
	if err != nil {
		return nil, err
	}
	if r.registry != registryOfConfig {
		settings.URLs = units.SplitList(r.registry)
	}
	if len(settings.URLs) == 0 {
		return nil, usage("--schema-registry: the settings have no schema.registry.url")
	}
	if r.known == nil {
		r.known = &schema.Set{}
	}
	client, err := registry.Open(ctx, registry.Options{URLs: settings.URLs, User: settings.User, Password: settings.Password, Token: settings.Token,
		TLS: settings.TLS, Timeout: timeout, Schemas: r.known})
	if wrong, ok := errors.AsType[*registry.URLError](err); ok {
		return nil, usage("--schema-registry: %s", wrong.Reason)
	}
	return client, withHint(err, "karchive help connection has its settings")
}

// noteUnknown says that records name schemas that the registry does not have.
func (e *env) noteUnknown(c *registry.Client) {
	if c == nil {
		return
	}
	if n := c.Unknown(); n > 0 {
		e.warnf("the registry lacks %s that records name, or seem to", units.Of(int64(n), "schema"))
	}
	if ids := c.Ruled(); len(ids) > 0 {
		e.warnf("the archive does not keep the metadata and rules of %s; the first is schema %d", units.Of(int64(len(ids)), "schema"), ids[0])
	}
}
