package replay_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
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
