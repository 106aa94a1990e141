package capture

import (
	"context"
	"errors"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// wire is what lies between a capture and its broker in a bubble of virtual time, and what is wrong with it.
type wire struct {
	cutAfter int           // bytes received on a connection, which then ends, also in the middle of an answer
	latency  time.Duration // of whatever is received
	most     int           // bytes received at once; 0: any

	mu       sync.Mutex
	cuts     int
	down     bool // connections are refused
	conns    []net.Conn
	received int
}

// lay puts the wire between b and captures from it.
func (w *wire) lay(b *broker) {
	b.dial = append(b.dial, kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.down {
			return nil, errors.New("no route to the broker")
		}
		c, err := b.virtual.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		w.conns = append(w.conns, c)
		return &wired{Conn: c, wire: w}, nil
	}))
}

// downFor cuts all connections and refuses new ones for a while.
func (w *wire) downFor(d time.Duration) {
	w.mu.Lock()
	w.down = true
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
	w.mu.Unlock()
	time.AfterFunc(d, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.down = false
	})
}

// wired is a connection over a wire.
type wired struct {
	net.Conn
	wire *wire
	got  int
}

func (c *wired) Read(p []byte) (int, error) {
	w := c.wire
	if w.most > 0 && len(p) > w.most {
		p = p[:w.most]
	}
	if left := w.cutAfter - c.got; w.cutAfter > 0 && len(p) > left {
		p = p[:left]
	}
	if len(p) == 0 {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.cuts++
		c.Close()
		return 0, errors.New("connection reset")
	}
	n, err := c.Conn.Read(p)
	c.got += n
	if n > 0 {
		time.Sleep(w.latency)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.received += n
	return n, err
}

func TestABadWireChangesNothing(t *testing.T) {
	for name, w := range map[string]*wire{
		"cut in the middle of answers": {cutAfter: 4000},
		"five seconds of latency":      {latency: 5 * time.Second},
		"a kilobyte a second":          {latency: 250 * time.Millisecond, most: 256},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
				b.fill("orders", 0, 200)
				b.fill("orders", 1, 200)
				o := Options{Topics: []string{"orders"}, RotateRecords: 50, FetchBytes: 1500, ConnectTimeout: time.Minute}
				want, got := newPlace(t), newPlace(t)
				want.capture(b, o)
				w.lay(b)
				got.capture(b, o)
				time.Sleep(2 * w.latency) // the last reads end
				if !maps.Equal(got.data(), want.data()) {
					t.Errorf("files differ: %v", unequal(got.data(), want.data()))
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				if w.received == 0 || w.cutAfter > 0 && w.cuts < 3 {
					t.Errorf("%d bytes came over the wire, it was cut %d times", w.received, w.cuts)
				}
			})
		})
	}
}

func TestABrokerThatIsAwayForAWhileIsWaitedFor(t *testing.T) {
	for _, away := range []time.Duration{50 * time.Second, 5 * time.Minute} {
		inBubble(t, func(t *testing.T) {
			b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
			b.fill("orders", 0, 100)
			o := Options{Topics: []string{"orders"}, RotateRecords: 30, FetchBytes: 1500}
			want, got := newPlace(t), newPlace(t)
			want.capture(b, o)
			w := &wire{}
			w.lay(b)
			var once sync.Once
			b.onFetch(func(n int32, _ *kmsg.FetchRequest) (kmsg.Response, error) {
				if n == 3 {
					once.Do(func() { w.downFor(away) })
				}
				return nil, nil
			})
			_, err := got.try(t.Context(), b, o)
			if longer := away > defaultStallTimeout; longer != errors.Is(err, ErrStalled) || !longer && err != nil {
				t.Fatalf("away for %s: got %v", away, err)
			}
			if err != nil && !strings.Contains(err.Error(), "no route to the broker") {
				t.Errorf("the reason is not in %q", err)
			}
			time.Sleep(away)
			got.fs = got.fs.Kill()
			got.capture(b, o)
			if !maps.Equal(got.data(), want.data()) {
				t.Errorf("away for %s: files differ: %v", away, unequal(got.data(), want.data()))
			}
		})
	}
}

