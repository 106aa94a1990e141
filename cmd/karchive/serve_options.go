package main

import (
	"net"
	"strconv"
	"strings"

	"github.com/karchive/karchive/internal/serve"
)

// complete makes the library's options of all but the archives.
func (o *serveOptions) complete(e *env) (serve.Options, error) {
	options, err := o.served.complete(e)
	if err != nil {
		return options, err
	}
	options.Listen, options.Advertise = o.listen, o.advertise
	if options.Users, err = o.accounts(e); err != nil {
		return options, err
	}
	if options.TLS, err = o.tls(); err != nil {
		return options, err
	}
	return options, o.checkAddress(e, options.TLS != nil && len(options.Users) > 0)
}

// isAdvertisable says whether clients can connect to an address, which need not have a port.
func isAdvertisable(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.Trim(address, "[]"), "0"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && (n > 0 || port == "0") && (net.ParseIP(host) != nil || !strings.ContainsAny(host, ":/@ "))
}

// checkAddress warns of an address that others can reach.
func (o *serveOptions) checkAddress(e *env, secured bool) error {
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return usage("--listen: not HOST:PORT")
	}
	if !isAdvertisable(o.advertise) {
		return usage("--advertise: not HOST or HOST:PORT")
	}
	ip := net.ParseIP(host)
	if host == "" || ip != nil && ip.IsUnspecified() {
		if o.advertise == "" {
			return &usageError{"--listen " + o.listen + " is no address that clients can use", "give --advertise HOST:PORT"}
		}
	}
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) && !secured {
		e.warnf("everybody who reaches %s can read what is served: give --tls-cert, --tls-key and --sasl-user", o.listen)
	}
	return nil
}
