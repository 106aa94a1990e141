package serve

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/reshaping"
)

// odd is a log with all that a log can have: gaps, epochs, both timestamp types, no timestamp, null and empty, and a large record.
func odd() log {
	l := log{tp: orders0, base: 5, next: 200, segments: []int64{60}, cut: 3}
	add := func(r format.Record) { l.records = append(l.records, r) }
	add(format.Record{Offset: 10, TimestampMs: 1000, LeaderEpoch: 2, Key: []byte("a"), Value: []byte("b")})
	add(format.Record{Offset: 11, TimestampMs: 900, LeaderEpoch: 2, Headers: []format.Header{{Key: "h", Value: nil}, {Key: "h", Value: []byte{}}, {Key: "", Value: []byte("x")}}})
	add(format.Record{Offset: 20, TimestampMs: 2000, LeaderEpoch: 2, Key: []byte{}, Value: []byte{}})
	add(format.Record{Offset: 21, TimestampMs: 3000, LeaderEpoch: 4, Value: bytes.Repeat([]byte("large "), 10<<20/6)})
	add(format.Record{Offset: 22, TimestampMs: 3001, LeaderEpoch: 4, TimestampType: format.TimestampLogAppend, Value: []byte("appended")})
	add(format.Record{Offset: 23, TimestampMs: 3001, LeaderEpoch: 4, TimestampType: format.TimestampLogAppend})
	add(format.Record{Offset: 50, TimestampMs: 3002, LeaderEpoch: 4, TimestampType: format.TimestampLogAppend})
	add(format.Record{Offset: 70, TimestampMs: format.NoTimestamp, LeaderEpoch: 7, Value: []byte("no time")})
	add(format.Record{Offset: 71, TimestampMs: 2500, LeaderEpoch: 7, Value: []byte{0xff, 0}})
	return l
}

func TestAConsumerReadsWhatTheArchiveHas(t *testing.T) {
	l := odd()
	a, _ := newArchive(t, l)
	s := serving(t, a)
	for _, level := range []kgo.IsolationLevel{kgo.ReadCommitted(), kgo.ReadUncommitted()} {
		c := client(t, s, kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(level))
		same(t, take(t, c, len(l.records)), l)
	}
}

func TestOffsetsAnswerAsTheSourceWould(t *testing.T) {
	a, _ := newArchive(t, odd())
	s := serving(t, a)
	admin := kadm.NewClient(client(t, s))
	for _, test := range []struct {
		name      string
		timestamp int64
		offset    int64
		ms        int64
	}{
		{"the start", -2, 5, -1}, {"the end", -1, 200, -1}, {"the local start", -4, 5, -1}, {"what is in tiers", -5, -1, -1},
		{"the newest record", -3, 50, 3002}, {"a time before all", 0, 10, 1000}, {"a record's own time", 2000, 20, 2000},
		{"a time between two", 2001, 21, 3000}, {"the last time", 3002, 50, 3002}, {"a time behind all", 3003, -1, -1},
	} {
		m := kmsg.NewPtrListOffsetsRequest()
		m.ReplicaID = -1
		rt := kmsg.NewListOffsetsRequestTopic()
		rt.Topic = "orders"
		rp := kmsg.NewListOffsetsRequestTopicPartition()
		rp.Timestamp = test.timestamp
		rt.Partitions = append(rt.Partitions, rp)
		m.Topics = append(m.Topics, rt)
		response, err := m.RequestWith(within(t), client(t, s))
		if err != nil {
			t.Fatal(err)
		}
		p := response.Topics[0].Partitions[0]
		if p.ErrorCode != 0 || p.Offset != test.offset || p.Timestamp != test.ms {
			t.Errorf("%s: got offset %d, time %d, error %d; want %d, %d", test.name, p.Offset, p.Timestamp, p.ErrorCode, test.offset, test.ms)
		}
	}
	if topics, err := admin.ListTopics(within(t)); err != nil || topics["orders"].Partitions[0].LeaderEpoch != 7 {
		t.Errorf("metadata: got %+v, %v; want leader epoch 7", topics, err)
	}
}

