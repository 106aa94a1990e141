package capture

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/selecting"
	"github.com/karchive/karchive/selection"
)

// The defaults of Options. Their documentation states them.
const (
	DefaultLanes          = 4
	defaultRotateBytes    = 256 << 20
	defaultRotateInterval = 5 * time.Minute
	defaultMemoryBytes    = 32 << 20
	defaultFetchBytes     = 4 << 20
	defaultConnectTimeout = 10 * time.Second
	defaultStallTimeout   = time.Minute
)

// Options says what to capture and how. Topics is all that is needed: the zero value of the rest is a snapshot of them, from
// their beginning to the end they had when it began, under read_committed.
type Options struct {
	// Topics are names and globs (*, ?, [a-z]). A name that does not exist is an error. Globs leave out internal topics, which begin
	// with two underscores.
	Topics []string
	// Partitions selects partitions in every topic; empty: all.
	Partitions []int32
	// From and Until bound the records that a partition's log has. From is inclusive, and the beginning when it is not given. Until is exclusive,
	// and the end that the log has when the capture begins; a follow capture has none.
	From, Until selection.Position
	// Isolation is read_committed when empty.
	Isolation format.Isolation

	// Follow goes on until the context ends or StopAfter is reached.
	Follow bool
	// StopAfter ends a follow capture.
	StopAfter StopAfter

	// A segment ends when its records reach RotateBytes canonical bytes (0: 256 MiB) or RotateRecords (0: no limit), and in
	// a follow capture also RotateInterval after its first record (0: 5 minutes).
	RotateBytes, RotateRecords int64
	RotateInterval             time.Duration
	Compression                format.Compression

	// Lanes is the number of partitions that a snapshot works on at once; 0: DefaultLanes. It does not change what is written.
	Lanes int
	// MemoryBytes bounds the records, in canonical bytes, that a follow capture collects in row groups over all partitions; past it
	// the largest row group ends early. 0: 32 MiB.
	MemoryBytes int64
	// FetchBytes is the size of fetch responses; 0: 4 MiB, less when there are many brokers. A larger record is fetched alone.
	FetchBytes int32

	// ConnectTimeout bounds the first contact with the cluster; 0: 10 seconds.
	ConnectTimeout time.Duration
	// StallTimeout bounds how long a partition may go without progress that it should make, for a broker that cannot be reached say,
	// before the capture ends with the reason; 0: a minute.
	StallTimeout time.Duration
	// RequireHW makes a snapshot that open transactions held behind the high watermark count as incomplete.
	RequireHW bool

	// Reshape, if set, leaves records out and changes them before they are written. What it leaves out is in the archive's ledger as
	// filtered.
	Reshape format.Reshaper
	// SkipCorrupt records the offsets of batches that cannot be read as gaps, with reason corrupt, and goes on. Without it their
	// partition is left: the capture goes on with the others, tells of it as trouble, and ends with its error.
	SkipCorrupt bool

	// Now tells the time that relative positions count back from; nil: time.Now.
	Now func() time.Time
	// OnProgress, if set, is called now and then, never more often than every 200 ms and never twice at once, and a last time at the
	// end. It must return quickly.
	OnProgress func(Progress)
}

// StopAfter bounds a follow capture; the first limit that is reached ends it. Zero values are no limit.
type StopAfter struct {
	Records  int64         // exact
	Bytes    int64         // canonical bytes; the record that reaches it is the last
	Duration time.Duration // since the capture began
}

// settings are Options with everything filled in and parsed.
type settings struct {
	Options
	known string // what the archive knows of the rules, or its own id
}

func (o Options) normalize() (settings, error) {
	o.fillDefaults()
	s := settings{Options: o}
	compression, err := format.ParseCompression(string(o.Compression))
	if err != nil {
		return s, err
	}
	s.Compression = compression
	return s, s.check()
}

func (o *Options) fillDefaults() {
	o.From = o.From.Or(selection.Beginning)
	setDefault(&o.Isolation, format.ReadCommitted)
	setDefault(&o.RotateBytes, defaultRotateBytes)
	setDefault(&o.RotateInterval, defaultRotateInterval)
	setDefault(&o.Lanes, DefaultLanes)
	setDefault(&o.MemoryBytes, defaultMemoryBytes)
	setDefault(&o.FetchBytes, defaultFetchBytes)
	setDefault(&o.ConnectTimeout, defaultConnectTimeout)
	setDefault(&o.StallTimeout, defaultStallTimeout)
	if o.Now == nil {
		o.Now = time.Now
	}
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

func (s *settings) check() error {
	switch {
	case len(s.Topics) == 0:
		return errors.New("no topics are named")
	case s.Isolation != format.ReadCommitted && s.Isolation != format.ReadUncommitted:
		return fmt.Errorf("isolation %q is neither %s nor %s", s.Isolation, format.ReadCommitted, format.ReadUncommitted)
	case s.Follow && !s.Until.IsZero():
		return errors.New("a follow capture has no until: it goes on until it is stopped")
	case !s.Follow && s.StopAfter != StopAfter{}:
		return errors.New("stop-after is for a follow capture: a snapshot ends by itself")
	case s.Lanes < 0 || s.RotateBytes < 0 || s.RotateRecords < 0 || s.RotateInterval < 0 || s.MemoryBytes < 0 || s.FetchBytes < 0 ||
		s.ConnectTimeout < 0 || s.StallTimeout < 0:
		return errors.New("limits must not be negative")
	case s.StopAfter.Records < 0 || s.StopAfter.Bytes < 0 || s.StopAfter.Duration < 0:
		return errors.New("stop-after must not be negative")
	}
	return selecting.CheckGlobs(s.Topics)
}

// isolationLevel is the level in Kafka's requests.
func (s *settings) isolationLevel() int8 {
	if s.Isolation == format.ReadCommitted {
		return 1
	}
	return 0
}

// rules identifies the rules of the capture; empty: there are none.
func (s *settings) rules() string {
	if s.Reshape == nil {
		return ""
	}
	return s.Reshape.Rules(s.known)
}

// lanes is the number of partitions to work on at once, of n.
func (s *settings) lanes(n int) int {
	if s.Follow {
		return n
	}
	return min(n, s.Lanes)
}

// encoders is the number of row groups to encode at once: as many as there are processors.
func encoders() *format.Encoders { return format.NewEncoders(runtime.GOMAXPROCS(0)) }
