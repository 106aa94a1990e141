package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Cluster is a connection to a cluster, for questions.
type Cluster struct {
	client   *kgo.Client
	dials    *Dials
	patience time.Duration
}

// ErrConnect is wrapped by a ConnectError.
var ErrConnect = errors.New("no broker answers")

// ConnectError is returned when no broker answers.
type ConnectError struct {
	Brokers []string // as given
	Err     error    // what the last attempt met
}

// Error names the brokers.
func (e *ConnectError) Error() string {
	return fmt.Sprintf("connect to %s: %v", strings.Join(e.Brokers, ", "), e.Err)
}

// Unwrap returns ErrConnect and what the last attempt met.
func (e *ConnectError) Unwrap() []error { return []error{ErrConnect, e.Err} }

// Connect makes a client and waits for the first answer of a broker. Patience bounds that, and every later question with all its
// attempts. What refuses the first connection is more likely a mistake than a broker that restarts, so it is not tried again. The caller
// calls Close.
func Connect(ctx context.Context, options []kgo.Opt, patience time.Duration) (*Cluster, error) {
	d := &Dials{}
	client, err := kgo.NewClient(append(slices.Clone(options), kgo.WithHooks(d))...)
	if err != nil {
		return nil, fmt.Errorf("connection options: %w", err)
	}
	c := &Cluster{client: client, dials: d, patience: patience}
	if err := c.greet(ctx); err != nil {
		client.Close()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) greet(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	err := c.ping(limited)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limited.Err() != nil:
		return c.gaveUp("connect", nil)
	}
	return &ConnectError{Brokers: c.Seeds(), Err: err}
}

// ping asks one address after the other until one answers.
func (c *Cluster) ping(ctx context.Context) error {
	answered := make(chan error, 1)
	go func() { answered <- c.client.Ping(ctx) }() // which does not look at the context while it opens a connection
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends the connection.
func (c *Cluster) Close() { c.client.Close() }

// Client is the client that asks. It belongs to the Cluster.
func (c *Cluster) Client() *kgo.Client { return c.client }

// Dials knows of the last connection that was tried.
func (c *Cluster) Dials() *Dials { return c.dials }

// Within is the same connection with another patience, for loops that ask again by themselves and have other things to do.
func (c *Cluster) Within(patience time.Duration) *Cluster {
	return &Cluster{client: c.client, dials: c.dials, patience: min(patience, c.patience)}
}

// Patience bounds a question with all its attempts.
func (c *Cluster) Patience() time.Duration { return c.patience }

// Seeds are the addresses that were given.
func (c *Cluster) Seeds() []string {
	seeds, _ := c.client.OptValue(kgo.SeedBrokers).([]string)
	return seeds
}

// requester is a client or one of its brokers.
type requester interface {
	Request(context.Context, kmsg.Request) (kmsg.Response, error)
}

// ask asks any broker.
func (c *Cluster) ask(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	return request(ctx, c.client, req)
}

// askBroker asks one broker.
func (c *Cluster) askBroker(ctx context.Context, node int32, req kmsg.Request) (kmsg.Response, error) {
	return request(ctx, c.client.Broker(int(node)), req)
}

// request sends a request. The client does not look at the context while it opens a connection.
func request(ctx context.Context, to requester, req kmsg.Request) (kmsg.Response, error) {
	type answer struct {
		resp kmsg.Response
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		resp, err := to.Request(ctx, req)
		answered <- answer{resp, err}
	}()
	select {
	case a := <-answered:
		return a.resp, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Dials remembers the last failed connection, which the client itself only retries. It is a hook of clients, and safe for concurrent use.
type Dials struct {
	mu  sync.Mutex
	err error
}

// OnBrokerConnect is a hook of the client.
func (d *Dials) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

// Last is the error of the last connection, nil if it was made.
func (d *Dials) Last() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}
