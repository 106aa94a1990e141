package capture

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/selection"
)

func TestOtherOptionsOnTheSameArchiveAreRefusedByName(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(2, "orders", "payments"))
	b.fill("orders", 0, 10)
	a := newPlace(t)
	first := Options{Topics: []string{"orders"}}
	a.capture(b, first)
	for want, change := range map[string]func(*Options){
		"isolation":      func(o *Options) { o.Isolation = origin.ReadUncommitted },
		"from":           func(o *Options) { o.From = selection.End },
		"topics":         func(o *Options) { o.Topics = []string{"orders", "payments"} },
		"partitions":     func(o *Options) { o.Partitions = []int32{1} },
		"rotate bytes":   func(o *Options) { o.RotateBytes = 5 },
		"rotate records": func(o *Options) { o.RotateRecords = 5 },
		"compression":    func(o *Options) { o.Compression = "zstd:5" },
	} {
		o := first
		change(&o)
		_, err := a.try(t.Context(), b, o)
		var mismatch *MismatchError
		if !errors.As(err, &mismatch) || mismatch.What != want {
			t.Errorf("%s: got %v", want, err)
		}
	}
	spelled := first
	spelled.Topics, spelled.From, spelled.Isolation = []string{"orders", "orders"}, selection.Beginning, origin.ReadCommitted
	spelled.Compression = "zstd"
	a.capture(b, spelled) // the same, spelled otherwise
}

func TestAnotherClusterIsRefused(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"), kfake.ClusterID("one"))
	other := newBroker(t, kfake.SeedTopics(1, "orders"), kfake.ClusterID("two"))
	a := newPlace(t)
	a.capture(b, Options{Topics: []string{"orders"}})
	_, err := a.try(t.Context(), other, Options{Topics: []string{"orders"}})
	var mismatch *MismatchError
	if !errors.As(err, &mismatch) || mismatch.What != "cluster id" || mismatch.Archive != "one" || mismatch.Now != "two" {
		t.Errorf("got %v", err)
	}
}

func TestATopicThatWasMadeAgainIsRefused(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 10)
	a := newPlace(t)
	a.capture(b, Options{Topics: []string{"orders"}})
	b.remake("orders")
	_, err := a.try(t.Context(), b, Options{Topics: []string{"orders"}})
	var recreated *RecreatedTopicError
	if !errors.As(err, &recreated) || recreated.Topic != "orders" || recreated.Archive == recreated.Cluster {
		t.Errorf("got %v", err)
	}
}

func (b *broker) remake(topic string) {
	b.t.Helper()
	if err := errors.Join(b.DeleteTopic(topic), b.CreateTopic(topic, 1, nil)); err != nil {
		b.t.Error(err)
	}
}

func TestALogThatEndsBeforeTheArchiveIsRefused(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 10)
	a := newPlace(t)
	a.capture(b, Options{Topics: []string{"orders"}})
	b.ControlKey(int16(kmsg.ListOffsets), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		return listed7(kreq.(*kmsg.ListOffsetsRequest)), nil, true
	})
	_, err := a.try(t.Context(), b, Options{Topics: []string{"orders"}})
	var truncated *TruncatedError
	if !errors.As(err, &truncated) || truncated.Next != 10 || truncated.LogEnd != 7 {
		t.Errorf("got %v", err)
	}
}

// listed7 says that the log is 7 records long.
func listed7(req *kmsg.ListOffsetsRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	t := kmsg.NewListOffsetsResponseTopic()
	t.Topic = req.Topics[0].Topic
	p := kmsg.NewListOffsetsResponseTopicPartition()
	p.Partition = req.Topics[0].Partitions[0].Partition
	if p.Offset = 7; req.Topics[0].Partitions[0].Timestamp == -2 {
		p.Offset = 0
	}
	t.Partitions = append(t.Partitions, p)
	resp.Topics = append(resp.Topics, t)
	return resp
}

func TestALogThatTookAnotherCourseIsRefused(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 10)
	a := newPlace(t)
	a.capture(b, Options{Topics: []string{"orders"}})
	b.fill("orders", 0, 10)
	b.epochEndsAt(7)
	_, err := a.try(t.Context(), b, Options{Topics: []string{"orders"}})
	var truncated *TruncatedError
	if !errors.As(err, &truncated) || truncated.Next != 10 || truncated.LogEnd != 7 {
		t.Errorf("got %v", err)
	}
}

// epochEndsAt answers every question for the end of a leader epoch.
func (b *broker) epochEndsAt(offset int64) {
	b.ControlKey(int16(kmsg.OffsetForLeaderEpoch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		resp := kreq.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
		for _, rt := range kreq.(*kmsg.OffsetForLeaderEpochRequest).Topics {
			t := kmsg.NewOffsetForLeaderEpochResponseTopic()
			t.Topic = rt.Topic
			for _, rp := range rt.Partitions {
				p := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
				p.Partition, p.LeaderEpoch, p.EndOffset = rp.Partition, rp.LeaderEpoch, offset
				t.Partitions = append(t.Partitions, p)
			}
			resp.Topics = append(resp.Topics, t)
		}
		return resp, nil, true
	})
}

