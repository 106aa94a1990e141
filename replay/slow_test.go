package replay_test

import (
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/test/memfs"
)

// slow makes the target take a time for every produce request.
func (c target) slow(d time.Duration) {
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		c.SleepControl(func() { time.Sleep(d) })
		return nil, nil, false
	})
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
				c.slow(3 * time.Second)
				report := c.run(t, a, o)
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
