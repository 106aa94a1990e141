package capture

import (
	"cmp"
	"runtime"
	"time"

	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/internal/options"
	"github.com/karchive/karchive/reshaping"
	"github.com/karchive/karchive/selection"
)

// The defaults of Options. Their documentation states them.
const (
	DefaultLanes          = 4
	defaultRotateBytes    = 256 << 20
	defaultRotateInterval = 5 * time.Minute
	defaultMemoryBytes    = 32 << 20
	defaultSpoolBytes     = 4 << 30
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
	// Groups are names and globs of consumer groups. Their committed offsets in what is captured are kept in the archive, as they are before the
	// ends are asked for, of a follow capture once more when it ends. Nothing is captured otherwise for it, and a group without an offset there is
	// left out. A group that is named and is not there, or that must not be read, is in Report.UnreadGroups. Empty: the archive keeps those that it has.
	Groups []string
	// Isolation is read_committed when empty.
	Isolation origin.Isolation

	// Follow goes on until the context ends or StopAfter is reached.
	Follow bool
	// StopAfter ends a follow capture. Of a Member it counts what this one takes.
	StopAfter StopAfter
	// Member makes a follow capture one of several that share the partitions and fill one archive; the zero value: it has all of them.
	Member group.Member

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
	// SpoolBytes bounds the segments, in bytes, that a follow capture into a store has not sealed yet over all partitions, give or take a fetch
	// response for each broker: past three quarters of it the largest are sealed early, and past all of it nothing is read. 0: 4 GiB.
	SpoolBytes int64
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
	Reshape reshaping.Reshaper
	// Schemas, if set, fetches the schemas that records name, and they are stored in the archive.
	Schemas Schemas
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
	if err := o.Check(); err != nil {
		return settings{}, err
	}
	o.fillDefaults()
	var err error
	o.Compression, err = format.ParseCompression(string(o.Compression))
	return settings{Options: o}, err
}

func (o *Options) fillDefaults() {
	o.From = o.From.Or(selection.Beginning)
	options.Default(&o.Isolation, origin.ReadCommitted)
	options.Default(&o.RotateBytes, defaultRotateBytes)
	options.Default(&o.RotateInterval, defaultRotateInterval)
	options.Default(&o.Lanes, DefaultLanes)
	options.Default(&o.MemoryBytes, defaultMemoryBytes)
	options.Default(&o.SpoolBytes, defaultSpoolBytes)
	options.Default(&o.FetchBytes, defaultFetchBytes)
	options.Default(&o.ConnectTimeout, defaultConnectTimeout)
	options.Default(&o.StallTimeout, defaultStallTimeout)
	fillMember(&o.Member)
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Check says what of the options cannot be, or does not go together, with an error that wraps ErrOptions. Run does the same, but it is
// sometimes good to know before an archive is made.
func (o Options) Check() error {
	o.fillDefaults()
	_, err := format.ParseCompression(string(o.Compression))
	switch {
	case len(o.Topics) == 0:
		return options.New("give {Topics}", "no topics given")
	case o.Isolation != origin.ReadCommitted && o.Isolation != origin.ReadUncommitted:
		return options.New("", "isolation %q is neither %s nor %s", o.Isolation, origin.ReadCommitted, origin.ReadUncommitted)
	case selection.CheckOrder(o.From, o.Until) != nil:
		return options.New("", "{Until} %s is before {From} %s", o.Until, o.From)
	case o.Follow && !o.Until.IsZero():
		return options.New("give {StopAfter} to end a follow capture", "{Until} is for a snapshot")
	case !o.Follow && o.StopAfter != StopAfter{}:
		return options.New("a snapshot ends by itself, or at {Until}", "{StopAfter} is for {Follow}")
	case o.Lanes < 0 || o.RotateBytes < 0 || o.RotateRecords < 0 || o.RotateInterval < 0 || o.MemoryBytes < 0 || o.SpoolBytes < 0 || o.FetchBytes < 0 ||
		o.ConnectTimeout < 0 || o.StallTimeout < 0:
		return options.New("", "limits must not be negative")
	case o.StopAfter.Records < 0 || o.StopAfter.Bytes < 0 || o.StopAfter.Duration < 0:
		return options.New("", "stop-after must not be negative")
	}
	return cmp.Or(err, checkMember(&o.Member, o.Follow), selection.CheckGlobs(o.Topics), selection.CheckGroupGlobs(o.Groups))
}

// isolationLevel is the level in Kafka's requests.
func (s *settings) isolationLevel() int8 {
	if s.Isolation == origin.ReadCommitted {
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
func encoders() chan struct{} { return make(chan struct{}, runtime.GOMAXPROCS(0)) }
