package capture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/bucket"
	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/membucket"
)

// process is a capture whose machine can be killed, or cut off from Kafka for a while.
type process struct {
	t      *testing.T
	bucket *membucket.Bucket
	stop   context.CancelFunc
	done   chan struct{}
	report Report
	err    error

	mu     sync.Mutex
	conns  []net.Conn
	killed bool
	told   Progress
	cut    chan struct{} // closed when it is no longer cut off; nil: it is not
	paused bool          // it is cut off as a process is that is paused: no time passes for its connections
}

// started begins a capture of the group into a bucket.
func (b *broker) started(bkt *membucket.Bucket, o Options) *process {
	o.Follow, o.Topics = true, []string{"orders"}
	if o.Member.Group == "" {
		o.Member.Group = "audit"
	}
	ctx, stop := context.WithCancel(context.Background())
	var p *process
	o.OnProgress = func(now Progress) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.told = now
	}
	p = &process{t: b.t, bucket: bkt.Other(), stop: stop, done: make(chan struct{})}
	dial := append([]kgo.Opt{}, b.dial...)
	dial = append(dial, kgo.Dialer(p.dialer(b.virtual.DialContext)))
	at := *b
	at.dial = dial
	go func() {
		defer close(p.done)
		p.report, p.err = runIn(ctx, &at, p.bucket, o)
	}()
	return p
}

// as is the broker for a client of this name.
func (b *broker) as(clientID string) *broker {
	named := *b
	named.dial = append(slices.Clone(b.dial), kgo.ClientID(clientID))
	return &named
}

func (p *process) dialer(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.killed {
			return nil, errors.New("the process was killed")
		}
		c, err := dial(ctx, network, addr)
		if err == nil {
			p.conns = append(p.conns, c)
			c = newCutConn(c, p)
		}
		return c, err
	}
}

// kill ends it as kill -9 does: nothing of it reaches Kafka or the bucket any more.
func (p *process) kill() {
	p.bucket.Kill()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killed = true
	for _, c := range p.conns {
		c.Close()
	}
	p.stop()
}

// pause has it neither send nor receive until the returned function is called.
func (p *process) pause() (restore func()) { return p.cutOff(true) }

func (p *process) cutOff(paused bool) (restore func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cut := make(chan struct{})
	p.cut, p.paused = cut, paused
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cut = nil
		close(cut)
	}
}

// end ends it in order.
func (p *process) end() Report {
	p.t.Helper()
	p.stop()
	<-p.done
	if p.err != nil {
		p.t.Fatalf("capture: %v", p.err)
	}
	return p.report
}

func inBucket(t *testing.T, bkt *membucket.Bucket) *format.Archive {
	t.Helper()
	objects(t, bkt) // are an archive
	a, err := format.Open(bucket.New(context.Background(), bkt.Other().Open(), bucket.Options{Prefix: "run1"}))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sameAsOne holds an archive against that of one snapshot of the same topic.
func sameAsOne(t *testing.T, b *broker, a *format.Archive, partitions int32) {
	t.Helper()
	one := newPlace(t)
	one.capture(b, Options{Topics: []string{"orders"}})
	for p := range partitions {
		want := one.records("orders", p)
		if got := allOf(t, a, p); len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("partition %d: got %d records, want the %d of one capture", p, len(got), len(want))
		}
	}
}

func allOf(t *testing.T, a *format.Archive, partition int32) (all []format.Record) {
	t.Helper()
	for r, err := range a.Records(t.Context(), format.Selection{Topics: []string{"orders"}, Partitions: []int32{partition}}) {
		if errors.Is(err, format.ErrNotArchived) {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Record)
	}
	return all
}

// committed are the offsets of the group.
func (b *broker) committed(group string) map[int32]int64 {
	b.t.Helper()
	all, err := b.admin().FetchOffsets(b.t.Context(), group)
	if err != nil {
		b.t.Fatal(err)
	}
	offsets := map[int32]int64{}
	for _, o := range all["orders"] {
		offsets[o.Partition] = o.At
	}
	return offsets
}