func TestAThrottledCaptureIsSlowAndRight(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		b.fill("orders", 0, 20)
		throttled := 0
		b.onFetch(func(n int32, req *kmsg.FetchRequest) (kmsg.Response, error) {
			if n > 5 {
				return nil, nil
			}
			throttled++
			resp := req.ResponseKind().(*kmsg.FetchResponse) // no partition is in it, as a broker answers whom it throttles
			resp.ThrottleMillis = 10_000
			return resp, nil
		})
		begun := time.Now()
		a := newPlace(t)
		r := a.capture(b, Options{Topics: []string{"orders"}, StallTimeout: 10 * time.Minute})
		if took := time.Since(begun); r.Records != 20 || throttled != 5 || took < 40*time.Second {
			t.Errorf("%d records after %s and %d throttled answers", r.Records, took, throttled)
		}
	})
}

func TestLeaveThatIsTakenAwayEndsACaptureAndWhatItHasIsSealed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		b.fill("orders", 0, 20)
		a, f := followOrders(t, b)
		b.onFetch(func(_ int32, req *kmsg.FetchRequest) (kmsg.Response, error) {
			return failing(req, kerr.TopicAuthorizationFailed), nil
		})
		<-f.done
		var partition *PartitionError
		if !errors.As(f.err, &partition) || !errors.Is(f.err, kerr.TopicAuthorizationFailed) || partition.Offset != 20 {
			t.Errorf("got %v", f.err)
		}
		if f.report.Records != 20 || len(a.records("orders", 0)) != 20 {
			t.Errorf("%d records are sealed, want 20", f.report.Records)
		}
		a.verify()
	})
}

// The last stable offset does not move while a transaction is open. A follow capture takes what is before it, and goes on when it ends.
func TestAFollowCaptureWaitsForATransactionAndGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		b.fill("orders", 0, 10)
		txn := b.openTransaction("open", "orders", 0, 5)
		b.fill("orders", 0, 10)
		a := newPlace(t)
		var mu sync.Mutex
		trouble := ""
		told := func(p Progress) { mu.Lock(); defer mu.Unlock(); trouble = p.Trouble }
		tells := func() string { mu.Lock(); defer mu.Unlock(); return trouble }
		f := a.follow(b, Options{Topics: []string{"orders"}, RotateInterval: time.Second, StallTimeout: 20 * time.Second, OnProgress: told})
		time.Sleep(10 * time.Second)
		if got := tells(); got != "" {
			t.Errorf("it tells %q while the transaction may yet end", got)
		}
		time.Sleep(20 * time.Second)
		if got, want := tells(), "orders-0 waits at offset 10 for "; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "an open transaction holds back 15 offsets") {
			t.Errorf("it tells %q", got)
		}
		if c := a.coverage("orders", 0); c.Next != 10 {
			t.Errorf("covered up to %d while the transaction is open, want 10", c.Next)
		}
		if err := txn.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		if got := tells(); got != "" {
			t.Errorf("it tells %q though nothing is open", got)
		}
		if r := f.stop(); r.Records != 20 || r.Lost() != 0 || len(r.Warnings) != 0 {
			t.Errorf("%d records, %d lost, want 20 and 0; warnings %q", r.Records, r.Lost(), r.Warnings)
		}
		a.verify()
	})
}

func TestAFollowCaptureThatEndsBehindAnOpenTransactionWarns(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		b.fill("orders", 0, 10)
		b.openTransaction("open", "orders", 0, 5)
		a := newPlace(t)
		f := a.follow(b, Options{Topics: []string{"orders"}, StallTimeout: 20 * time.Second})
		time.Sleep(30 * time.Second)
		if r := f.stop(); r.Records != 10 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "an open transaction holds back 5 offsets") {
			t.Errorf("%d records, warnings %q", r.Records, r.Warnings)
		}
	})
}