func TestLeaderEpochsEndWhereTheNextOneBegins(t *testing.T) {
	a, _ := newArchive(t, odd())
	s := serving(t, a)
	for _, test := range []struct {
		asked, epoch int32
		end          int64
	}{{1, 1, 5}, {2, 2, 21}, {3, 2, 21}, {4, 4, 70}, {6, 4, 70}, {7, 7, 200}, {8, -1, -1}} {
		m := kmsg.NewPtrOffsetForLeaderEpochRequest()
		m.ReplicaID = -1
		rt := kmsg.NewOffsetForLeaderEpochRequestTopic()
		rt.Topic = "orders"
		rp := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		rp.LeaderEpoch = test.asked
		rt.Partitions = append(rt.Partitions, rp)
		m.Topics = append(m.Topics, rt)
		response, err := m.RequestWith(within(t), client(t, s))
		if err != nil {
			t.Fatal(err)
		}
		p := response.Topics[0].Partitions[0]
		if p.ErrorCode != 0 || p.LeaderEpoch != test.epoch || p.EndOffset != test.end {
			t.Errorf("epoch %d: got epoch %d up to %d, error %d; want %d up to %d", test.asked, p.LeaderEpoch, p.EndOffset, p.ErrorCode, test.epoch, test.end)
		}
	}
}