func TestMembersOfAGroupShareThePartitionsAndFillOneArchive(t *testing.T) {
	for _, protocol := range []group.Protocol{group.Cooperative, group.Eager, group.Consumer} {
		t.Run(string(protocol), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newVirtualBroker(t, kfake.SeedTopics(6, "orders"))
				bkt := membucket.New()
				o := Options{RotateInterval: time.Hour, Member: group.Member{Protocol: protocol}}
				fill := func() {
					for p := range int32(6) {
						b.fill("orders", p, 20)
					}
					time.Sleep(20 * time.Second)
				}
				all := []*process{b.started(bkt, o)}
				fill()
				all = append(all, b.started(bkt, o))
				fill()
				all = append(all, b.started(bkt, o))
				fill()
				all[0].end() // others take what it had
				fill()
				var sum Report
				for _, p := range all {
					r := p.end()
					sum.Records += r.Records
					sum.Dropped += r.Dropped
					sum.Overtaken += r.Overtaken
					if r.Records == 0 || r.Handed == nil || r.Handed.Assigned == 0 || r.Handed.Lost > 0 {
						t.Errorf("a member captured %d records with %+v", r.Records, r.Handed)
					}
				}
				if sum.Records != 6*80 || sum.Dropped != 0 || sum.Overtaken != 0 {
					t.Errorf("got %d records sealed, %d dropped, %d segments overtaken: want 480 sealed and nothing fetched twice", sum.Records, sum.Dropped, sum.Overtaken)
				}
				sameAsOne(t, b, inBucket(t, bkt), 6)
				for p, at := range b.committed("audit") {
					if at != 80 {
						t.Errorf("partition %d: offset %d is committed, want 80", p, at)
					}
				}
			})
		})
	}
}

func TestAMemberThatIsCutOffAndComesBackDoublesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
		bkt := membucket.New()
		zombie := b.started(bkt, Options{RotateInterval: 3 * time.Minute})
		time.Sleep(10 * time.Second)
		b.fill("orders", 0, 30)
		b.fill("orders", 1, 30)
		time.Sleep(10 * time.Second)
		restore := zombie.pause()
		owner := b.started(bkt, Options{RotateInterval: time.Minute})
		time.Sleep(70 * time.Second) // its session ends, and the other one fetches what it had fetched
		b.fill("orders", 0, 30)
		b.fill("orders", 1, 30)
		time.Sleep(2 * time.Minute)
		restore()
		time.Sleep(2 * time.Minute)
		b.fill("orders", 0, 30)
		b.fill("orders", 1, 30)
		time.Sleep(2 * time.Minute)
		late, r := zombie.end(), owner.end()
		if late.Dropped != 60 || late.Overtaken != 2 || late.Handed.Lost != 2 {
			t.Errorf("the one that was cut off: got %d records dropped, %d segments overtaken, %+v; want 60 in 2, and 2 lost", late.Dropped, late.Overtaken, late.Handed)
		}
		if late.Records+r.Records != 180 {
			t.Errorf("got %d and %d records, want 180 together", late.Records, r.Records)
		}
		if got, want := zombie.told, (Progress{Records: late.Records, Bytes: late.Bytes, Dropped: 60}); got.Records != want.Records || got.Bytes != want.Bytes || got.Dropped != want.Dropped {
			t.Errorf("progress told %d records of %d bytes, %d dropped; want %d of %d, and %d", got.Records, got.Bytes, got.Dropped, want.Records, want.Bytes, want.Dropped)
		}
		sameAsOne(t, b, inBucket(t, bkt), 2)
	})
}

func TestProgressCountsAPartitionThatLeavesAndComesBackOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(4, "orders"))
		bkt := membucket.New()
		o := Options{RotateInterval: time.Hour}
		fill := func() {
			for p := range int32(4) {
				b.fill("orders", p, 20)
			}
			time.Sleep(20 * time.Second)
		}
		first := b.started(bkt, o)
		fill()
		other := b.started(bkt, o)
		time.Sleep(20 * time.Second) // until it has its share
		fill()
		taken := other.end().Records
		fill()
		r := first.end()
		if taken == 0 || taken+r.Records != 240 || r.Handed.Revoked == 0 {
			t.Fatalf("got %d and %d records, %+v: the test shows nothing", taken, r.Records, r.Handed)
		}
		got := first.told
		if got.Records != r.Records || got.Sealed != r.Records || got.Bytes != r.Bytes || got.Offsets != r.Records || got.Partitions != 0 {
			t.Errorf("progress told %d records, %d sealed, %d bytes, %d offsets of %d partitions; want %d, all sealed, %d bytes, as many offsets, of none",
				got.Records, got.Sealed, got.Bytes, got.Offsets, got.Partitions, r.Records, r.Bytes)
		}
	})
}

// Two groups do not know of each other: each has all partitions.
func TestTwoGroupsThatFillOneArchiveDoubleAndLoseNothing(t *testing.T) {
	for name, together := range map[string]bool{"at the same time": true, "one after the other": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newVirtualBroker(t, kfake.SeedTopics(3, "orders"))
				bkt := membucket.New()
				fill := func() {
					for p := range int32(3) {
						b.fill("orders", p, 20)
					}
					time.Sleep(70 * time.Second)
				}
				old := b.started(bkt, Options{RotateInterval: time.Minute, Member: group.Member{Group: "old"}})
				fill()
				if !together {
					old.end()
				}
				renamed := b.started(bkt, Options{RotateInterval: 40 * time.Second, Member: group.Member{Group: "new"}})
				fill()
				fill()
				if together {
					old.end()
				}
				fill()
				renamed.end()
				sameAsOne(t, b, inBucket(t, bkt), 3)
				for p, at := range b.committed("new") {
					if at != 80 {
						t.Errorf("partition %d: offset %d is committed by the new group, want 80", p, at)
					}
				}
			})
		})
	}
}

