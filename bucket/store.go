package bucket

import (
	"cmp"
	"context"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gocloud.dev/blob"

	"github.com/karchive/karchive/format/storage"
)

// Options are how a Store uses its bucket. The zero value is useful.
type Options struct {
	// Prefix is where in the bucket the archive lies, "archives/run1" say; empty: its root.
	Prefix string
	// Name is what messages call the archive; empty: Prefix.
	Name string
	// Spool is the directory for segments that are not uploaded yet, which must be there; empty: the system's for temporary files.
	Spool string
	// Patience is how long something that may pass is tried again; 0: [DefaultPatience]. The first request of all has at most
	// [FirstPatience]: what it meets is a wrong address more often than a store that is down for a while.
	Patience time.Duration
	// OnTrouble is told that a request is tried again, at most every [TroubleInterval], from any goroutine; nil: nobody is.
	OnTrouble func(error)
}

// What Options leave out.
const (
	DefaultPatience = 5 * time.Minute
	FirstPatience   = 15 * time.Second
	TroubleInterval = 10 * time.Second
)

// Uploads is how many objects a Store uploads at once, and with that how much memory it takes: each holds a few parts.
const Uploads = 4

// Store is an archive's place in a bucket. It implements [storage.Store]. All methods are safe for concurrent use; files are as format says.
type Store struct {
	ctx     context.Context // ends all requests; in here because a file system has no place for one in its calls
	bucket  *blob.Bucket
	options Options
	prefix  string // of keys: empty, or with a slash at its end
	now     func() time.Time
	pause   func(context.Context, time.Duration) error

	uploads  chan struct{} // one for each upload that is under way
	counters counters
	reached  atomic.Bool // some request was answered
	windows  windows

	mu      sync.Mutex // guards what follows
	sizes   map[string]int64
	trouble time.Time // when OnTrouble was called last
}

var _ storage.Store = (*Store)(nil)

// New makes a Store of an opened bucket, which stays the caller's to close when nothing uses the Store any more. All requests end with ctx. Nothing is asked of the bucket yet.
func New(ctx context.Context, b *blob.Bucket, o Options) *Store {
	prefix := strings.Trim(o.Prefix, "/")
	o.Name = cmp.Or(o.Name, prefix)
	o.Patience = cmp.Or(o.Patience, DefaultPatience)
	if prefix != "" {
		prefix += "/"
	}
	return &Store{
		ctx: ctx, bucket: b, options: o, prefix: prefix, now: time.Now, pause: pause,
		uploads: make(chan struct{}, Uploads), sizes: map[string]int64{},
	}
}

// Name is what messages call the archive.
func (s *Store) Name() string { return s.options.Name }

// Parallel is how many objects are worth to be read at once: a request takes long, and most of that is waiting.
func (s *Store) Parallel() int { return 16 }

// key is that of a name. Only plain paths are names, so no key leads out of the prefix.
func (s *Store) key(op, name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if name == "." {
		return s.prefix, nil
	}
	return s.prefix + name, nil
}