func TestTopicsHaveTheirIdsAndConfigs(t *testing.T) {
	a, _ := newArchive(t, plain(orders0, 0, 3), plain(format.TopicPartition{Topic: "orders", Partition: 2}, 0, 1))
	s := serving(t, a)
	admin := kadm.NewClient(client(t, s))
	m, err := admin.Metadata(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if m.Cluster != cluster || m.Topics["orders"].ID.String() != topicID && !strings.HasPrefix(m.Topics["orders"].ID.String(), topicID) || len(m.Topics["orders"].Partitions) != 3 {
		t.Errorf("got cluster %s, topic %+v; want cluster %s, id %s and 3 partitions", m.Cluster, m.Topics["orders"], cluster, topicID)
	}
	configs, err := admin.DescribeTopicConfigs(within(t), "orders")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(configs[0].Configs, func(c kadm.Config) bool { return c.Key == "retention.ms" && *c.Value == "-1" })
	if i < 0 {
		t.Errorf("got configs %+v, want retention.ms=-1 among them", configs)
	}
}

func TestAGroupGoesOnWhereItCommitted(t *testing.T) {
	l := plain(orders0, 100, 400)
	l.cut = 50
	a, _ := newArchive(t, l)
	s := serving(t, a)
	group := []kgo.Opt{kgo.ConsumerGroup("g"), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit()}
	first := client(t, s, group...)
	fetches := first.PollRecords(within(t), 120)
	if err := fetches.Err(); err != nil {
		t.Fatal(err)
	}
	read := fetches.NumRecords()
	if err := first.CommitRecords(within(t), fetches.Records()...); err != nil {
		t.Fatal(err)
	}
	first.LeaveGroup()
	first.Close()
	second := client(t, s, group...)
	got := append(fetches.Records(), take(t, second, 300-read)...)
	same(t, got, l)
	if err := second.CommitUncommittedOffsets(within(t)); err != nil {
		t.Fatal(err)
	}
	lags, err := kadm.NewClient(client(t, s)).Lag(within(t), "g")
	if err != nil || lags["g"].Lag.Total() != 0 {
		t.Errorf("got lag %+v, %v; want 0", lags["g"], err)
	}
}

func TestTheEndOfAPartitionIsReachedOverAGap(t *testing.T) {
	l := plain(orders0, 0, 3)
	l.next = 50
	empty := log{tp: format.TopicPartition{Topic: "orders", Partition: 1}, base: 7, next: 90}
	a, _ := newArchive(t, l, empty)
	s := serving(t, a)
	c := client(t, s, kgo.ConsumerGroup("g"), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords())
	take(t, c, 4) // a marker too
	if err := s.AtEnd(within(t), 0); err != nil {
		t.Error(err)
	}
}

func TestArchivedTopicsAreReadOnly(t *testing.T) {
	l := plain(orders0, 0, 3)
	a, _ := newArchive(t, l)
	s := serving(t, a)
	c := client(t, s, kgo.AllowAutoTopicCreation())
	if err := c.ProduceSync(within(t), &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr(); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("produce: got %v, want %v", err, kerr.TopicAuthorizationFailed)
	}
	admin := kadm.NewClient(c)
	if deleted, err := admin.DeleteTopics(within(t), "orders"); err != nil || deleted["orders"].Err == nil {
		t.Errorf("delete topic: got %+v, %v; want an error", deleted, err)
	}
	if grown, err := admin.CreatePartitions(within(t), 3, "orders"); err != nil || grown["orders"].Err == nil {
		t.Errorf("create partitions: got %+v, %v; want an error", grown, err)
	}
	if cut, err := admin.DeleteRecords(within(t), kadm.Offsets{"orders": {0: {Topic: "orders", At: 2}}}); err == nil && cut["orders"][0].Err == nil {
		t.Errorf("delete records: got %+v; want an error", cut)
	}
	same(t, take(t, client(t, s, kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), 3), l)
}

func TestOtherTopicsTakeTransactions(t *testing.T) {
	l := plain(orders0, 0, 30)
	a, _ := newArchive(t, l)
	s := serving(t, a)
	session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(s.Addr()), kgo.ConsumerGroup("g"), kgo.ConsumeTopics("orders"), kgo.TransactionalID("t"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.AllowAutoTopicCreation(), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for n := 0; n < 30; {
		fetches := session.PollFetches(within(t))
		if err := errors.Join(fetches.Err(), session.Begin()); err != nil {
			t.Fatal(err)
		}
		for _, r := range fetches.Records() {
			session.Produce(within(t), &kgo.Record{Topic: "copies", Value: r.Value}, nil)
			n++
		}
		if done, err := session.End(within(t), kgo.TryCommit); err != nil || !done {
			t.Fatalf("got committed %t, %v", done, err)
		}
	}
	// One client reads what is archived and what is not.
	c := client(t, s, kgo.ConsumeTopics("copies", "orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	got := take(t, c, 60)
	same(t, got[30:], l)
	for i, r := range got[:30] {
		if r.Topic != "copies" || !bytes.Equal(r.Value, l.records[i].Value) {
			t.Fatalf("copy %d: got %s %q", i, r.Topic, r.Value)
		}
	}
}

func TestADamagedRowGroupIsAnErrorOfItsPartition(t *testing.T) {
	bad, good := plain(orders0, 0, 60), plain(format.TopicPartition{Topic: "orders", Partition: 1}, 0, 60)
	bad.cut, good.cut = 20, 20
	a, fsys := newArchive(t, bad, good)
	flip(t, a, fsys, orders0, 1)
	var mu sync.Mutex
	var told []string
	s := start(t, Options{Sources: []Source{{Archive: a}}, OnTrouble: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, err.Error())
	}})
	c := client(t, s, kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepRetryableFetchErrors())
	var got []*kgo.Record
	var wrong error
	for len(got) < 80 || wrong == nil {
		fetches := c.PollFetches(within(t))
		fetches.EachError(func(_ string, p int32, err error) {
			if p != 0 || !errors.Is(err, kerr.CorruptMessage) {
				t.Fatalf("partition %d: %v", p, err)
			}
			wrong = err
		})
		got = append(got, fetches.Records()...)
	}
	for _, r := range got {
		if l := []log{bad, good}[r.Partition]; r.Partition == 0 && r.Offset >= 20 || described(r) != describe(l.tp, &l.records[r.Offset]) {
			t.Fatalf("got %s", described(r))
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(told) != 1 || !strings.Contains(told[0], "topic orders, partition 0, offsets from 20") {
		t.Errorf("told %q, want one line that names topic orders, partition 0, offset 20", told)
	}
}

func TestWhatIsIntactIsServedAroundDamage(t *testing.T) {
	bad := plain(orders0, 0, 60)
	bad.cut = 20
	a, fsys := newArchive(t, bad)
	flip(t, a, fsys, orders0, 1)
	intact, err := format.OpenIntact(fsys, func(format.FileCheck) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer intact.Close()
	s := serving(t, intact)
	got := take(t, client(t, s, kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), 40)
	bad.records = slices.Concat(bad.records[:20], bad.records[40:])
	same(t, got, bad)
}

func TestSelectionsRulesAndNamesApply(t *testing.T) {
	l := plain(orders0, 0, 100)
	l.cut = 10
	a, _ := newArchive(t, l, plain(format.TopicPartition{Topic: "users", Partition: 0}, 0, 5))
	from := int64(1e12 + 20_000)
	s := start(t, Options{Sources: []Source{{Archive: a, Window: format.Selection{From: time.UnixMilli(from), UntilOffset: 90}, Rules: even{},
		Takes:  func(tp format.TopicPartition) bool { return tp.Topic == "orders" },
		Rename: func(topic string) (string, error) { return "old-" + topic, nil }}}})
	c := client(t, s, kgo.ConsumeTopics("old-orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	want := log{tp: format.TopicPartition{Topic: "old-orders"}}
	for _, r := range l.records[20:90] {
		if r.Offset%2 == 0 && (r.Offset < 40 || r.Offset > 60) { // row groups in the middle have none
			want.records = append(want.records, r)
		}
	}
	same(t, take(t, c, len(want.records)), want)
	topics, err := kadm.NewClient(c).ListTopics(within(t))
	if err != nil || len(topics.Names()) != 1 {
		t.Errorf("got topics %v, %v; want old-orders alone", topics.Names(), err)
	}
	if err := s.AtEnd(within(t), 0); err != nil {
		t.Error(err)
	}
}

// even leaves out records with odd offsets, and all from 40 to 60.
type even struct{}

func (even) Rules(string) string { return "even" }
func (even) Steps() string       { return "even" }
func (even) Begin(reshaping.Use) (func(format.TopicPartition, *format.Record) (bool, error), func()) {
	return func(_ format.TopicPartition, r *format.Record) (bool, error) {
		return r.Offset%2 == 0 && (r.Offset < 40 || r.Offset > 60), nil
	}, func() {}
}

func TestTenConsumersShareAHundredPartitions(t *testing.T) {
	var logs []log
	for p := range int32(100) {
		l := plain(format.TopicPartition{Topic: "orders", Partition: p}, int64(p), int64(p)+40)
		l.cut = 13
		logs = append(logs, l)
	}
	a, _ := newArchive(t, logs...)
	s := start(t, Options{Sources: []Source{{Archive: a}}, CacheBytes: 64 << 10, OnTrouble: func(err error) { t.Error(err) }})
	var mu sync.Mutex
	seen := map[string]string{}
	var all sync.WaitGroup
	for n := range 10 {
		all.Go(func() {
			c := client(t, s, kgo.ConsumerGroup("g"), kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
				kgo.AutoCommitInterval(100*time.Millisecond), kgo.HeartbeatInterval(100*time.Millisecond), kgo.FetchMaxWait(100*time.Millisecond))
			for polls := 0; ; polls++ {
				mu.Lock()
				done := len(seen) == 4000
				mu.Unlock()
				if done || n%3 == 0 && polls == 3 {
					c.LeaveGroup() // the others go on
					return
				}
				fetches := c.PollRecords(within(t), 50)
				if err := fetches.Err(); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, r := range fetches.Records() {
					seen[fmt.Sprint(r.Partition, "/", r.Offset)] = described(r)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for _, l := range logs {
		for i := range l.records {
			if got, want := seen[fmt.Sprint(l.tp.Partition, "/", l.records[i].Offset)], describe(l.tp, &l.records[i]); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	}
}

func TestOnlyUsersMayRead(t *testing.T) {
	l := plain(orders0, 0, 3)
	a, _ := newArchive(t, l)
	s := start(t, Options{Sources: []Source{{Archive: a}}, Users: []User{{"ann", "secret"}}})
	consume := []kgo.Opt{kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
	for _, m := range mechanisms("ann", "secret") {
		same(t, take(t, client(t, s, append(consume, kgo.SASL(m))...), 3), l)
	}
	for _, m := range mechanisms("ann", "wrong") {
		if err := client(t, s, kgo.SASL(m)).Ping(within(t)); !errors.Is(err, kerr.SaslAuthenticationFailed) {
			t.Errorf("%s with a wrong password: got %v, want %v", m.Name(), err, kerr.SaslAuthenticationFailed)
		}
	}
	refused := rawFetch(t, s)
	if refused == nil {
		t.Error("a fetch before any login was answered")
	}
}