// TestMembersThatAreKilledLoseAndDoubleNothing has members come, be killed, be cut off, and end, while records, and once partitions, are added.
func TestMembersThatAreKilledLoseAndDoubleNothing(t *testing.T) {
	if raceDetector {
		t.Skip("its hours of virtual time end the race detector's runtime (CHECK failed: tsan_rtl.cpp, epoch), now and then; the other tests of members run")
	}
	seeds, steps := uint64(6), 30
	if testing.Short() {
		seeds, steps = 3, 12
	}
	for seed := range seeds {
		protocol := []group.Protocol{group.Cooperative, group.Consumer, group.Eager}[seed%3]
		t.Run(fmt.Sprint(seed, " ", protocol), func(t *testing.T) {
			inBubble(t, func(t *testing.T) { churn(t, rand.New(rand.NewPCG(seed, 5)), protocol, steps) })
		})
	}
}

func churn(t *testing.T, r *rand.Rand, protocol group.Protocol, steps int) {
	b := newVirtualBroker(t, kfake.SeedTopics(8, "orders"))
	bkt := membucket.New()
	o := Options{RotateInterval: 30 * time.Second, RotateRecords: 50, Member: group.Member{Protocol: protocol}}
	partitions := int32(8)
	group := newCoordinator(b, "audit")
	var all, alive []*process
	for step := range steps {
		for len(alive) < 2+r.IntN(3) {
			p := b.as(fmt.Sprint(len(all))).started(bkt, o)
			all, alive = append(all, p), append(alive, p)
		}
		producer := b.client() // a new one knows new partitions
		for p := range partitions {
			b.fillBy(producer, "orders", p, r.IntN(30))
		}
		group.rest(time.Duration(1+r.IntN(40)) * time.Second)
		if step == steps/2 {
			partitions = 11
			if _, err := b.admin().UpdatePartitions(t.Context(), int(partitions), "orders"); err != nil {
				t.Fatal(err)
			}
		}
		i := r.IntN(len(alive))
		switch p := alive[i]; r.IntN(4) {
		case 0:
			p.kill()
			group.died[fmt.Sprint(slices.Index(all, p))] = time.Now()
			alive = append(alive[:i], alive[i+1:]...)
		case 1:
			p.end()
			alive = append(alive[:i], alive[i+1:]...)
		case 2:
			restore := p.pause()
			group.rest(time.Duration(r.IntN(50)) * time.Second) // less than it takes to give up
			restore()
		}
	}
	group.rest(10 * time.Minute) // the last ones that were killed are missed, one after the other
	t.Logf("%d rebalances without an end of their own", group.ended)
	for _, p := range alive {
		p.mu.Lock()
		t.Logf("%d partitions, %+v, trouble %q", p.told.Partitions, p.told.Handed, p.told.Trouble)
		p.mu.Unlock()
	}
	for _, p := range all {
		p.stop()
		<-p.done
		if p.err != nil && !p.killed {
			t.Errorf("capture: %v\n%s", p.err, strings.Join(p.bucket.Trace(), "\n"))
		}
	}
	sameAsOne(t, b, inBucket(t, bkt), partitions)
}

func TestAGroupOfAnotherProgramIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		b.fill("orders", 0, 10)
		cl := b.client(kgo.ConsumerGroup("billing"), kgo.ConsumeTopics("orders"))
		cl.PollFetches(t.Context())
		if err := cl.CommitUncommittedOffsets(t.Context()); err != nil {
			t.Fatal(err)
		}
		p := b.started(membucket.New(), Options{Member: group.Member{Group: "billing"}})
		<-p.done
		if e, ok := errors.AsType[*group.Error](p.err); !ok || !strings.Contains(e.Error(), "another program") {
			t.Errorf("got %v, want a refusal of another program's group", p.err)
		}
	})
}

func TestAGroupFillsOneArchive(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
		first := b.started(membucket.New(), Options{})
		other := b.started(membucket.New(), Options{})
		time.Sleep(30 * time.Second)
		first.stop()
		other.stop()
		<-first.done
		<-other.done
		err := errors.Join(first.err, other.err)
		if _, ok := errors.AsType[*group.Error](err); !ok || first.err != nil && other.err != nil {
			t.Errorf("two archives of one group: got %v and %v, want one of them refused", first.err, other.err)
		}
	})
}

