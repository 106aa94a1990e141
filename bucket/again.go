package bucket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"gocloud.dev/gcerrors"
)

// The pauses between two attempts: the first, and the longest they grow to. A vendor's client has made some of its own by then.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 10 * time.Second
)

// GaveUpError is returned when a request met what may pass, and it did not.
type GaveUpError struct {
	For time.Duration // that it was tried
	Err error         // the last answer
}

// Error tells for how long it was tried, and the last answer.
func (e *GaveUpError) Error() string {
	return fmt.Sprintf("tried for %s: %v", e.For.Round(time.Second), e.Err)
}

// Unwrap is the last answer.
func (e *GaveUpError) Unwrap() error { return e.Err }

// again makes a request until it works, its error is none that may pass, or the patience ends. Each attempt has its own time limit: an answer
// that does not come is asked for again. Errors name op and name as those of a file system do, and wrap fs.ErrNotExist, fs.ErrExist or
// fs.ErrPermission where that is what they say.
func (s *Store) again(op, name string, limit time.Duration, count *atomic.Int64, try func(context.Context) error) error {
	begun := s.now()
	for wait := firstPause; ; wait = min(2*wait, longestPause) {
		count.Add(1)
		err := s.attempt(limit, try)
		if err == nil || gcerrors.Code(err) == gcerrors.NotFound {
			s.reached.Store(true)
		}
		if err == nil {
			return nil
		}
		if s.ctx.Err() != nil {
			return &fs.PathError{Op: op, Path: name, Err: context.Cause(s.ctx)}
		}
		if !passes(err) {
			return &fs.PathError{Op: op, Path: name, Err: named(err)}
		}
		err = &answer{err}
		if tried := s.now().Sub(begun); tried >= s.patience() {
			return &fs.PathError{Op: op, Path: name, Err: &GaveUpError{tried, err}}
		}
		s.tell(op, name, err)
		s.counters.again.Add(1)
		if err := s.pause(s.ctx, wait); err != nil {
			return &fs.PathError{Op: op, Path: name, Err: err}
		}
	}
}

func (s *Store) attempt(limit time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	return try(ctx)
}

func (s *Store) patience() time.Duration {
	if s.reached.Load() {
		return s.options.Patience
	}
	return min(s.options.Patience, FirstPatience)
}

// tell says what is tried again, now and then.
func (s *Store) tell(op, name string, err error) {
	if s.options.OnTrouble == nil {
		return
	}
	s.mu.Lock()
	now := s.now()
	due := s.trouble.IsZero() || now.Sub(s.trouble) >= TroubleInterval
	if due {
		s.trouble = now
	}
	s.mu.Unlock()
	if due {
		s.options.OnTrouble(&fs.PathError{Op: op, Path: name, Err: err})
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// coded, worded and answered are what the errors of the vendors' clients are underneath: the code that a service gave, what it said, and the status of its answer.
type (
	coded interface {
		error
		ErrorCode() string
	}
	worded interface {
		error
		ErrorMessage() string
	}
	answered interface {
		error
		HTTPStatusCode() int
	}
)

// passingCodes are answers that tell of a moment, although their status says that the request was wrong: a connection that was too slow or
// broke, an upload whose end was lost and asked for again, and credentials that a chain may have renewed by the next attempt.
var passingCodes = map[string]bool{
	"RequestTimeout": true, "IncompleteBody": true, "BadDigest": true, "XAmzContentSHA256Mismatch": true, "NoSuchUpload": true,
	"ConditionalRequestConflict": true, "OperationAborted": true, "SlowDown": true, "Throttling": true, "ThrottlingException": true,
	"ExpiredToken": true, "ExpiredTokenException": true, "TokenRefreshRequired": true, "RequestExpired": true,
}

// passes says whether asking again may help.
func passes(err error) bool {
	if c, ok := errors.AsType[coded](err); ok && passingCodes[c.ErrorCode()] {
		return true
	}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound, gcerrors.AlreadyExists, gcerrors.FailedPrecondition, gcerrors.PermissionDenied, gcerrors.InvalidArgument, gcerrors.Unimplemented:
		return false
	}
	if a, ok := errors.AsType[answered](err); ok {
		switch status := a.HTTPStatusCode(); status {
		case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
			return true
		default:
			return status < http.StatusMultipleChoices || status >= http.StatusInternalServerError && status != http.StatusNotImplemented
		}
	}
	return true
}

// named adds the error of package fs that err is like.
func named(err error) error {
	code := gcerrors.Code(err)
	if c, ok := errors.AsType[coded](err); ok && c.ErrorCode() == "NoSuchBucket" {
		return fmt.Errorf("there is no such bucket: %w", &answer{err})
	}
	if a, ok := errors.AsType[answered](err); ok && a.HTTPStatusCode() == http.StatusPreconditionFailed {
		code = gcerrors.FailedPrecondition
	}
	switch code {
	case gcerrors.NotFound:
		return &alike{fs.ErrNotExist, err}
	case gcerrors.FailedPrecondition, gcerrors.AlreadyExists:
		return &alike{fs.ErrExist, err}
	case gcerrors.PermissionDenied:
		return fmt.Errorf("%w: %w", fs.ErrPermission, &answer{err})
	}
	return &answer{err}
}

// alike is an error of a service that says no more than one of package fs.
type alike struct{ fs, of error }

func (e *alike) Error() string   { return e.fs.Error() }
func (e *alike) Unwrap() []error { return []error{e.fs, e.of} }

// answer is an error of a vendor's client without the names of its layers.
type answer struct{ of error }

func (e *answer) Unwrap() error { return e.of }

func (e *answer) Error() string {
	if c, ok := errors.AsType[coded](e.of); ok {
		text := c.ErrorCode()
		if m, ok := errors.AsType[worded](e.of); ok && m.ErrorMessage() != "" {
			text += ": " + m.ErrorMessage()
		}
		return text
	}
	if u, ok := errors.AsType[*url.Error](e.of); ok {
		return u.Error()
	}
	return e.of.Error()
}
