package replay_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/scan"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/replay/timeline"
)

// virtually runs do in a bubble of virtual time, with a target that is in it.
func virtually(t *testing.T, do func(*testing.T, target)) {
	t.Helper()
	readOnce(t)
	synctest.Test(t, func(t *testing.T) {
		do(t, newVirtualTarget(t, withTopics()))
	})
}

// readOnce makes what all readers share: made in a bubble it could not be used outside.
func readOnce(t *testing.T) {
	cursor := scan.NewCursor(recording{records: map[format.TopicPartition][]format.Record{orders0: plain(orders0, 1)}}.archive(t), orders0, format.Selection{})
	_, err := cursor.Next()
	must(t, err)
	must(t, cursor.Close())
}

// dispatches hears of every record when it is given to the client.
type dispatches struct {
	mu  sync.Mutex
	all []dispatch
}

type dispatch struct {
	at    time.Time
	topic string
	value string
	ms    int64 // timestamp
}

// OnProduceRecordBuffered is a hook of the client.
func (d *dispatches) OnProduceRecordBuffered(r *kgo.Record) {
	if r.Partition < 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, dispatch{time.Now(), r.Topic, string(r.Value), r.Timestamp.UnixMilli()})
}

// after are the times since the first record.
func (d *dispatches) after() []time.Duration {
	var out []time.Duration
	for i := range d.all {
		out = append(out, d.all[i].at.Sub(d.all[0].at))
	}
	return out
}

func (d *dispatches) values() []string {
	var out []string
	for _, r := range d.all {
		out = append(out, r.value)
	}
	return out
}

// watched are options that tell what is sent.
func watched(o replay.Options) (replay.Options, *dispatches) {
	d := &dispatches{}
	o.Hooks = append(o.Hooks, d)
	return o, d
}

func speed(t *testing.T, s string) timeline.Schedule {
	t.Helper()
	p, err := timeline.ParseSpeed(s)
	must(t, err)
	return timeline.Schedule{Pace: p}
}

func rate(t *testing.T, s string) timeline.Schedule {
	t.Helper()
	p, err := timeline.ParseRate(s)
	must(t, err)
	return timeline.Schedule{Pace: p}
}

// timed is records with these distances in milliseconds from an hour ago.
func timed(tp format.TopicPartition, distances ...int64) []format.Record {
	start := time.Now().Add(-time.Hour).UnixMilli()
	out := plain(tp, len(distances))
	for i, ms := range distances {
		out[i].TimestampMs = start + ms
	}
	return out
}

func TestRecordsAreSentAtTheirOldDistances(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		a := recording{records: map[format.TopicPartition][]format.Record{
			orders0: timed(orders0, 0, 1000, 3000), orders1: timed(orders1, 500, 1001, 60_000), events0: timed(events0, 501),
		}}.archive(t)
		for _, factor := range []string{"1", "2", "0.5"} {
			o, sent := watched(replay.Options{Schedule: speed(t, factor)})
			report := c.run(t, a, o)
			per := map[string]time.Duration{"1": 1000, "2": 500, "0.5": 2000}[factor] * time.Microsecond
			want := []time.Duration{0, 500 * per, 501 * per, 1000 * per, 1001 * per, 3000 * per, 60_000 * per}
			equal(t, "at speed "+factor, sent.after(), want)
			equal(t, "order", sent.values(), []string{"orders/0@0", "orders/1@0", "events/0@0", "orders/0@1", "orders/1@1", "orders/0@2", "orders/1@2"})
			equal(t, "lateness", [2]time.Duration{report.Timing.Dispatch.Max, report.Timing.Drift}, [2]time.Duration{})
			equal(t, "counts", [4]int64{report.Planned, report.Sent, report.Acknowledged, report.Missing}, [4]int64{7, 7, 7, 0})
		}
	})
}

func TestASteadyRateIsSteady(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		a := ordersAndEvents(3200).archive(t)
		o, sent := watched(replay.Options{Schedule: rate(t, "800/s"), Timestamps: replay.NowTimestamps})
		report := c.run(t, a, o)
		for i, after := range sent.after() {
			if want := time.Duration(i) * 1250 * time.Microsecond; after != want {
				t.Fatalf("record %d is sent after %v, want %v", i, after, want)
			}
		}
		equal(t, "rates", [2]float64{report.Timing.RequestedRate, report.Timing.AchievedRate}, [2]float64{800, 800})
		equal(t, "acknowledged", report.Acknowledged, int64(9600))
	})
}

