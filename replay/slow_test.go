package replay_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/test/memfs"
)

// slow is the target when every produce request takes a time on its way to it, one after the other. (The embedded broker can sleep
// itself, but two of its goroutines may wake one request.)
func (c target) slow(d time.Duration) target {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := c.dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		slow := &slowConn{Conn: conn, writes: make(chan []byte, 100), closed: make(chan struct{})}
		go slow.relay(d)
		return slow, nil
	}
	return target{c.Cluster, append(slices.Clone(c.connect), kgo.Dialer(dial)), dial}
}

// slowConn has what is written under way until relay lets the other side have it.
type slowConn struct {
	net.Conn
	writes chan []byte
	once   sync.Once
	closed chan struct{}
}

func (c *slowConn) Write(b []byte) (int, error) {
	select {
	case c.writes <- bytes.Clone(b):
		return len(b), nil
	case <-c.closed:
		return 0, net.ErrClosed
	}
}

func (c *slowConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (c *slowConn) relay(d time.Duration) {
	for {
		select {
		case b := <-c.writes:
			if kmsg.Key(binary.BigEndian.Uint16(b[4:])) == kmsg.Produce {
				time.Sleep(d)
			}
			c.Conn.Write(b)
		case <-c.closed:
			return
		}
	}
}

func TestATargetSlowerThanTheSourceGetsAllInOrder(t *testing.T) {
	for name, o := range map[string]replay.Options{
		"at top speed": {MemoryBytes: 1 << 20, StallTimeout: time.Minute},
		"at a rate":    {MemoryBytes: 1 << 20, StallTimeout: time.Minute, Schedule: rate(t, "50k/s")},
	} {
		t.Run(name, func(t *testing.T) {
			virtually(t, func(t *testing.T, c target) {
				r := ordersAndEvents(3000)
				r.groupSize = 100
				a := r.archive(t)
				report := c.slow(3*time.Second).run(t, a, o)
				equal(t, "acknowledged, missing", [2]int64{report.Acknowledged, report.Missing}, [2]int64{9000, 0})
				if report.Elapsed < 3*time.Second {
					t.Errorf("it took %s, the target was not slow", report.Elapsed)
				}
				for _, tp := range []format.TopicPartition{orders0, orders1, events0} {
					equal(t, tp.String(), c.values(t, tp), valuesOf(r.records[tp]))
				}
			})
		})
	}
}

// slowFiles takes a minute for the first read that begins between two offsets of a file.
type slowFiles struct {
	storage.ReadFS
	from, to int64
	once     sync.Once
}

type slowFile struct {
	storage.ReadFile
	fs *slowFiles
}

func (f *slowFiles) Open(name string) (storage.ReadFile, error) {
	file, err := f.ReadFS.Open(name)
	return slowFile{file, f}, err
}

func (f slowFile) ReadAt(p []byte, off int64) (int, error) {
	if f.fs.from <= off && off < f.fs.to {
		f.fs.once.Do(func() { time.Sleep(time.Minute) })
	}
	return f.ReadFile.ReadAt(p, off)
}

func TestASlowArchiveStarvesTheReplayAndTheReportSaysSo(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		r := recording{groupSize: 100, records: map[format.TopicPartition][]format.Record{orders0: plain(orders0, 5000)}}
		files := memfs.New(memfs.Options{})
		outside(func() { r.write(t, files) })
		a, err := format.Open(&slowFiles{ReadFS: files, from: 80 << 10, to: 100 << 10}) // after three quarters of the data
		must(t, err)
		report := c.run(t, a, replay.Options{Schedule: rate(t, "100/s"), Timestamps: replay.NowTimestamps})
		equal(t, "acknowledged", report.Acknowledged, int64(5000))
		if report.Timing.Starved == 0 || report.Timing.HeldBack != 0 || report.Timing.Drift < time.Second {
			t.Errorf("timing %+v, want records that starved, none held back", report.Timing)
		}
	})
}