func TestAnEpochThatTheLogForgotProvesNothing(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 10)
	a := newPlace(t)
	a.capture(b, Options{Topics: []string{"orders"}})
	b.epochEndsAt(-1)
	b.fill("orders", 0, 10)
	if r := a.capture(b, Options{Topics: []string{"orders"}}); r.Records != 10 {
		t.Errorf("%d records, want 10", r.Records)
	}
}

func TestAnUnfinishedSnapshotRefusesAnotherEnd(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 100)
	a := newPlace(t)
	o := Options{Topics: []string{"orders"}, RotateRecords: 30, FetchBytes: 1000, Until: selection.AtOffset(90)}
	a.interrupt(b, o)
	other := o
	other.Until = selection.AtOffset(95)
	var mismatch *MismatchError
	if _, err := a.try(t.Context(), b, other); !errors.As(err, &mismatch) || mismatch.What != "until" {
		t.Errorf("got %v", err)
	}
	a.capture(b, o)
	a.capture(b, other)
	if next := a.coverage("orders", 0).Next; next != 95 {
		t.Errorf("covered to %d, want 95", next)
	}
}

func TestAnUnfinishedSnapshotRefusesALogThatTookAnotherCourse(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 100)
	a := newPlace(t)
	o := Options{Topics: []string{"orders"}, RotateRecords: 30, FetchBytes: 1000}
	a.interrupt(b, o)
	b.epochEndsAt(7)
	var truncated *TruncatedError
	if _, err := a.try(t.Context(), b, o); !errors.As(err, &truncated) || truncated.LogEnd != 7 {
		t.Errorf("got %v", err)
	}
}

// What lies between the last record and the end of a segment can be of a later leader epoch, of which the archive does not know.
func TestALaterEpochBehindTheLastRecordIsNoTruncation(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "tx"), kfake.NumBrokers(2))
	b.fill("tx", 0, 2)
	b.moveLeader("tx")
	b.transact("x", "tx", 0, 10, kgo.TryAbort)
	a := newPlace(t)
	a.capture(b, Options{Topics: []string{"tx"}, Until: selection.AtOffset(7)})
	b.moveLeader("tx")
	b.fill("tx", 0, 3)
	if r := a.capture(b, Options{Topics: []string{"tx"}}); r.Records != 3 {
		t.Errorf("%d records, want 3", r.Records)
	}
	if got := a.records("tx", 0); got[0].LeaderEpoch >= got[2].LeaderEpoch {
		t.Errorf("leader epochs %d and %d: the leader did not change", got[0].LeaderEpoch, got[2].LeaderEpoch)
	}
}

// moveLeader gives partition 0 of a topic another leader, of two.
func (b *broker) moveLeader(topic string) {
	b.t.Helper()
	if err := b.MoveTopicPartition(topic, 0, 1-b.LeaderFor(topic, 0)); err != nil {
		b.t.Fatal(err)
	}
}

func TestATopicOfAGlobThatIsGoneStaysAsItIs(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders-a", "orders-b"))
	b.fill("orders-a", 0, 50)
	b.fill("orders-b", 0, 50)
	a := newPlace(t)
	o := Options{Topics: []string{"orders-*"}, RotateRecords: 20, FetchBytes: 1000}
	a.interrupt(b, o)
	if err := b.DeleteTopic("orders-b"); err != nil {
		t.Fatal(err)
	}
	var missing *selection.MissingTopicError
	if _, err := a.try(t.Context(), b, o); !errors.As(err, &missing) || missing.Topic != "orders-b" {
		t.Errorf("the snapshot cannot be finished: got %v", err)
	}
	follow := o
	follow.Follow, follow.StopAfter.Records = true, 50-int64(len(a.records("orders-a", 0)))
	if r := a.capture(b, follow); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "orders-b-0") {
		t.Errorf("a follow capture goes on with warnings %q", r.Warnings)
	}
	b.fill("orders-a", 0, 5)
	for want := range 2 {
		if r := a.capture(b, o); r.Resumed || r.Records != int64(5-5*want) {
			t.Errorf("then %d records, resumed %v", r.Records, r.Resumed)
		}
	}
}

func TestOnlyWhatIsOverriddenAtATopicIsStored(t *testing.T) {
	b := newBroker(t)
	configs := map[string]string{"retention.ms": "86400000", "cleanup.policy": "compact"}
	if err := b.CreateTopic("tables", 2, configs); err != nil {
		t.Fatal(err)
	}
	a := newPlace(t)
	a.capture(b, Options{Topics: []string{"tables"}})
	got := a.identity().Topics[0]
	if !maps.Equal(got.Configs, configs) || got.Partitions != 2 || got.ID == "" || a.identity().ClusterID != "kfake" {
		t.Errorf("stored is %+v of cluster %q", got, a.identity().ClusterID)
	}
}