// The cause is a millisecond before its consequence in another topic.
func TestCausalOrderHolds(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		random := rand.New(rand.NewPCG(8, 8))
		var causes, consequences []int64
		for i := range int64(2000) {
			at := i * (1 + random.Int64N(3))
			if len(causes) > 0 {
				at = max(at, causes[len(causes)-1])
			}
			causes, consequences = append(causes, at), append(consequences, at+1)
		}
		a := recording{groupSize: 170, records: map[format.TopicPartition][]format.Record{
			orders0: timed(orders0, causes...), events0: timed(events0, consequences...),
		}}.archive(t)
		o, sent := watched(replay.Options{Schedule: speed(t, "1"), MemoryBytes: 64 << 10})
		c.run(t, a, o)
		seen := map[string]bool{}
		for _, d := range sent.all {
			seen[d.value] = true
			var number int
			if n, _ := fmt.Sscanf(d.value, "events/0@%d", &number); n == 1 && !seen[fmt.Sprintf("orders/0@%d", number)] {
				t.Fatalf("%s is sent before its cause", d.value)
			}
		}
		equal(t, "records", len(sent.all), 4000)
	})
}

// month is 30 days of traffic: gaps of hours, times without order, equal times, and steps of the source's clock by hours.
func month() recording {
	random := rand.New(rand.NewPCG(9, 9))
	r := recording{groupSize: 700, records: map[format.TopicPartition][]format.Record{}}
	for _, tp := range []format.TopicPartition{orders0, orders1, events0} {
		at, last := int64(random.IntN(1000)), int64(30*24*time.Hour/time.Millisecond)
		var all []int64
		for at < last {
			switch all = append(all, at); random.IntN(500) {
			case 0:
				at += random.Int64N(int64(20 * time.Hour / time.Millisecond))
			case 1:
				at -= random.Int64N(int64(2 * time.Hour / time.Millisecond))
			case 2, 3, 4, 5, 6, 7, 8, 9, 10:
			default:
				at += random.Int64N(int64(12 * time.Minute / time.Millisecond))
			}
		}
		r.records[tp] = timed(tp, append(all, last)...)
	}
	return r
}

func TestAMonthIsPlayedInSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes minutes under the race detector")
	}
	virtually(t, func(t *testing.T, c target) {
		r := month()
		o, sent := watched(replay.Options{Schedule: speed(t, "1"), Timestamps: replay.NowTimestamps, MemoryBytes: 1 << 20, StallTimeout: time.Hour})
		report := c.run(t, r.archive(t), o)
		var all, disorder int64
		var first int64 = 1 << 62
		for tp, records := range r.records {
			equal(t, tp.String(), c.values(t, tp), valuesOf(records))
			reached := records[0].TimestampMs
			for i := range records {
				if reached = max(reached, records[i].TimestampMs); records[i].TimestampMs < reached {
					disorder++
				}
			}
			all, first = all+int64(len(records)), min(first, records[0].TimestampMs)
		}
		equal(t, "planned, sent, acknowledged, out of order", [4]int64{report.Planned, report.Sent, report.Acknowledged, report.Timing.OutOfOrder}, [4]int64{all, all, all, disorder})
		// Every record comes exactly when the latest time of its partition so far is due.
		reached := map[string]int64{}
		next := map[string]int{}
		for i, d := range sent.all {
			var partition int32
			var offset int
			tp := format.TopicPartition{Topic: d.topic}
			_, err := fmt.Sscanf(d.value, d.topic+"/%d@%d", &partition, &offset)
			must(t, err)
			tp.Partition = partition
			if offset != next[tp.String()] {
				t.Fatalf("%s: %d comes when %d should", tp, offset, next[tp.String()])
			}
			next[tp.String()]++
			reached[tp.String()] = max(reached[tp.String()], r.records[tp][offset].TimestampMs)
			if want := time.Duration(reached[tp.String()]-first) * time.Millisecond; d.at.Sub(sent.all[0].at) != want {
				t.Fatalf("record %d is sent after %v, want %v", i, d.at.Sub(sent.all[0].at), want)
			}
		}
		if elapsed := report.Elapsed; elapsed < 29*24*time.Hour {
			t.Errorf("the month took %v", elapsed)
		}
		t.Logf("%d records, %d out of order, in %v of virtual time", all, disorder, report.Elapsed)
	})
}

