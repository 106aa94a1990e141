package serve

import (
	"crypto/tls"
	"errors"
	"net"
	"runtime"
	"time"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay/timeline"
	"github.com/karchive/karchive/reshaping"
)

// Options say what is served, and where. Sources must be given.
type Options struct {
	Sources []Source
	// Listen is the address to listen on, host:port; empty: a free port of 127.0.0.1.
	Listen string
	// Advertise is the address, a host with or without a port, that clients are told to use; empty: the one that is listened on.
	Advertise string
	// Listener, if set, is used in place of net.Listen.
	Listener func(network, address string) (net.Listener, error)
	// TLS, if set, is how connections are encrypted.
	TLS *tls.Config
	// Users may connect, with the mechanisms PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512; none: everybody may.
	Users []User
	// TempDir is where the embedded broker keeps what clients write, in a directory of its own that Close removes; empty: os.TempDir.
	TempDir string
	// CacheBytes bounds the row groups that are held in memory for clients to fetch; 0: 48 MiB.
	CacheBytes int64
	// ResponseBytes bounds what is on its way to clients: for some of them, when there is no room, one record batch each. 0: 64 MiB.
	ResponseBytes int64
	// Schedule says when records can be read: the high watermarks rise as the records are due, over all partitions and sources by time. The zero
	// value: all at once. Of several rounds each has offsets behind those of the one before.
	Schedule timeline.Schedule
	// StartAt is when the schedule begins; zero: at once.
	StartAt time.Time
	// ScheduleBytes bounds what is decoded to find out when it is due; 0: 32 MiB.
	ScheduleBytes int64
	// Connections bounds how many clients there are at once; more are closed when they connect. 0: 10,000.
	Connections int
	// OnTrouble, if set, is told of what could not be read of the archives, each row group once. It may be called by several goroutines.
	OnTrouble func(error)
}

// ErrEndless is a schedule that has no end and no pace: all of it would be there at once.
var ErrEndless = errors.New("what is served for ever needs a pace")

// paced says whether records wait for their time.
func (o *Options) paced() bool {
	return o.Schedule.Pace.Timed() || o.Schedule.Loops() || !o.StartAt.IsZero()
}

// User is who may connect.
type User struct{ Name, Password string }

// Source is an archive and what of it is served. The Archive must stay open until the Server is closed.
type Source struct {
	Archive *format.Archive
	// Takes says which partitions are served; nil: all. Topics of which none is are left out; other partitions of the others are empty.
	Takes func(format.TopicPartition) bool
	// Window bounds the records.
	Window format.Selection
	// Rename gives the name that a topic is served under; nil: its own.
	Rename func(topic string) (string, error)
	// Rules leave records out and change them; nil: none.
	Rules reshaping.Reshaper
}

func (o *Options) complete() error {
	if len(o.Sources) == 0 {
		return errors.New("no archive to serve")
	}
	if err := o.Schedule.Check(); err != nil {
		return err
	}
	if o.Schedule.Loop == timeline.Forever && !o.Schedule.Pace.Timed() {
		return ErrEndless
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Listener == nil {
		o.Listener = net.Listen
	}
	if o.CacheBytes <= 0 {
		o.CacheBytes = 48 << 20
	}
	if o.ResponseBytes <= 0 {
		o.ResponseBytes = 64 << 20
	}
	if o.ScheduleBytes <= 0 {
		o.ScheduleBytes = 32 << 20
	}
	if o.Connections <= 0 {
		o.Connections = 10_000
	}
	if o.OnTrouble == nil {
		o.OnTrouble = func(error) {}
	}
	return nil
}

// decoders is how many row groups are decoded at once.
func decoders() int { return min(runtime.GOMAXPROCS(0), 4) }
