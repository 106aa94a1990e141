package capture

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/selection"
)

// following is a capture in the background.
type following struct {
	t      *testing.T
	cancel context.CancelFunc
	done   chan struct{}
	report Report
	err    error
}

func (p *place) follow(b *broker, o Options) *following {
	p.t.Helper()
	o.Follow = true
	a := p.open()
	ctx, cancel := context.WithCancel(p.t.Context())
	f := &following{t: p.t, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(f.done)
		defer a.Close()
		f.report, f.err = Run(ctx, b.dial, a, b.options(o))
	}()
	return f
}

// followOrders follows topic orders of a virtual broker, until all that is there is taken.
func followOrders(t *testing.T, b *broker) (*place, *following) {
	t.Helper()
	a := newPlace(t)
	f := a.follow(b, Options{Topics: []string{"orders"}})
	time.Sleep(2 * time.Second)
	return a, f
}

// stop ends it as Ctrl-C does.
func (f *following) stop() Report {
	f.t.Helper()
	f.cancel()
	<-f.done
	if f.err != nil {
		f.t.Fatalf("follow: %v", f.err)
	}
	return f.report
}

func TestAFollowCaptureSealsEverythingWhenItIsStopped(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
		b.fill("orders", 0, 50)
		a, f := followOrders(t, b)
		b.fill("orders", 1, 30)
		time.Sleep(2 * time.Second)
		r := f.stop()
		if r.Stopped != StoppedByContext || r.Records != 80 || len(a.records("orders", 0)) != 50 || len(a.records("orders", 1)) != 30 {
			t.Errorf("stopped by %q with %d records", r.Stopped, r.Records)
		}
		a.verify()
	})
}

func TestSegmentsRotateByTimeAlsoWhenNothingArrives(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		a := newPlace(t)
		f := a.follow(b, Options{Topics: []string{"orders"}, RotateInterval: time.Minute})
		time.Sleep(6 * time.Minute) // nothing is there: nothing is sealed
		if n := len(a.data()); n != 0 {
			t.Errorf("%d segments without a record", n)
		}
		b.fill("orders", 0, 5)
		time.Sleep(54 * time.Second)
		if n := len(a.data()); n != 0 {
			t.Errorf("%d segments before the interval", n)
		}
		time.Sleep(12 * time.Second)
		if n := len(a.data()); n != 1 {
			t.Errorf("%d segments after the interval, want 1", n)
		}
		time.Sleep(18 * time.Minute)
		b.fill("orders", 0, 5)
		time.Sleep(66 * time.Second)
		if n := len(a.data()); n != 2 {
			t.Errorf("%d segments, want 2", n)
		}
		if r := f.stop(); r.Segments != 2 || r.Records != 10 {
			t.Errorf("%d segments with %d records, want 2 with 10", r.Segments, r.Records)
		}
	})
}

func TestSegmentsRotateByRecordsAndBytes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		b.fill("orders", 0, 100)
		for _, o := range []Options{{RotateRecords: 10}, {RotateBytes: 1}} {
			a := newPlace(t)
			o.Topics, o.Follow, o.StopAfter.Records = []string{"orders"}, true, 100
			r := a.capture(b, o)
			if want := int(100 / max(o.RotateRecords, 1)); r.Segments != want || r.Records != 100 {
				t.Errorf("%d segments with %d records, want %d with 100", r.Segments, r.Records, want)
			}
		}
	})
}

func TestStopAfterIsExactAndTheNextRunGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(3, "orders"))
		for p := range int32(3) {
			b.fill("orders", p, 100)
		}
		a := newPlace(t)
		o := Options{Topics: []string{"orders"}, Follow: true, StopAfter: StopAfter{Records: 70}}
		for run := range 4 {
			if r := a.capture(b, o); r.Records != 70 || r.Stopped != StoppedByRecords {
				t.Errorf("run %d: %d records, stopped by %q", run, r.Records, r.Stopped)
			}
		}
		a.capture(b, Options{Topics: []string{"orders"}})
		for p := range int32(3) {
			if got := offsetsOf(a.records("orders", p)); len(got) != 100 || got[99] != 99 {
				t.Errorf("partition %d has %d records", p, len(got))
			}
		}
	})
}

func TestStopAfterBytesEndsWithTheRecordThatReachesThem(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		b.fill("orders", 0, 100)
		a := newPlace(t)
		r := a.capture(b, Options{Topics: []string{"orders"}, Follow: true, StopAfter: StopAfter{Bytes: 2000}})
		records := a.records("orders", 0)
		last := format.CanonicalSize(&records[len(records)-1])
		if r.Stopped != StoppedByBytes || r.Bytes < 2000 || r.Bytes-last >= 2000 {
			t.Errorf("stopped by %q after %d bytes, the last record has %d", r.Stopped, r.Bytes, last)
		}
	})
}