func TestSilencesAreSqueezedAndCounted(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		schedule := speed(t, "1")
		schedule.MaxGap = 5 * time.Second
		a := recording{records: map[format.TopicPartition][]format.Record{
			orders0: timed(orders0, 0, 3_000_000), orders1: timed(orders1, 4000, 1_000_000, 3_000_500),
		}}.archive(t)
		o, sent := watched(replay.Options{Schedule: schedule})
		report := c.run(t, a, o)
		equal(t, "sent after", sent.after(), []time.Duration{0, 4 * time.Second, 9 * time.Second, 14 * time.Second, 14500 * time.Millisecond})
		equal(t, "squeezed", report.Timing.Squeezed, timeline.Squeezed{Gaps: 2, Duration: (991 + 1995) * time.Second})
	})
}

func TestRoundsMoveTheTimestampsOn(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		records := map[format.TopicPartition][]format.Record{orders0: timed(orders0, 0, 100), orders1: timed(orders1, 50)}
		a := recording{records: records}.archive(t)
		schedule := speed(t, "1")
		schedule.Loop, schedule.LoopDelay = 3, time.Second
		o, sent := watched(replay.Options{Schedule: schedule})
		report := c.run(t, a, o)
		ms := time.Millisecond
		equal(t, "sent after", sent.after(), []time.Duration{0, 50 * ms, 100 * ms, 1101 * ms, 1151 * ms, 1201 * ms, 2202 * ms, 2252 * ms, 2302 * ms})
		var timestamps []int64
		for _, d := range sent.all {
			timestamps = append(timestamps, d.ms-records[orders0][0].TimestampMs)
		}
		equal(t, "timestamps", timestamps, []int64{0, 50, 100, 1101, 1151, 1201, 2202, 2252, 2302})
		equal(t, "counts", [4]int64{report.Planned, report.Acknowledged, report.Missing, report.Timing.Rounds}, [4]int64{9, 9, 0, 3})
	})
}

func TestAtTopSpeedRoundsMoveTheTimestampsOnToo(t *testing.T) {
	c := newTarget(t, withTopics())
	a := ordersAndEvents(20).archive(t)
	report := c.run(t, a, replay.Options{Schedule: timeline.Schedule{Loop: 3}})
	equal(t, "counts", [3]int64{report.Planned, report.Acknowledged, report.Missing}, [3]int64{180, 180, 0})
	for i, r := range c.contents(t, "orders")[1] {
		equal(t, "timestamp", r.Timestamp.UnixMilli()-base, int64(i))
	}
}

func TestALoopForEverEndsWithItsContextAndMissesNothing(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour-time.Millisecond)
		defer cancel()
		schedule := rate(t, "1/s")
		schedule.Loop = timeline.Forever
		report, err := replay.Run(ctx, c.connect, ordersAndEvents(10).archive(t), replay.Options{Schedule: schedule, Timestamps: replay.NowTimestamps})
		must(t, err)
		equal(t, "counts", [3]int64{report.Planned, report.Missing, report.Timing.Rounds}, [3]int64{0, 0, 120})
		equal(t, "records in an hour of 1/s", report.Acknowledged, int64(3600))
	})
}

func TestShiftedTimestampsBeginNowAndKeepTheirDistances(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		a := recording{records: map[format.TopicPartition][]format.Record{orders0: timed(orders0, 0, 100, 90, 2000), events0: timed(events0, 50)}}.archive(t)
		for _, schedule := range []timeline.Schedule{speed(t, "1"), speed(t, "10"), {}} {
			o, sent := watched(replay.Options{Schedule: schedule, Timestamps: replay.ShiftTimestamps, Topics: []string{"orders"}})
			c.run(t, a, o)
			first := sent.all[0]
			equal(t, "the first", first.ms, first.at.UnixMilli())
			var distances []int64
			for _, d := range sent.all {
				distances = append(distances, d.ms-first.ms)
			}
			equal(t, "distances", distances, []int64{0, 100, 90, 2000})
		}
	})
}

