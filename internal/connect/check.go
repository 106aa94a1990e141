package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// triedBrokers bounds the brokers that Check tries to reach at once: one that answers is enough.
const triedBrokers = 8

var errNoAnswer = errors.New("no answer")

// UnreachableError is returned by Check when no broker answered.
type UnreachableError struct {
	Addresses  []string // that were tried
	Advertised bool     // Addresses are not the given ones but those that the cluster tells clients to use
	Err        error    // what happened at the first of them
}

func (e *UnreachableError) Error() string {
	what := "no connection to"
	if e.Advertised {
		what = "no connection to the addresses that the cluster gave for its brokers,"
	}
	return fmt.Sprintf("%s %s: %v", what, strings.Join(e.Addresses, ", "), e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// Check connects, logs in and asks for the cluster's brokers, then reaches one of them by the address it advertises. It returns an
// UnreachableError after timeout at the latest, and a SettingError for settings that cannot be used.
func (c *Config) Check(ctx context.Context, timeout time.Duration) error {
	opts, err := c.Opts()
	if err != nil {
		return err
	}
	parent := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w within %v", errNoAnswer, timeout))
	defer cancel()
	given := c.Brokers()
	meta, err := reach(ctx, opts, given)
	if err == nil {
		advertised := addresses(meta)
		if slices.ContainsFunc(advertised, func(a string) bool { return slices.Contains(given, a) }) {
			return nil
		}
		_, err = reach(ctx, opts, advertised)
	}
	if unreachable, ok := errors.AsType[*UnreachableError](err); ok {
		unreachable.Advertised = meta != nil
	}
	if parent.Err() != nil {
		return context.Cause(parent)
	}
	return err
}

func addresses(meta *kmsg.MetadataResponse) []string {
	var out []string
	for _, b := range meta.Brokers {
		out = append(out, net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port))))
	}
	return out
}

// reach asks all addresses at once and returns the first answer.
func reach(ctx context.Context, opts []kgo.Opt, addrs []string) (*kmsg.MetadataResponse, error) {
	addrs = addrs[:min(len(addrs), triedBrokers)]
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		from int
		meta *kmsg.MetadataResponse
		err  error
	}
	answers := make(chan answer, len(addrs))
	for i, addr := range addrs {
		go func() {
			meta, err := ask(ctx, opts, addr)
			answers <- answer{i, meta, err}
		}()
	}
	errs := make([]error, len(addrs))
	for range addrs {
		a := <-answers
		if a.err == nil {
			return a.meta, nil
		}
		errs[a.from] = a.err
	}
	return nil, &UnreachableError{Addresses: addrs, Err: errs[0]}
}

// ask sends one request to one broker, once.
func ask(ctx context.Context, opts []kgo.Opt, addr string) (*kmsg.MetadataResponse, error) {
	cl, err := kgo.NewClient(slices.Concat(opts, []kgo.Opt{kgo.SeedBrokers(addr)})...)
	if err != nil {
		return nil, &SettingError{Key: keyBrokers, Err: fmt.Errorf("connect to %s: %w", addr, err), Hint: "write host:port"}
	}
	defer cl.Close()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{}
	resp, err := cl.SeedBrokers()[0].Request(ctx, req)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	return resp.(*kmsg.MetadataResponse), nil
}
