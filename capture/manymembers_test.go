package capture

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/test/membucket"
)

const (
	manyPartitions = 1000
	manyMembers    = 50
	manyRounds     = 5
)

// TestManyMembersShareManyPartitions is make bench-groups. It prints what docs/performance.md has in its table of groups.
func TestManyMembersShareManyPartitions(t *testing.T) {
	if os.Getenv("KARCHIVE_BENCH_GROUPS") == "" {
		t.Skip("takes minutes: make bench-groups")
	}
	t.Log("| protocol | members | balanced at first | after a change, median (longest) | Kafka requests | bucket requests | records | fetched and dropped | heap of all, MB |")
	for _, protocol := range []group.Protocol{group.Cooperative, group.Eager, group.Consumer} {
		t.Run(string(protocol), func(t *testing.T) {
			inBubble(t, func(t *testing.T) { newCrowd(t, protocol).simulate() })
		})
	}
}

// crowd is many members that come and go.
type crowd struct {
	t          *testing.T
	b          *broker
	bucket     *membucket.Bucket
	group      *coordinator
	options    Options
	random     *rand.Rand
	producer   *kgo.Client
	requests   atomic.Int64 // that the cluster got
	all, alive []*process
	heap       uint64 // the most that was in use
}

func newCrowd(t *testing.T, protocol group.Protocol) *crowd {
	c := &crowd{t: t, b: newVirtualBroker(t, kfake.SeedTopics(manyPartitions, "orders")), bucket: membucket.New(), random: rand.New(rand.NewPCG(1, 2))}
	c.options = Options{RotateInterval: time.Minute, Member: group.Member{Protocol: protocol}}
	c.group, c.producer = newCoordinator(c.b, "audit"), c.b.client()
	c.b.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		c.b.KeepControl()
		c.requests.Add(1)
		return nil, nil, false
	})
	return c
}

func (c *crowd) simulate() {
	c.start(manyMembers)
	first := c.balance()
	c.t.Logf("%s: balanced after %s", c.options.Member.Protocol, first)
	var later []time.Duration
	for range manyRounds {
		c.fill()
		c.group.rest(time.Duration(10+c.random.IntN(50)) * time.Second)
		c.change()
		later = append(later, c.balance())
		c.t.Logf("%s: balanced again after %s", c.options.Member.Protocol, later[len(later)-1])
	}
	c.finish(first, later)
}

func (c *crowd) start(n int) {
	for range n {
		p := c.b.as(fmt.Sprint(len(c.all))).started(c.bucket, c.options)
		c.all, c.alive = append(c.all, p), append(c.alive, p)
	}
}

// fill sends a few records into each partition.
func (c *crowd) fill() {
	for p := range int32(manyPartitions) {
		c.producer.Produce(c.t.Context(), &kgo.Record{Topic: "orders", Partition: p, Value: fmt.Append(nil, p)}, nil)
	}
	if err := c.producer.Flush(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

// change kills two members, ends two, and starts four.
func (c *crowd) change() {
	for i := range 4 {
		at := c.random.IntN(len(c.alive))
		p := c.alive[at]
		c.alive = slices.Delete(c.alive, at, at+1)
		if i%2 == 0 {
			p.kill()
			c.group.died[fmt.Sprint(slices.Index(c.all, p))] = time.Now()
		} else {
			p.end()
		}
	}
	c.start(4)
}

// balance waits until those that live have all partitions, about as many each, and says how long it took.
func (c *crowd) balance() time.Duration {
	c.t.Helper()
	for began := time.Now(); ; c.group.rest(time.Second) {
		took := time.Since(began)
		if c.balanced() {
			return took
		}
		if took > time.Hour {
			c.t.Fatal("the group does not balance")
		}
	}
}

func (c *crowd) balanced() bool {
	sum, fair := 0, manyPartitions/manyMembers
	for _, p := range c.alive {
		p.mu.Lock()
		n := p.told.Partitions
		p.mu.Unlock()
		if n < fair-1 || n > fair+1 {
			return false
		}
		sum += n
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	c.heap = max(c.heap, m.HeapInuse)
	return sum == manyPartitions
}

func (c *crowd) finish(first time.Duration, later []time.Duration) {
	c.group.rest(75 * time.Second) // all is sealed
	asked := c.requests.Load()
	var sum Report
	inStore := 0
	for _, p := range c.all {
		p.stop()
		<-p.done
		sum.Records += p.report.Records
		sum.Dropped += p.report.Dropped
		inStore += p.bucket.Asked()
	}
	slices.Sort(later)
	c.t.Logf("| %s | %d | %s | %s (%s) | %d | %d | %d | %d | %d |", c.options.Member.Protocol, manyMembers, first.Round(time.Second),
		later[len(later)/2].Round(time.Second), later[len(later)-1].Round(time.Second), asked, inStore, sum.Records, sum.Dropped, c.heap>>20)
	sameAsOne(c.t, c.b, inBucket(c.t, c.bucket), manyPartitions)
}