func TestAReplayThatGoesOnKeepsItsShift(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		a := recording{records: map[format.TopicPartition][]format.Record{orders0: timed(orders0, 0, 1000, 2000, 3000, 4000)}}.archive(t)
		options := replay.Options{Schedule: speed(t, "1"), Timestamps: replay.ShiftTimestamps, Checkpoint: &memory{}}
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		_, err := replay.Run(ctx, c.connect, a, options)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v", err)
		}
		time.Sleep(time.Hour)
		c.run(t, a, options)
		var distances []int64
		got := c.contents(t, "orders")[0]
		for _, r := range got {
			distances = append(distances, r.Timestamp.UnixMilli()-got[0].Timestamp.UnixMilli())
		}
		equal(t, "distances", distances, []int64{0, 1000, 2000, 3000, 4000})
	})
}

func TestSeveralReplaysBeginAtOneMoment(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		a := recording{records: map[format.TopicPartition][]format.Record{orders0: timed(orders0, 500, 1000), events0: timed(events0, 0, 750)}}.archive(t)
		start := time.Now().Add(time.Minute)
		for topic, want := range map[string][]time.Duration{"orders": {500 * time.Millisecond, time.Second}, "events": {0, 750 * time.Millisecond}} {
			o, sent := watched(replay.Options{Schedule: speed(t, "1"), Topics: []string{topic}, Pacing: replay.Pacing{StartAt: start}})
			c.run(t, a, o)
			var got []time.Duration
			for _, d := range sent.all {
				got = append(got, d.at.Sub(start))
			}
			equal(t, topic+" after the start", got, want)
			start = start.Add(time.Minute)
		}
		_, err := replay.Run(t.Context(), c.connect, a, replay.Options{Schedule: speed(t, "1"), Pacing: replay.Pacing{StartAt: time.Now().Add(-time.Second)}})
		if err == nil {
			t.Error("a start that has passed is taken")
		}
	})
}

func TestAPauseMovesTheSchedule(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		a := recording{records: map[format.TopicPartition][]format.Record{orders0: timed(orders0, 0, 1000, 2000, 3000)}}.archive(t)
		o, sent := watched(replay.Options{Schedule: speed(t, "1"), Control: &replay.Control{}})
		go func() {
			time.Sleep(1500 * time.Millisecond)
			o.Control.Pause()
			time.Sleep(time.Hour)
			o.Control.Continue()
			time.Sleep(1100 * time.Millisecond)
			o.Control.Pause()
			time.Sleep(time.Minute)
			o.Control.Continue()
		}()
		report := c.run(t, a, o)
		ms := time.Millisecond
		equal(t, "sent after", sent.after(), []time.Duration{0, 1000 * ms, time.Hour + 2000*ms, time.Hour + time.Minute + 3000*ms})
		equal(t, "requested records per second", report.Timing.RequestedRate, 1.0)
		equal(t, "paused, moved, drift", [3]time.Duration{report.Timing.Paused, report.Timing.Moved, report.Timing.Drift}, [3]time.Duration{time.Hour + time.Minute, 0, 0})
	})
}

func TestAPauseEndsWithTheContext(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		for _, schedule := range []timeline.Schedule{speed(t, "1"), {}} {
			control := &replay.Control{}
			control.Pause()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			report, err := replay.Run(ctx, c.connect, ordersAndEvents(5).archive(t), replay.Options{Schedule: schedule, Control: control, Timestamps: replay.NowTimestamps})
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || report.Sent != 0 {
				t.Errorf("%d records sent, error %v", report.Sent, err)
			}
		}
	})
}

// stall keeps the target from answering produce requests for a time, once, from the n-th on.
func (c target) stall(n int, d time.Duration) {
	seen := 0
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if seen++; seen == n {
			c.SleepControl(func() { time.Sleep(d) })
		}
		return nil, nil, false
	})
}

