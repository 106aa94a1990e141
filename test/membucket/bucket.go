// Package membucket is a bucket in memory whose answers can be late, lost or refusals, and whose client can be killed at any request. What happens depends
// on a seed alone, as long as one goroutine asks.
package membucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcerrors"
)

// ErrKilled is the answer to everything after the request at which the client was killed.
var ErrKilled = errors.New("the process was killed")

// Bucket is one client's way to objects in memory, which other clients share. Its fields are set before it is used.
type Bucket struct {
	Seed   uint64
	Delay  time.Duration // how long each request takes
	Faults float64       // the share of requests that fail, before or after they were done
	KillAt int           // the request, from 1, at which the client is killed, before or after it is done; 0: none
	NoIf   bool          // a store without conditions: IfNotExist is not looked at

	objects *blob.Bucket
	mu      sync.Mutex
	random  *rand.Rand
	asked   int
	killed  bool
	trace   []string
}

// New makes an empty bucket.
func New() *Bucket { return &Bucket{objects: memblob.OpenBucket(nil)} }

// Other is another client of the same objects, without faults.
func (b *Bucket) Other() *Bucket { return &Bucket{objects: b.objects} }

// Open is the bucket as gocloud.dev has it.
func (b *Bucket) Open() *blob.Bucket {
	b.random = rand.New(rand.NewPCG(b.Seed, 1))
	return blob.NewBucket(client{b})
}

// Asked is how many requests were made.
func (b *Bucket) Asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

// Kill ends the client now: no request of it is answered, or does anything, any more.
func (b *Bucket) Kill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.killed = true
}

// Trace names the requests that were made, and what became of them.
func (b *Bucket) Trace() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.trace
}

// answerError is an answer as a service gives it.
type answerError struct {
	code   string
	status int
}

func (e *answerError) Error() string       { return fmt.Sprintf("answer %d %s", e.status, e.code) }
func (e *answerError) ErrorCode() string   { return e.code }
func (e *answerError) HTTPStatusCode() int { return e.status }

var refusals = []error{
	&answerError{"SlowDown", http.StatusServiceUnavailable},
	&answerError{"TooManyRequests", http.StatusTooManyRequests},
	&answerError{"ConditionalRequestConflict", http.StatusConflict},
	&answerError{"InternalError", http.StatusInternalServerError},
	&answerError{"RequestTimeout", http.StatusBadRequest},
	&answerError{"ExpiredToken", http.StatusBadRequest},
	io.ErrUnexpectedEOF,
	context.DeadlineExceeded,
}

// fate is what becomes of a request.
type fate struct{ before, after error }

func (b *Bucket) fate(what, key string) fate {
	time.Sleep(b.Delay)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	f := b.draw()
	b.trace = append(b.trace, fmt.Sprintf("%d %s %s: %v, %v", b.asked, what, key, f.before, f.after))
	return f
}

func (b *Bucket) draw() (f fate) {
	switch {
	case b.killed || b.KillAt > 0 && b.asked > b.KillAt:
		return fate{before: ErrKilled}
	case b.KillAt > 0 && b.asked == b.KillAt:
		f.before, f.after = ErrKilled, ErrKilled
	case b.random.Float64() < b.Faults:
		err := refusals[b.random.IntN(len(refusals))]
		f.before, f.after = err, err
	default:
		return f
	}
	if b.random.IntN(2) == 0 {
		f.before = nil
	}
	return f
}

// do makes a request.
func (b *Bucket) do(what, key string, request func() error) error {
	f := b.fate(what, key)
	if f.before != nil {
		return f.before
	}
	if err := request(); err != nil {
		return err
	}
	return f.after
}

// client implements driver.Bucket.
type client struct{ b *Bucket }

func (c client) ErrorCode(err error) gcerrors.ErrorCode {
	if errors.Is(err, ErrKilled) {
		return gcerrors.PermissionDenied // nothing is tried again
	}
	return gcerrors.Code(err)
}

func (c client) As(any) bool { return false }

func (c client) ErrorAs(err error, i any) bool { return errors.As(err, i) }

func (c client) Attributes(ctx context.Context, key string) (out *driver.Attributes, err error) {
	err = c.b.do("HEAD", key, func() error {
		a, err := c.b.objects.Attributes(ctx, key)
		if err == nil {
			out = &driver.Attributes{Metadata: a.Metadata, Size: a.Size, ModTime: a.ModTime, ETag: a.ETag}
		}
		return err
	})
	return out, err
}

func (c client) ListPaged(ctx context.Context, o *driver.ListOptions) (page *driver.ListPage, err error) {
	token := o.PageToken
	if token == nil {
		token = blob.FirstPageToken
	}
	err = c.b.do("LIST", o.Prefix, func() error {
		list, next, err := c.b.objects.ListPage(ctx, token, o.PageSize, &blob.ListOptions{Prefix: o.Prefix, Delimiter: o.Delimiter})
		page = &driver.ListPage{NextPageToken: next}
		for _, l := range list {
			page.Objects = append(page.Objects, &driver.ListObject{Key: l.Key, Size: l.Size, ModTime: l.ModTime, IsDir: l.IsDir})
		}
		return err
	})
	return page, err
}

func (c client) NewRangeReader(ctx context.Context, key string, at, n int64, _ *driver.ReaderOptions) (r driver.Reader, err error) {
	f := c.b.fate(fmt.Sprintf("GET %d+%d", at, n), key)
	if f.before != nil {
		return nil, f.before
	}
	inner, err := c.b.objects.NewRangeReader(ctx, key, at, n, nil)
	if err != nil {
		return nil, err
	}
	return &reader{inner, f.after}, nil
}

// reader ends early with its error, if it has one.
type reader struct {
	*blob.Reader
	broken error
}

func (r *reader) Attributes() *driver.ReaderAttributes {
	return &driver.ReaderAttributes{Size: r.Size(), ModTime: r.ModTime()}
}

func (r *reader) As(any) bool { return false }

func (r *reader) Read(p []byte) (int, error) {
	if r.broken != nil {
		return 0, r.broken
	}
	return r.Reader.Read(p)
}

func (c client) NewTypedWriter(ctx context.Context, key, _ string, o *driver.WriterOptions) (driver.Writer, error) {
	return &writer{ctx: ctx, c: c, key: key, options: &blob.WriterOptions{Metadata: o.Metadata, IfNotExist: o.IfNotExist && !c.b.NoIf}}, nil
}

type writer struct {
	bytes.Buffer
	ctx     context.Context
	c       client
	key     string
	options *blob.WriterOptions
}

func (w *writer) Close() error {
	return w.c.b.do("PUT", w.key, func() error { return w.c.b.objects.WriteAll(w.ctx, w.key, w.Bytes(), w.options) })
}

func (c client) Delete(ctx context.Context, key string, _ *driver.DeleteOptions) error {
	return c.b.do("DELETE", key, func() error { return c.b.objects.Delete(ctx, key) })
}

func (c client) Copy(context.Context, string, string, *driver.CopyOptions) error {
	return errors.ErrUnsupported
}

func (c client) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", errors.ErrUnsupported
}

func (c client) Close() error { return nil }

// Objects are what is there, for a look behind the clients' backs.
func (b *Bucket) Objects() *blob.Bucket { return b.objects }