func TestMissingTopicsAndPartitionsAreErrorsThatNameThem(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(2, "orders", "payments"))
	for _, topics := range [][]string{{"order"}, {"orders", "order"}, {"pay*", "order"}} {
		_, err := newPlace(t).try(t.Context(), b, Options{Topics: topics})
		var missing *selection.MissingTopicError
		if !errors.As(err, &missing) || missing.Topic != "order" || !slices.Equal(missing.Known, []string{"orders", "payments"}) {
			t.Errorf("topics %v: got %v with %+v", topics, err, missing)
		}
	}
	var partition *selection.MissingPartitionError
	if _, err := newPlace(t).try(t.Context(), b, Options{Topics: []string{"orders"}, Partitions: []int32{0, 2}}); !errors.As(err, &partition) || partition.Partition != 2 {
		t.Errorf("got %v", err)
	}
	if _, err := newPlace(t).try(t.Context(), b, Options{Topics: []string{"x*"}}); !errors.Is(err, selection.ErrNoTopics) {
		t.Errorf("got %v", err)
	}
}

func TestGlobsLeaveOutInternalTopicsAndNamesDoNot(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders-eu", "orders-us", "payments", "__internal"))
	for _, c := range []struct{ topics, want []string }{
		{[]string{"orders-*"}, []string{"orders-eu", "orders-us"}},
		{[]string{"orders-?s", "payments"}, []string{"orders-us", "payments"}},
		{[]string{"orders-[ae]*"}, []string{"orders-eu"}},
		{[]string{"*"}, []string{"orders-eu", "orders-us", "payments"}},
		{[]string{"__internal", "pay*"}, []string{"__internal", "payments"}},
	} {
		r := newPlace(t).capture(b, Options{Topics: c.topics})
		var got []string
		for _, topic := range r.Topics {
			got = append(got, topic.Topic)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v selects %v, want %v", c.topics, got, c.want)
		}
	}
}

func TestSelectedPartitionsAreTakenAndNoOthers(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(4, "orders"))
	for p := range int32(4) {
		b.fill("orders", p, 5)
	}
	a := newPlace(t)
	if r := a.capture(b, Options{Topics: []string{"orders"}, Partitions: []int32{1, 3}}); r.Records != 10 || len(a.records("orders", 0)) != 0 || len(a.records("orders", 3)) != 5 {
		t.Errorf("%d records, %d of partition 0", r.Records, len(a.records("orders", 0)))
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for want, o := range map[string]Options{
		"no topics":         {},
		"is for a snapshot": {Topics: []string{"a"}, Until: selection.End, Follow: true},
		"StopAfter":         {Topics: []string{"a"}, StopAfter: StopAfter{Records: 1}},
		"isolation":         {Topics: []string{"a"}, Isolation: "serializable"},
		"topic pattern":     {Topics: []string{"a["}},
		"codec":             {Topics: []string{"a"}, Compression: "rar"},
		"negative":          {Topics: []string{"a"}, Lanes: -1},
	} {
		if _, err := Run(t.Context(), nil, nil, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want it to say %q", o, err, want)
		}
	}
}

func TestABrokerThatIsNotThereIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	b := &broker{t: t, dial: []kgo.Opt{kgo.SeedBrokers(addr)}}
	_, err = newPlace(t).try(t.Context(), b, Options{Topics: []string{"orders"}})
	if !errors.Is(err, ErrConnect) || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
}

func TestABrokerThatDoesNotAnswerEndsTheAttemptInTime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		silent := func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		b := &broker{t: t, dial: []kgo.Opt{kgo.SeedBrokers("kafka.example:9092"), kgo.Dialer(silent)}}
		begun := time.Now()
		_, err := newPlace(t).try(t.Context(), b, Options{Topics: []string{"orders"}, ConnectTimeout: 3 * time.Second})
		if took := time.Since(begun); took > 4*time.Second || err == nil || !strings.Contains(err.Error(), "kafka.example:9092: no answer within 3s") {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

func TestATopicThatMayNotBeReadIsNamed(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.fill("orders", 0, 10)
	b.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		resp := emptyFrom(kreq.(*kmsg.FetchRequest), 0, 10)
		resp.(*kmsg.FetchResponse).Topics[0].Partitions[0].ErrorCode = kerr.TopicAuthorizationFailed.Code
		return resp, nil, true
	})
	_, err := newPlace(t).try(t.Context(), b, Options{Topics: []string{"orders"}})
	var partition *PartitionError
	if !errors.As(err, &partition) || partition.Partition.Topic != "orders" || !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("got %v", err)
	}
}