func TestTheLatePoliciesDoWhatTheySay(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		policy  replay.LatePolicy
		catchUp time.Duration // 0: the default
		after   []time.Duration
		dropped int64
		moved   time.Duration
	}{
		// A record is due every second; the process stands still from 2.5 s to 12.5 s.
		{replay.CatchUpLate, 0, []time.Duration{0, 1000 * ms, 2000 * ms, 12500 * ms, 13_166_666_666, 13_833_333_332, 14500 * ms}, 0, 8500 * ms},
		{replay.ShiftLate, 0, []time.Duration{0, 1000 * ms, 2000 * ms, 12500 * ms, 13500 * ms, 14500 * ms, 15500 * ms}, 0, 9500 * ms},
		{replay.DropLate, 0, []time.Duration{0, 1000 * ms, 2000 * ms, 12500 * ms, 13_166_666_666, 14000 * ms, 15000 * ms}, 9, 0},
		{replay.CatchUpLate, 2 * time.Second, []time.Duration{0, 1000 * ms, 2000 * ms, 12500 * ms}, 0, 7500 * ms},
		{replay.ShiftLate, 10 * time.Second, []time.Duration{0, 1000 * ms, 2000 * ms, 12500 * ms}, 0, 0},
		{replay.DropLate, 4 * time.Second, []time.Duration{0, 1000 * ms, 2000 * ms, 12500 * ms}, 6, 0},
	} {
		virtually(t, func(t *testing.T, target target) {
			var distances []int64
			for i := range int64(16) {
				distances = append(distances, i*1000)
			}
			a := recording{records: map[format.TopicPartition][]format.Record{orders0: timed(orders0, distances...)}}.archive(t)
			still := &standstill{from: 2500 * ms, until: 12500 * ms}
			o, sent := watched(replay.Options{Schedule: speed(t, "1"), Pacing: replay.Pacing{OnLate: c.policy, MaxCatchUp: c.catchUp}, Clock: still})
			report := target.run(t, a, o)
			got := sent.after()
			equal(t, string(c.policy), got[:len(c.after)], c.after)
			equal(t, "dropped", [2]int64{report.Timing.Dropped, report.LeftOut}, [2]int64{c.dropped, c.dropped})
			equal(t, "moved", report.Timing.Moved, c.moved)
			equal(t, "sent or dropped", int64(len(got))+report.Timing.Dropped, int64(16))
		})
	}
}

func TestADelayEndsInNoStorm(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		still := &standstill{from: 500 * time.Millisecond, until: 1200 * time.Millisecond}
		o, sent := watched(replay.Options{Schedule: rate(t, "800/s"), Timestamps: replay.NowTimestamps, Clock: still})
		report := c.run(t, ordersAndEvents(1200).archive(t), o)
		after := sent.after()
		for i := range after[:len(after)-13] { // 12 are one and a half times the 8 of the schedule
			if after[i+13]-after[i] < 10*time.Millisecond {
				t.Fatalf("the 14 records from %v on come in %v", after[i], after[i+13]-after[i])
			}
		}
		equal(t, "drift and moved", [2]time.Duration{report.Timing.Drift, report.Timing.Moved}, [2]time.Duration{})
		equal(t, "the last", after[len(after)-1], 3599*1250*time.Microsecond)
	})
}

// standstill is a clock whose sleeps do not end between two times after the first look at it: the process stands still.
type standstill struct {
	from, until time.Duration
	mu          sync.Mutex
	began       time.Time
}

func (s *standstill) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began.IsZero() {
		s.began = time.Now()
	}
	return time.Now()
}

func (s *standstill) SleepUntil(ctx context.Context, t time.Time) error {
	if after := t.Sub(s.began); s.from < after && after < s.until {
		t = s.began.Add(s.until)
	}
	select {
	case <-time.After(time.Until(t)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestASlowTargetHoldsTheReplayBackAndTheReportSaysSo(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		c.stall(3, 8*time.Second)
		o, _ := watched(replay.Options{Schedule: rate(t, "100/s"), Timestamps: replay.NowTimestamps, MemoryBytes: 64 << 10})
		report := c.run(t, ordersAndEvents(500).archive(t), o)
		equal(t, "acknowledged", report.Acknowledged, int64(1500))
		if report.Timing.HeldBack == 0 || report.Timing.Starved != 0 || report.Timing.Moved < 5*time.Second || report.Timing.Acknowledgement.Max < 7*time.Second {
			t.Errorf("timing %+v", report.Timing)
		}
	})
}

func TestAPartitionThatCannotGoOnStopsAfterWhatCameBefore(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		r := recording{groupSize: 2, records: map[format.TopicPartition][]format.Record{
			orders0: timed(orders0, 0, 10, 20, 30), orders1: timed(orders1, 0, 10, 20, 30, 40, 50),
		}}
		r.records[orders0][2].Value = make([]byte, 2<<20) // more than the target takes
		report, err := replay.Run(t.Context(), c.connect, r.archive(t), replay.Options{Schedule: speed(t, "1"), Partitioner: routing.Keep})
		if !errors.Is(err, replay.ErrTooLarge) || len(report.Failures) != 1 || report.Failures[0].Offset != 2 {
			t.Fatalf("error %v, failures %+v", err, report.Failures)
		}
		equal(t, "orders/0", c.values(t, orders0), valuesOf(r.records[orders0][:2]))
		equal(t, "orders/1", c.values(t, orders1), valuesOf(r.records[orders1]))
	})
}

