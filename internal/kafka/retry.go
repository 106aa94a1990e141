package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The pauses between two attempts: the first, and the longest they grow to.
const (
	firstPause   = 50 * time.Millisecond
	longestPause = time.Second
)

// Retriable says whether asking again may help: Kafka says so of its own errors, and a broker that cannot be reached may be restarting or be
// replaced by another.
func Retriable(err error) bool {
	if k, ok := errors.AsType[*kerr.Error](err); ok {
		return k.Retriable
	}
	if errors.Is(err, kgo.ErrClientClosed) || errors.Is(err, context.Canceled) {
		return false
	}
	_, network := errors.AsType[*net.OpError](err)
	return network || kgo.IsRetryableBrokerErr(err) || errors.Is(err, io.EOF)
}

// Denied says whether err is about access.
func Denied(err error) bool {
	for _, about := range []*kerr.Error{kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed} {
		if errors.Is(err, about) {
			return true
		}
	}
	return false
}

// TimeoutError is returned when a question met errors that may pass, and they did not.
type TimeoutError struct {
	Step string // what was asked
	For  time.Duration
	Err  error // the last of them
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("%s: for %s: %v", e.Step, e.For, e.Err)
}

func (e *TimeoutError) Unwrap() error { return e.Err }

// Retry calls try until it works, its error is none that may pass, or the patience ends. It is the only place that asks again. Step names
// what is asked, in errors. The context that try gets ends with the patience.
func (c *Cluster) Retry(ctx context.Context, step string, try func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	var last error
	for wait := firstPause; ; wait = min(2*wait, longestPause) {
		err := try(limited)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", step, context.Cause(ctx))
		case limited.Err() != nil:
			return c.gaveUp(step, last)
		case !Retriable(err):
			return c.named(step, err)
		}
		last = err
		if Pause(limited, wait) != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("%s: %w", step, context.Cause(ctx))
			}
			return c.gaveUp(step, last)
		}
	}
}

// gaveUp is the error after the last attempt; last is nil when no attempt came back.
func (c *Cluster) gaveUp(step string, last error) error {
	if last != nil {
		return &TimeoutError{Step: step, For: c.patience, Err: last}
	}
	err := fmt.Errorf("no answer within %s", c.patience)
	if met := c.dials.Last(); met != nil {
		err = fmt.Errorf("%w: %w", err, met)
	}
	return &ConnectError{Brokers: c.Seeds(), Err: err}
}

// named says which step an error is of. One that is not Kafka's own is of the connection.
func (c *Cluster) named(step string, err error) error {
	if _, ok := errors.AsType[*kerr.Error](err); ok {
		return fmt.Errorf("%s: %w", step, err)
	}
	return &ConnectError{Brokers: c.Seeds(), Err: fmt.Errorf("%s: %w", step, err)}
}

// Pause waits for d, or returns why ctx ended first.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
