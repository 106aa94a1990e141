//go:build kafka

package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/timeline"
)

// perPartition is the number of records of the topic that is captured and replayed.
const perPartition = 2000

// All kinds of captures and replays are under way when a broker dies, and all are begun when it is down. A follow capture of a topic that is
// written to outlives all of them.
func TestWhatIsCapturedAndReplayedIsTheSourceWhileBrokersDieInTurn(t *testing.T) {
	r := newRig(t)
	r.topics(t, "fixed", "live")
	r.write(t.Context(), t, "fixed", perPartition)
	f := &field{rig: r, dir: t.TempDir(), want: r.read(t, "fixed")}
	whole := filepath.Join(f.dir, "whole")
	if err := r.capture(t.Context(), whole, "fixed", capture.Options{}); err != nil {
		t.Fatal(err)
	}
	same(t, "a snapshot of a quiet cluster", archived(t, whole, "fixed"), f.want)
	f.archive = open(t, whole)

	followed := f.follow(t)
	for i := range r.cluster.Size() {
		t.Run(fmt.Sprintf("broker %d", i), func(t *testing.T) { f.without(t, i) })
	}
	followed()
}

// field is what the captures and replays of a test have in common.
type field struct {
	*rig
	dir     string
	archive *format.Archive // of the topic fixed
	want    contents        // of it
}

// follow captures a topic while it is written to, until the function that it returns is called, which compares.
func (f *field) follow(t *testing.T) func() {
	dir := filepath.Join(f.dir, "live")
	writing, end := context.WithCancel(t.Context())
	following, stop := context.WithCancel(t.Context())
	var writer, capturing sync.WaitGroup
	var err error
	writer.Go(func() { f.write(writing, t, "live", 0) })
	capturing.Go(func() {
		err = f.capture(following, dir, "live", capture.Options{Follow: true, RotateInterval: time.Second})
	})
	return func() {
		end()
		writer.Wait()
		stop()
		capturing.Wait()
		if err == nil {
			err = f.capture(t.Context(), dir, "live", capture.Options{}) // what came last
		}
		if err != nil {
			t.Fatal(err)
		}
		same(t, "a follow capture", archived(t, dir, "live"), f.read(t, "live"))
	}
}

// without kills a broker while tasks are half done, and begins others before the cluster has noticed. It comes back when all are done.
func (f *field) without(t *testing.T, broker int) {
	killed := make(chan struct{})
	var during, after []*task
	for _, k := range kinds(t) {
		during = append(during, f.task(k, fmt.Sprintf("under way %d", broker), killed))
		after = append(after, f.task(k, fmt.Sprintf("begun without %d", broker), nil))
	}
	for _, k := range after {
		if k.topic != "" {
			f.topics(t, k.topic) // which needs three brokers
		}
	}
	var all sync.WaitGroup
	run(t, &all, during)
	for _, k := range during {
		select {
		case <-k.half:
		case <-k.over:
			t.Errorf("%s: over before the broker was killed", k.name)
		}
	}
	f.cluster.Kill(broker)
	close(killed)
	run(t, &all, after)
	all.Wait()
	if err := f.cluster.Restart(context.WithoutCancel(t.Context()), broker); err != nil { // it outlives the subtest
		t.Fatal(err)
	}
	for _, k := range append(during, after...) {
		same(t, k.name, k.result(t), f.want)
	}
}

func run(t *testing.T, all *sync.WaitGroup, tasks []*task) {
	for _, k := range tasks {
		all.Go(func() {
			defer close(k.over)
			began := time.Now()
			if err := k.do(t); err != nil {
				t.Errorf("%s: %v", k.name, err)
			}
			t.Logf("%s: %s", k.name, time.Since(began).Round(time.Millisecond))
		})
	}
}

// kind is a way to capture or to replay.
type kind struct {
	name    string
	capture *capture.Options // nil: it is a replay
	replay  replay.Options
}

func kinds(t *testing.T) []kind {
	pace, err := timeline.ParseRate("3000/s")
	if err != nil {
		t.Fatal(err)
	}
	all := capture.StopAfter{Records: partitions * perPartition}
	return []kind{
		{name: "snapshot", capture: &capture.Options{FetchBytes: 64 << 10, Lanes: 1}},
		{name: "follow", capture: &capture.Options{FetchBytes: 64 << 10, Follow: true, StopAfter: all}},
		{name: "plain", replay: replay.Options{Lanes: 3}},
		{name: "timed", replay: replay.Options{Schedule: timeline.Schedule{Pace: pace}}},
		{name: "exactly-once", replay: replay.Options{ExactlyOnce: true, CheckpointInterval: 200 * time.Millisecond}},
	}
}

// task is a capture or a replay.
type task struct {
	name   string
	topic  string        // that a replay sends to
	half   chan struct{} // closed when it is half done and waits for a broker to be killed
	over   chan struct{} // closed when it is over
	do     func(*testing.T) error
	result func(*testing.T) contents
}

// task makes a task; one that is given killed stops when it is half done until that is closed.
func (f *field) task(k kind, when string, killed <-chan struct{}) *task {
	out := &task{name: k.name + ", " + when, half: make(chan struct{}), over: make(chan struct{})}
	if k.capture != nil {
		dir := filepath.Join(f.dir, out.name)
		hooks := out.hooks(kmsg.Fetch, killed)
		out.do = func(t *testing.T) error { return f.capture(t.Context(), dir, "fixed", *k.capture, hooks...) }
		out.result = func(t *testing.T) contents { return archived(t, dir, "fixed") }
		return out
	}
	out.topic = topicName(out.name)
	k.replay.Hooks = out.hooks(kmsg.Produce, killed)
	out.do = func(t *testing.T) error {
		err := f.replay(t, f.archive, "fixed", out.topic, k.replay)
		if refused, ok := errors.AsType[*net.OpError](err); ok && refused.Op == "dial" && k.replay.ExactlyOnce {
			// The client asks one broker where the coordinator is, and gives up when it takes the one that is dead twice in a row
			// (franz-go 1.22.2). The replay says so and goes on when it is started again.
			t.Logf("%s: started again after %v", out.name, err)
			err = f.replay(t, f.archive, "fixed", out.topic, k.replay)
		}
		return err
	}
	out.result = func(t *testing.T) contents { return f.read(t, out.topic, isolation(&k.replay)...) }
	return out
}

func isolation(o *replay.Options) []kgo.Opt {
	if o.ExactlyOnce {
		return []kgo.Opt{kgo.FetchIsolationLevel(kgo.ReadCommitted())}
	}
	return nil
}

func topicName(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c == ' ' || c == ',' {
			b[i] = '_'
		}
	}
	return string(b)
}

func (k *task) hooks(key kmsg.Key, killed <-chan struct{}) []kgo.Hook {
	if killed == nil {
		return nil
	}
	return []kgo.Hook{&halt{key: int16(key), half: k.half, killed: killed}}
}

// halt holds a client at its third answer of a kind until a broker is killed.
type halt struct {
	key    int16
	half   chan struct{}
	killed <-chan struct{}

	mu      sync.Mutex
	answers int
}

func (h *halt) OnBrokerRead(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	if key != h.key {
		return
	}
	h.mu.Lock()
	h.answers++
	if h.answers == 3 {
		close(h.half)
	}
	wait := h.answers >= 3
	h.mu.Unlock()
	if wait {
		<-h.killed
	}
}
