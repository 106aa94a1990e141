package serve

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay/timeline"
)

// virtually runs a test in virtual time, with an archive, which is made outside of it as encoders are kept for all tests, and with how to
// connect to what serves it.
func virtually(t *testing.T, logs []log, test func(t *testing.T, a *format.Archive, network *kfake.VirtualNetwork)) {
	a, _ := newArchive(t, logs...)
	synctest.Test(t, func(t *testing.T) { test(t, a, &kfake.VirtualNetwork{}) })
}

func paced(t *testing.T, network *kfake.VirtualNetwork, a *format.Archive, schedule timeline.Schedule) *Server {
	return start(t, Options{Sources: []Source{{Archive: a}}, Schedule: schedule, Listen: "127.0.0.1:9092", Listener: network.Listen,
		OnTrouble: func(err error) { t.Error(err) }})
}

// reader reads orders from the start.
func reader(t *testing.T, network *kfake.VirtualNetwork, s *Server) *kgo.Client {
	return client(t, s, kgo.Dialer(network.DialContext), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
}

var orders1 = format.TopicPartition{Topic: "orders", Partition: 1}

func TestAConsumerSeesTheOriginalRhythmForHours(t *testing.T) {
	const hours = 3 * 3600
	zero, one := log{tp: orders0, next: hours / 60}, log{tp: orders1, base: 7, next: 7 + hours/60}
	for n := range int64(hours / 60) { // two records a minute, half a minute apart, all of a partition in one batch
		zero.records = append(zero.records, format.Record{Offset: n, TimestampMs: 60_000 * n, Value: []byte("zero")})
		one.records = append(one.records, format.Record{Offset: 7 + n, TimestampMs: 60_000*n + 30_000, Value: []byte("one")})
	}
	virtually(t, []log{zero, one}, func(t *testing.T, a *format.Archive, network *kfake.VirtualNetwork) {
		begin := time.Now()
		c := reader(t, network, paced(t, network, a, timeline.Schedule{Pace: timeline.Speed(1)}))
		for n := range hours / 30 {
			r := takeOne(t, c)
			if late := time.Since(begin) - time.Duration(r.Timestamp.UnixMilli())*time.Millisecond; late < 0 || late > time.Second {
				t.Fatalf("record %d, of time %d ms, came %s late", n, r.Timestamp.UnixMilli(), late)
			}
			if want := int64(n) * 30_000; r.Timestamp.UnixMilli() != want {
				t.Fatalf("record %d: got time %d, want %d", n, r.Timestamp.UnixMilli(), want)
			}
		}
	})
}

// takeOne polls for a record, and fails when there is another.
func takeOne(t *testing.T, c *kgo.Client) *kgo.Record {
	t.Helper()
	fetches := c.PollRecords(t.Context(), 2)
	if err := fetches.Err(); err != nil {
		t.Fatal(err)
	}
	records := fetches.Records()
	if len(records) != 1 {
		t.Fatalf("got %d records at once, want 1", len(records))
	}
	return records[0]
}

func TestEndOffsetsAndTimesFollowTheSchedule(t *testing.T) {
	virtually(t, []log{plain(orders0, 100, 110)}, func(t *testing.T, a *format.Archive, network *kfake.VirtualNetwork) {
		s := paced(t, network, a, timeline.Schedule{Pace: timeline.Rate(1, time.Minute)})
		admin := kadm.NewClient(client(t, s, kgo.Dialer(network.DialContext)))
		time.Sleep(3*time.Minute + time.Second)
		ends, err := admin.ListEndOffsets(t.Context(), "orders")
		if err != nil {
			t.Fatal(err)
		}
		if end, _ := ends.Lookup("orders", 0); end.Offset != 104 {
			t.Errorf("end after three minutes: got %d, want 104", end.Offset)
		}
		for _, test := range []struct{ ms, want int64 }{{1e12 + 103_000, 103}, {1e12 + 104_000, 104}} { // the last that is there; not yet
			at, err := admin.ListOffsetsAfterMilli(t.Context(), test.ms, "orders")
			if err != nil {
				t.Fatal(err)
			}
			if o, _ := at.Lookup("orders", 0); o.Offset != test.want {
				t.Errorf("offset of time %d: got %d, want %d", test.ms, o.Offset, test.want)
			}
		}
		if s.Released() {
			t.Error("the schedule has come to its end after three of ten records")
		}
	})
}

func TestTheEndIsThatOfTheSchedule(t *testing.T) {
	virtually(t, []log{plain(orders0, 0, 10)}, func(t *testing.T, a *format.Archive, network *kfake.VirtualNetwork) {
		begin := time.Now()
		s := paced(t, network, a, timeline.Schedule{Pace: timeline.Speed(0.01), Loop: 2})
		c := reader(t, network, s)
		go func() {
			for c.PollFetches(t.Context()).Err() == nil {
			}
		}()
		if err := s.AtEnd(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
		// 9 s, a millisecond to the next round, and 9 s, at a hundredth of the speed; then a client that stays.
		if got, want := time.Since(begin), 100*18001*time.Millisecond; got < want || got > want+10*time.Second {
			t.Errorf("the end came after %s, want %s", got, want)
		}
	})
}

func TestRoundsContinueOffsetsAndTimes(t *testing.T) {
	l := odd()
	a, _ := newArchive(t, l)
	s := start(t, Options{Sources: []Source{{Archive: a}}, Schedule: timeline.Schedule{Loop: 3}, OnTrouble: func(err error) { t.Error(err) }})
	c := client(t, s, kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	want := log{tp: orders0}
	for round := range int64(3) {
		for _, r := range l.records {
			if round > 0 {
				r.LeaderEpoch = 7
			}
			if r.TimestampMs != format.NoTimestamp {
				r.TimestampMs += round * (3002 - 1000 + 1)
			}
			r.Offset += round * 195
			want.records = append(want.records, r)
		}
	}
	same(t, take(t, c, len(want.records)), want)
	for _, test := range []struct{ timestamp, offset int64 }{
		{latest, 5 + 3*195}, {earliest, 5}, {latestTime, 50 + 2*195}, {0, 10}, {3002, 50}, {3003, 10 + 195}, {3002 + 2003, 50 + 195},
		{2000 + 2*2003, 20 + 2*195}, {3002 + 2*2003, 50 + 2*195}, {3003 + 2*2003, -1},
	} {
		if got := offsetOf(t, s, test.timestamp); got != test.offset {
			t.Errorf("offset of %d: got %d, want %d", test.timestamp, got, test.offset)
		}
	}
}

func offsetOf(t *testing.T, s *Server, timestamp int64) int64 {
	t.Helper()
	m := kmsg.NewPtrListOffsetsRequest()
	m.ReplicaID = -1
	rt := kmsg.NewListOffsetsRequestTopic()
	rt.Topic = "orders"
	rp := kmsg.NewListOffsetsRequestTopicPartition()
	rp.Timestamp = timestamp
	rt.Partitions = append(rt.Partitions, rp)
	m.Topics = append(m.Topics, rt)
	response, err := m.RequestWith(within(t), client(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return response.Topics[0].Partitions[0].Offset
}

// TestABatchIsCutAtAnyOffset cuts a batch everywhere: what comes out has the records in between and answers for the offsets up to the end.
func TestABatchIsCutAtAnyOffset(t *testing.T) {
	var records []format.Record
	for _, o := range []int64{3, 4, 7, 9} {
		records = append(records, format.Record{Offset: o, TimestampMs: 1000 - o, Value: []byte{byte(o)}})
	}
	whole := encode(records, batchBytes, 12)[0]
	for at := int64(3); at <= 12; at++ {
		for until := at + 1; until <= 12; until++ {
			cut := whole.cut(at, until)
			var got, want []int64
			latest := int64(format.NoTimestamp)
			for pos := headBytes; pos < len(cut.raw); {
				next, _, offset := recordAt(cut.raw, pos)
				got, pos = append(got, cut.first+offset), next
			}
			for _, r := range records {
				if at <= r.Offset && r.Offset < until {
					want, latest = append(want, r.Offset), max(latest, r.TimestampMs)
				}
			}
			if len(want) == 0 { // one that nobody sees
				want = []int64{at}
			}
			var b kmsg.RecordBatch
			if err := b.ReadFrom(cut.raw); err != nil {
				t.Fatalf("from %d until %d: %v", at, until, err)
			}
			if !slices.Equal(got, want) || b.FirstOffset+int64(b.LastOffsetDelta) != until-1 || int(b.NumRecords) != len(got) || b.MaxTimestamp != latest {
				t.Errorf("from %d until %d: got offsets %v up to %d, %d records, latest time %d; want %v up to %d, time %d",
					at, until, got, b.FirstOffset+int64(b.LastOffsetDelta), b.NumRecords, b.MaxTimestamp, want, until-1, latest)
			}
		}
	}
}

func TestAScheduleThatNeverEndsNeedsAPace(t *testing.T) {
	a, _ := newArchive(t, plain(orders0, 0, 1))
	_, err := Start(Options{Sources: []Source{{Archive: a}}, Schedule: timeline.Schedule{Loop: timeline.Forever}})
	if !errors.Is(err, ErrEndless) {
		t.Errorf("got %v, want %v", err, ErrEndless)
	}
}

func TestNothingIsThereBeforeTheScheduleBegins(t *testing.T) {
	virtually(t, []log{plain(orders0, 0, 3)}, func(t *testing.T, a *format.Archive, network *kfake.VirtualNetwork) {
		begin := time.Now()
		s := start(t, Options{Sources: []Source{{Archive: a}}, StartAt: begin.Add(time.Hour), Listen: "127.0.0.1:9092", Listener: network.Listen})
		c := reader(t, network, s)
		ctx, cancel := context.WithDeadline(t.Context(), begin.Add(2*time.Hour))
		defer cancel()
		if got := len(c.PollFetches(ctx).Records()); got != 3 || time.Since(begin) < time.Hour {
			t.Errorf("got %d records after %s, want 3 after an hour", got, time.Since(begin))
		}
	})
}

func TestAScheduleGoesOnWithoutADamagedPartition(t *testing.T) {
	bad, good := plain(orders0, 0, 60), plain(orders1, 0, 60)
	bad.cut = 20
	a, fsys := newArchive(t, bad, good)
	flip(t, a, fsys, orders0, 1)
	s := start(t, Options{Sources: []Source{{Archive: a}}, Schedule: timeline.Schedule{Pace: timeline.Rate(1000, time.Second)}})
	c := client(t, s, kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepRetryableFetchErrors())
	got, damaged := 0, false
	for got < 80 || !damaged {
		fetches := c.PollFetches(within(t))
		fetches.EachError(func(_ string, p int32, err error) {
			if p != 0 || !errors.Is(err, kerr.CorruptMessage) {
				t.Fatalf("partition %d: %v", p, err)
			}
			damaged = true
		})
		got += fetches.NumRecords()
	}
	if got != 80 {
		t.Errorf("got %d records, want 80: 20 before the damage and 60 of the other partition", got)
	}
}

func TestAPollOfOtherTopicsSeesTheScheduleToo(t *testing.T) {
	virtually(t, []log{plain(orders0, 0, 100)}, func(t *testing.T, a *format.Archive, network *kfake.VirtualNetwork) {
		s := paced(t, network, a, timeline.Schedule{Pace: timeline.Rate(1, time.Minute)})
		c := client(t, s, kgo.Dialer(network.DialContext), kgo.AllowAutoTopicCreation(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
			kgo.ConsumeTopics("orders", "others"), kgo.FetchMaxWait(time.Hour))
		if err := c.ProduceSync(t.Context(), &kgo.Record{Topic: "others"}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		for got := 0; got < 4; { // one of others, and one a minute
			got += c.PollFetches(t.Context()).NumRecords()
		}
		if took := time.Since(begin); took < 2*time.Minute-time.Second || took > 2*time.Minute+time.Second {
			t.Errorf("the third record of the schedule came after %s, want two minutes", took)
		}
	})
}