func TestAStaticMemberComesBackToItsPartitions(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(4, "orders"))
		bkt := membucket.New()
		member := func(id string) *process {
			return b.started(bkt, Options{RotateInterval: 10 * time.Second, Member: group.Member{InstanceID: id}})
		}
		one, two := member("one"), member("two")
		for round := range 4 {
			for p := range int32(4) {
				b.fill("orders", p, 10)
			}
			time.Sleep(20 * time.Second)
			if round == 2 {
				one.end()
				one = member("one")
				time.Sleep(10 * time.Second)
			}
		}
		left, right := one.end(), two.end()
		if right.Handed.Revoked+right.Handed.Lost > 2 || left.Handed.Assigned != 2 {
			t.Errorf("after a restart: got %+v, the other one %+v; want the same partitions", left.Handed, right.Handed)
		}
		sameAsOne(t, b, inBucket(t, bkt), 4)
	})
}

func TestASecondProcessOfAnInstanceEndsTheFirst(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
		bkt := membucket.New()
		first := b.started(bkt, Options{Member: group.Member{InstanceID: "one"}})
		time.Sleep(10 * time.Second)
		b.fill("orders", 0, 10)
		time.Sleep(10 * time.Second)
		second := b.started(bkt, Options{Member: group.Member{InstanceID: "one"}})
		<-first.done
		if _, ok := errors.AsType[*group.Error](first.err); !ok {
			t.Errorf("the first: got %v, want a group.Error", first.err)
		}
		time.Sleep(10 * time.Second)
		second.end()
		sameAsOne(t, b, inBucket(t, bkt), 2)
	})
}

// TestPartitionsThatComeAreSharedOutAndATopicThatWasMadeAgainEndsItsMembers has both of two members hold partitions of the topic.
func TestPartitionsThatComeAreSharedOutAndATopicThatWasMadeAgainEndsItsMembers(t *testing.T) {
	for _, protocol := range []group.Protocol{group.Cooperative, group.Eager, group.Consumer} {
		t.Run(string(protocol), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
				bkt, o := membucket.New(), Options{RotateInterval: 10 * time.Second, Member: group.Member{Protocol: protocol}}
				members := []*process{b.started(bkt, o), b.started(bkt, o)}
				time.Sleep(time.Minute)
				b.fillAll(2)
				if _, err := b.admin().UpdatePartitions(t.Context(), 6, "orders"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				b.fillAll(6)
				time.Sleep(time.Minute)
				sameAsOne(t, b, inBucket(t, bkt), 6)
				if _, err := b.admin().DeleteTopic(t.Context(), "orders"); err != nil {
					t.Fatal(err)
				}
				if _, err := b.admin().CreateTopic(t.Context(), 6, 1, nil, "orders"); err != nil {
					t.Fatal(err)
				}
				for _, p := range members {
					<-p.done
					if _, ok := errors.AsType[*RecreatedTopicError](p.err); !ok {
						t.Errorf("got %v, want a RecreatedTopicError", p.err)
					}
					if got := p.report.Handed.Assigned; got < 3 {
						t.Errorf("a member had %d partitions, want three", got)
					}
				}
				for p, want := range []int{20, 20, 10, 10, 10, 10} {
					if got := len(allOf(t, inBucket(t, bkt), int32(p))); got != want {
						t.Errorf("partition %d: got %d records, want the %d of before", p, got, want)
					}
				}
			})
		})
	}
}

// fillAll adds ten records to each partition of orders.
func (b *broker) fillAll(partitions int32) {
	b.t.Helper()
	for p := range partitions {
		b.fill("orders", p, 10)
	}
}

func TestAGroupNeedsAnArchiveThatSeveralMayWrite(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	_, err := newPlace(t).try(t.Context(), b, Options{Topics: []string{"orders"}, Follow: true, Member: group.Member{Group: "audit"}})
	if !errors.Is(err, ErrOptions) {
		t.Errorf("got %v, want %v", err, ErrOptions)
	}
	for _, o := range []Options{
		{Member: group.Member{Group: "audit"}},
		{Follow: true, Member: group.Member{InstanceID: "one"}},
		{Follow: true, Member: group.Member{Group: "audit", Protocol: "range"}},
		{Follow: true, Member: group.Member{Group: "audit", Protocol: group.Consumer, SessionTimeout: time.Second}},
		{Follow: true, Member: group.Member{Group: "audit", SessionTimeout: -time.Second}},
	} {
		o.Topics = []string{"orders"}
		if err := o.Check(); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: got %v, want %v", o.Member, err, ErrOptions)
		}
	}
}