func TestATimedReplayGoesOnFromItsCheckpoint(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		r := recording{groupSize: 3, records: map[format.TopicPartition][]format.Record{
			orders0: timed(orders0, 0, 1000, 2000, 3000, 4000, 5000), orders1: timed(orders1, 500, 1500, 2500, 3500, 4500, 5500),
		}}
		a, progress := r.archive(t), &memory{}
		options, sent := watched(replay.Options{Schedule: speed(t, "1"), Checkpoint: progress})
		ctx, cancel := context.WithTimeout(t.Context(), 2700*time.Millisecond)
		defer cancel()
		if _, err := replay.Run(ctx, c.connect, a, options); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v", err)
		}
		first := len(sent.all)
		report := c.run(t, a, options)
		equal(t, "earlier and now", [2]int64{report.Plan.Earlier, report.Acknowledged}, [2]int64{int64(first), int64(12 - first)})
		var rest []time.Duration
		for _, d := range sent.all[first:] {
			rest = append(rest, d.at.Sub(sent.all[first].at))
		}
		for i, after := range rest {
			equal(t, "distance", after, time.Duration(i)*500*time.Millisecond)
		}
		for tp, records := range r.records {
			equal(t, tp.String(), c.values(t, tp), valuesOf(records))
		}
	})
}

func TestARecordWithoutATimestampHidesNoTimesOfItsRowGroup(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		r := recording{records: map[format.TopicPartition][]format.Record{orders0: timed(orders0, 0, 1000, 2000, 2000)}}
		r.records[orders0][3].TimestampMs = format.NoTimestamp
		a, first, start := r.archive(t), r.records[orders0][0].TimestampMs, time.Now().Add(time.Minute)
		o, sent := watched(replay.Options{Schedule: speed(t, "1"), Pacing: replay.Pacing{StartAt: start}})
		report := c.run(t, a, o)
		equal(t, "duration", report.Plan.Duration, 2*time.Second)
		var got []time.Duration
		for _, d := range sent.all {
			got = append(got, d.at.Sub(start))
		}
		equal(t, "after the start", got, []time.Duration{0, time.Second, 2 * time.Second, 2 * time.Second})
		c.run(t, a, replay.Options{Schedule: timeline.Schedule{Loop: 2}})
		var times []int64
		for _, sent := range c.contents(t, "orders")[0][4:] {
			times = append(times, max(sent.Timestamp.UnixMilli()-first, -1))
		}
		equal(t, "times of two rounds", times, []int64{0, 1000, 2000, -1, 2001, 3001, 4001, -1})
	})
}

func TestALoopKeepsNoProgress(t *testing.T) {
	schedule := speed(t, "1")
	schedule.Loop = 2
	if _, err := replay.Run(t.Context(), nil, ordersAndEvents(1).archive(t), replay.Options{Schedule: schedule, Checkpoint: &memory{}}); err == nil {
		t.Error("it is taken")
	}
}

func TestTheWarmUpIsNotMeasured(t *testing.T) {
	virtually(t, func(t *testing.T, c target) {
		schedule := rate(t, "10/s")
		schedule.Ramp = 10 * time.Second
		a := ordersAndEvents(100).archive(t)
		report := c.run(t, a, replay.Options{Schedule: schedule, Timestamps: replay.NowTimestamps, Pacing: replay.Pacing{Warmup: 10 * time.Second}})
		equal(t, "rates", [2]float64{report.Timing.RequestedRate, report.Timing.AchievedRate}, [2]float64{10, 10})
		equal(t, "measured", report.Timing.Dispatch.Count, int64(250))
		var sum int64
		for _, n := range report.Series.Sent {
			sum += n
		}
		equal(t, "in the series", sum, int64(300))
	})
}