func TestStopAfterDurationEndsInTime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		a := newPlace(t)
		begun := time.Now()
		r := a.capture(b, Options{Topics: []string{"orders"}, Follow: true, StopAfter: StopAfter{Duration: 5 * time.Minute}})
		if took := time.Since(begun).Round(time.Minute); r.Stopped != StoppedByDuration || took != 5*time.Minute {
			t.Errorf("stopped by %q after %s", r.Stopped, took)
		}
	})
}

func TestAFollowCaptureTakesNewPartitionsAndTopicsFromTheirBeginning(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders-eu"))
		b.fill("orders-eu", 0, 10)
		a := newPlace(t)
		f := a.follow(b, Options{Topics: []string{"orders-*"}, From: selection.End})
		time.Sleep(time.Second)
		if err := b.CreateTopic("orders-us", 1, map[string]string{"retention.ms": "1000000"}); err != nil {
			t.Fatal(err)
		}
		b.addPartitions("orders-eu", 2)
		b.fill("orders-us", 0, 20)
		b.fill("orders-eu", 1, 30)
		time.Sleep(20 * time.Second)
		r := f.stop()
		if r.Records != 50 || len(a.records("orders-us", 0)) != 20 || len(a.records("orders-eu", 1)) != 30 || len(r.Warnings) != 0 {
			t.Errorf("%d records, %d of the new topic, %d of the new partition, warnings %v", r.Records, len(a.records("orders-us", 0)), len(a.records("orders-eu", 1)), r.Warnings)
		}
		id := a.identity()
		if len(id.Capture.Partitions) != 3 || len(id.Topics) != 2 || id.Topics[0].Partitions != 2 || id.Topics[1].Configs["retention.ms"] != "1000000" {
			t.Errorf("the plan is %+v of %+v", id.Capture.Partitions, id.Topics)
		}
	})
}

func (b *broker) addPartitions(topic string, n int) {
	b.t.Helper()
	if _, err := b.admin().UpdatePartitions(b.t.Context(), n, topic); err != nil {
		b.t.Fatal(err)
	}
}

func TestASnapshotNamesPartitionsThatCameTooLate(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 100)
	a := newPlace(t)
	var once sync.Once
	a.onSeal(func() { once.Do(func() { b.addPartitions("orders", 2) }) })
	r := a.capture(b, Options{Topics: []string{"orders"}})
	if len(r.Warnings) != 1 || r.Records != 100 {
		t.Fatalf("warnings %q, %d records", r.Warnings, r.Records)
	}
	b.fill("orders", 1, 5)
	if r := a.capture(b, Options{Topics: []string{"orders"}}); r.Records != 5 || len(r.Warnings) != 0 {
		t.Errorf("the next snapshot has %d records of it, warnings %q", r.Records, r.Warnings)
	}
}

func TestAPartitionAddedToAnArchiveFromTheEndIsTakenWhole(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 10)
	a := newPlace(t)
	for _, from := range []selection.Position{selection.End, selection.Ago(time.Hour)} {
		a := newPlace(t)
		a.capture(b, Options{Topics: []string{"orders"}, From: from})
	}
	a.capture(b, Options{Topics: []string{"orders"}, From: selection.End})
	b.addPartitions("orders", 2)
	b.fill("orders", 1, 7)
	if r := a.capture(b, Options{Topics: []string{"orders"}, From: selection.End}); r.Records != 7 {
		t.Errorf("%d records, want 7", r.Records)
	}
}

func TestATopicMadeAgainEndsAFollowCaptureAndWhatItHasIsSealed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders", "payments"))
		b.fill("orders", 0, 10)
		b.fill("payments", 0, 10)
		a := newPlace(t)
		f := a.follow(b, Options{Topics: []string{"orders", "payments"}})
		time.Sleep(2 * time.Second)
		b.remake("orders")
		<-f.done
		var recreated *RecreatedTopicError
		if !errors.As(f.err, &recreated) || recreated.Topic != "orders" {
			t.Errorf("got %v", f.err)
		}
		if f.report.Records != 20 || len(a.records("orders", 0)) != 10 || len(a.records("payments", 0)) != 10 {
			t.Errorf("%d records are sealed, want 20", f.report.Records)
		}
	})
}

func TestAnInterruptionAfterAnErrorDoesNotHideIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		b.fill("orders", 0, 10)
		a, f := followOrders(t, b)
		a.onSeal(f.cancel)
		b.remake("orders")
		<-f.done
		var recreated *RecreatedTopicError
		if !errors.As(f.err, &recreated) || f.report.Stopped != "" || f.report.Records != 10 {
			t.Errorf("got %v, stopped by %q with %d records", f.err, f.report.Stopped, f.report.Records)
		}
	})
}

func TestADeletedTopicEndsAFollowCapture(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		b.fill("orders", 0, 10)
		_, f := followOrders(t, b)
		if err := b.DeleteTopic("orders"); err != nil {
			t.Fatal(err)
		}
		<-f.done
		var missing *selection.MissingTopicError
		if !errors.As(f.err, &missing) || missing.Topic != "orders" || f.report.Records != 10 {
			t.Errorf("got %v, %d records sealed", f.err, f.report.Records)
		}
	})
}

func TestMemoryOfAFollowCaptureStaysWithinItsBudget(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(20, "orders"))
		for p := range int32(20) {
			b.fill("orders", p, 100)
		}
		a := newPlace(t)
		r := a.capture(b, Options{Topics: []string{"orders"}, Follow: true, MemoryBytes: 10_000, FetchBytes: 2000, StopAfter: StopAfter{Records: 2000}})
		groups := 0
		for p := range int32(20) {
			groups += a.coverage("orders", p).RowGroups
		}
		if r.Records != 2000 || groups <= r.Segments {
			t.Errorf("%d records in %d row groups of %d segments: no row group ended early", r.Records, groups, r.Segments)
		}
	})
}

func TestTheFullestRowGroupEndsWhenTheBudgetIsPassed(t *testing.T) {
	m := newMemory(100)
	a, b, c := &lane{}, &lane{}, &lane{}
	steps := []struct {
		l    *lane
		n    int64
		want *lane
	}{{a, 40, nil}, {b, 50, nil}, {c, 10, nil}, {c, 20, b}, {a, 60, nil}, {b, 30, a}, {c, 101, c}, {a, 70, nil}}
	for i, s := range steps {
		if got := m.set(s.l, s.n); got != s.want {
			t.Errorf("step %d: got the wrong lane", i)
		}
	}
}

func TestASnapshotAndAFollowCaptureContinueEachOther(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		b.fill("orders", 0, 10)
		a := newPlace(t)
		o := Options{Topics: []string{"orders"}}
		a.capture(b, o)
		b.fill("orders", 0, 10)
		follow := o
		follow.Follow, follow.StopAfter.Records = true, 10
		a.capture(b, follow)
		b.fill("orders", 0, 10)
		a.capture(b, o)
		want := make([]int64, 30)
		for i := range want {
			want[i] = int64(i)
		}
		if got := offsetsOf(a.records("orders", 0)); !slices.Equal(got, want) {
			t.Errorf("records at %v", got)
		}
	})
}

func TestProgressIsToldNowAndThenAndAtTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
		b.fill("orders", 0, 50)
		var told []Progress
		var at []time.Time
		a := newPlace(t)
		f := a.follow(b, Options{Topics: []string{"orders"}, OnProgress: func(p Progress) { told, at = append(told, p), append(at, time.Now()) }})
		time.Sleep(5 * time.Second)
		b.fill("orders", 1, 20)
		time.Sleep(5 * time.Second)
		f.stop()
		synctest.Wait()
		for i := 1; i < len(at)-1; i++ {
			if d := at[i].Sub(at[i-1]); d < progressInterval {
				t.Errorf("told twice within %s", d)
			}
		}
		last := told[len(told)-1]
		if last.Segments != 2 || last.Sealed != 70 || last.Topics[0].Segments != 2 || last.Topics[0].LastSeal.IsZero() || !told[20].Topics[0].LastSeal.IsZero() {
			t.Errorf("after 4 s %+v, at the end %+v: want two seals at the end", told[20], last)
		}
		if last.Records != 70 || last.Partitions != 2 || last.Topics[0].Records != 70 || told[20].Records != 50 || last.Bytes == 0 || last.Trouble != "" {
			t.Errorf("after 4 s %+v, at the end %+v", told[20], last)
		}
	})
}

func TestASnapshotTellsHowFarItIs(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(3, "orders"))
	b.fill("orders", 0, 50)
	b.fill("orders", 1, 20)
	var last Progress
	newPlace(t).capture(b, Options{Topics: []string{"orders"}, OnProgress: func(p Progress) { last = p }})
	if last.PlannedOffsets != 70 || last.Offsets != 70 || last.Partitions != 3 || last.Done != 3 || last.Records != 70 {
		t.Errorf("at the end %+v", last)
	}
}
