package replay_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/routing"
	"github.com/karchive/karchive/replay/timeline"
)

// holdAt does something when the client is about to get record number at, and lets it have the record then.
type holdAt struct {
	at   int
	do   func()
	mu   sync.Mutex
	seen int
}

func (h *holdAt) OnProduceRecordBuffered(r *kgo.Record) {
	if r.Topic == replay.CheckpointTopic || r.Partition < 0 {
		return
	}
	h.mu.Lock()
	h.seen++
	now := h.seen == h.at
	h.mu.Unlock()
	if now {
		h.do()
	}
}

func TestOfTwoReplaysWithOneIDTheOlderIsFencedAndTheNewerDeliversTheRest(t *testing.T) {
	r := ordersAndEvents(300)
	a, c := r.archive(t), newTarget(t)
	for at := range []int{1, 100, 700} {
		o := often()
		o.ReplayID = "both"
		o.Restart = false
		var newer replay.Report
		older := o
		older.Hooks = []kgo.Hook{&holdAt{at: 1 + at, do: func() { newer = c.run(t, a, o) }}}
		report, err := replay.Run(t.Context(), c.connect, a, older)
		if !errors.Is(err, replay.ErrFenced) || !strings.Contains(err.Error(), "the id both") {
			t.Fatalf("error %v, want an ErrFenced that names the id", err)
		}
		equal(t, "all records", newer.Plan.Earlier+newer.Acknowledged, int64(900))
		equal(t, "what both committed", report.Acknowledged+newer.Acknowledged, int64(900))
		c.holds(t, r)
		c = newTarget(t)
	}
}

func TestANewerReplayThatPlannedBeforeTheOlderCommittedPlansAgain(t *testing.T) {
	r := ordersAndEvents(300)
	a, c := r.archive(t), newTarget(t)
	fences, plans := 0, 0
	c.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if fences++; fences == 1 { // of the newer one: the older one runs before it
			c.SleepControl(func() { c.run(t, a, often()) })
		}
		return nil, nil, false
	})
	o := often()
	o.OnPlan = func(*replay.Plan) { plans++ }
	report := c.run(t, a, o)
	equal(t, "sent, earlier and plans told", [3]int64{report.Sent, report.Plan.Earlier, int64(plans)}, [3]int64{0, 900, 1})
	c.holds(t, r)
}

func TestAMismatchIsNamedAndFencesNobody(t *testing.T) {
	r := ordersAndEvents(20)
	a, c := r.archive(t), newTarget(t)
	o := often()
	o.ReplayID = "mine"
	c.run(t, a, o)
	fences := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Observe: true, TopLevel: true, Count: -1})
	for what, change := range map[string]func(*replay.Options){
		"map":         func(o *replay.Options) { o.Mapping = mapping(t, "orders:=other") },
		"partitioner": func(o *replay.Options) { o.Partitioner = routing.ByKey },
		"limit":       func(o *replay.Options) { o.Limit = 7 },
		"timestamps":  func(o *replay.Options) { o.Timestamps = replay.NowTimestamps },
	} {
		other := o
		change(&other)
		_, err := replay.Run(t.Context(), c.connect, a, other)
		mismatch, ok := errors.AsType[*replay.MismatchError](err)
		if !ok || mismatch.What != what || !strings.Contains(err.Error(), "mine") || mismatch.ReplayID != "mine" {
			t.Errorf("another %s: error %v, want a MismatchError that says so", what, err)
		}
	}
	if _, err := replay.Run(t.Context(), c.connect, r.archive(t), o); !errors.As(err, new(*replay.MismatchError)) {
		t.Errorf("another archive: error %v, want a MismatchError", err)
	}
	equal(t, "fences", fences.Hits(), 0)
	c.holds(t, r)
}

func TestOtherOptionsAreAnotherReplayByDefault(t *testing.T) {
	r := ordersAndEvents(20)
	a, c := r.archive(t), newTarget(t)
	first := c.run(t, a, often())
	o := often()
	o.Mapping = mapping(t, "*:=copy-*")
	second := c.run(t, a, o)
	equal(t, "sent", [2]int64{first.Sent, second.Sent}, [2]int64{60, 60})
	if first.Plan.ReplayID == second.Plan.ReplayID {
		t.Errorf("both have the id %s", first.Plan.ReplayID)
	}
	o = often()
	o.Compression, o.Lanes, o.CreateTopics = "zstd", 1, false
	equal(t, "sent with what does not shape the records", c.run(t, a, o).Sent, int64(0))
}

func TestARestartSendsEverythingAgainAndIsGoneOnFromWithoutIt(t *testing.T) {
	r := ordersAndEvents(300)
	a, c := r.archive(t), newTarget(t)
	c.run(t, a, often())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	again := often()
	again.Restart, again.Lanes = true, 1
	again.Hooks = []kgo.Hook{&holdAt{at: 400, do: cancel}}
	report, err := replay.Run(ctx, c.connect, a, again)
	if !errors.Is(err, context.Canceled) || report.Sent < 400 {
		t.Fatalf("error %v after %d records, want a replay that was cancelled", err, report.Sent)
	}
	second := c.run(t, a, often())
	equal(t, "earlier and now", [2]int64{second.Plan.Earlier, second.Sent}, [2]int64{report.Acknowledged, 900 - report.Acknowledged})
	for tp, records := range r.records {
		equal(t, tp.String(), c.committed(t, tp), append(valuesOf(records), valuesOf(records)...))
	}
}

func TestCompactionTakesNothingThatCounts(t *testing.T) {
	r := ordersAndEvents(300)
	a, c := r.archive(t), newTarget(t)
	other := often()
	other.ReplayID, other.Mapping = "other", mapping(t, "*:=copy-*")
	for at := 200; ; at += 200 {
		o := often()
		o.Lanes = 1
		ctx, cancel := context.WithCancel(t.Context())
		hold := &holdAt{at: 250, do: cancel}
		o.Hooks = []kgo.Hook{hold}
		_, err := replay.Run(ctx, c.connect, a, o)
		cancel()
		before := len(c.committedRecords(t, format.TopicPartition{Topic: replay.CheckpointTopic}))
		c.run(t, a, other) // its records are among those that stay
		c.Compact()
		if after := len(c.committedRecords(t, format.TopicPartition{Topic: replay.CheckpointTopic})); after >= before && err != nil {
			t.Fatalf("%d checkpoint records before compaction, %d after: nothing is shown", before, after)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	c.holds(t, r)
}

// A transaction of another replay that is open in the checkpoint topic hides what this one committed after it. Not waiting would send
// everything again.
func TestWhatAnOpenTransactionOfAnotherReplayHidesIsWaitedFor(t *testing.T) {
	r := ordersAndEvents(60)
	a := r.archive(t)
	readOnce(t)
	synctest.Test(t, func(t *testing.T) {
		c := newVirtualTarget(t)
		other := often()
		other.ReplayID, other.DryRun = "other", false
		other.Mapping = mapping(t, "*:=copy-*")
		c.run(t, a, other) // the topic is there
		open, err := kgo.NewClient(append([]kgo.Opt{kgo.TransactionalID("open")}, c.connect...)...)
		must(t, err)
		defer open.Close()
		must(t, open.BeginTransaction())
		must(t, open.ProduceSync(t.Context(), &kgo.Record{Topic: replay.CheckpointTopic, Key: []byte("open/orders/0"), Value: []byte("{}")}).FirstErr())

		began := time.Now()
		time.AfterFunc(20*time.Second, func() { open.EndTransaction(context.Background(), kgo.TryAbort) })
		if !c.runAndDie(t, a, often(), &mortal{at: 40}) {
			t.Fatal("the first replay is not killed")
		}
		c.goOn(t, r, a, often())
		if took := time.Since(began); took < 20*time.Second || took > time.Minute {
			t.Errorf("it took %s, want a little more than the transaction that was open", took)
		}
	})
}

func TestATransactionThatTheTargetTimedOutIsNoFence(t *testing.T) {
	r := ordersAndEvents(60)
	a := r.archive(t)
	readOnce(t)
	synctest.Test(t, func(t *testing.T) {
		c := newVirtualTarget(t)
		o := often()
		o.TransactionTimeout, o.TransactionBytes, o.Schedule = 10*time.Second, 0, rate(t, "10/s")
		o.Clock = &sleepingMachine{from: time.Now().Add(3500 * time.Millisecond), until: time.Now().Add(20 * time.Second)}
		report, err := replay.Run(t.Context(), c.connect, a, o)
		if !errors.Is(err, replay.ErrTransactionEnded) || !strings.Contains(err.Error(), "after 10s") {
			t.Fatalf("error %v, want an ErrTransactionEnded that names the timeout", err)
		}
		if got := c.count(t, r); got != report.Acknowledged || got < 20 {
			t.Errorf("the target has %d records, want the %d that are acknowledged", got, report.Acknowledged)
		}
		o.Clock = nil
		c.goOn(t, r, a, o)
	})
}

// The broker that the target names as the coordinator is down, as before another is elected, when the replay wants to become the producer.
func TestACoordinatorThatIsDownIsWaitedFor(t *testing.T) {
	r := ordersAndEvents(20)
	a := r.archive(t)
	readOnce(t)
	for _, c := range []struct {
		down  time.Duration
		waits bool
	}{{45 * time.Second, true}, {time.Hour, false}} {
		synctest.Test(t, func(t *testing.T) {
			target := newVirtualTarget(t)
			var until time.Time
			target.ControlKey(int16(kmsg.FindCoordinator), func(kmsg.Request) (kmsg.Response, error, bool) {
				if target.KeepControl(); until.IsZero() {
					until = time.Now().Add(c.down)
				}
				return nil, nil, false
			})
			refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
			dial := func(ctx context.Context, network, address string) (net.Conn, error) {
				if time.Now().Before(until) {
					return nil, refused
				}
				return target.dial(ctx, network, address)
			}
			o := often()
			o.ConnectTimeout = time.Minute
			report, err := replay.Run(t.Context(), append(slices.Clone(target.connect), kgo.Dialer(dial)), a, o)
			if c.waits {
				must(t, err)
				equal(t, "sent", report.Sent, int64(60))
				target.holds(t, r)
				return
			}
			if took := time.Since(until.Add(-c.down)); !errors.Is(err, refused) || took != o.ConnectTimeout {
				t.Errorf("down for %s: error %v after %s, want %v after %s", c.down, err, took, refused, o.ConnectTimeout)
			}
		})
	}
}

// slowAnswers lets the client have what it is told about records only after a while.
type slowAnswers time.Duration

func (d slowAnswers) OnBrokerRead(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	if key == int16(kmsg.Produce) {
		time.Sleep(time.Duration(d))
	}
}

// All records are sent and acknowledged while a regular commit waits for a coordinator to come up, longer than there is at the end of a
// replay that is stopped: this one is not.
func TestACommitThatIsUnderWayWhenAllIsSentIsWaitedFor(t *testing.T) {
	r := ordersAndEvents(20)
	a := r.archive(t)
	readOnce(t)
	synctest.Test(t, func(t *testing.T) {
		c := newVirtualTarget(t)
		o := often()
		o.CheckpointInterval, o.TransactionBytes, o.FlushTimeout = time.Second, 0, 5*time.Second
		o.Hooks = []kgo.Hook{slowAnswers(3 * time.Second)}
		commits := 0
		var until time.Time
		c.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
			if c.KeepControl(); commits == 0 || !until.IsZero() && time.Now().After(until) {
				commits++ // the first is before the first record
				return nil, nil, false
			}
			if until.IsZero() {
				until = time.Now().Add(3 * o.FlushTimeout)
			}
			resp := req.ResponseKind().(*kmsg.EndTxnResponse)
			resp.ErrorCode = kerr.CoordinatorLoadInProgress.Code
			return resp, nil, true
		})
		report, err := replay.Run(t.Context(), c.connect, a, o)
		must(t, err)
		equal(t, "acknowledged", report.Acknowledged, int64(60))
		if until.IsZero() || commits < 2 {
			t.Errorf("%d commits, none of them waited", commits)
		}
		c.holds(t, r)
	})
}

// The leader of the partition that keeps the progress moves when the last of it is written.
func TestTheLastOfTheProgressIsWaitedFor(t *testing.T) {
	r := ordersAndEvents(20)
	a := r.archive(t)
	readOnce(t)
	synctest.Test(t, func(t *testing.T) {
		c := newVirtualTarget(t)
		o := often()
		o.TransactionBytes, o.FlushTimeout = 0, 5*time.Second
		var until time.Time
		c.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
			if c.KeepControl(); until.IsZero() { // the commit before the first record
				until = time.Now().Add(3 * o.FlushTimeout)
			}
			return nil, nil, false
		})
		moving := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: replay.CheckpointTopic, Err: kerr.NotLeaderForPartition, Count: -1,
			When: func(kmsg.Request) bool { return time.Now().Before(until) }})
		report, err := replay.Run(t.Context(), c.connect, a, o)
		must(t, err)
		equal(t, "acknowledged", report.Acknowledged, int64(60))
		if moving.Hits() == 0 {
			t.Error("the leader never moved")
		}
		c.holds(t, r)
	})
}

// sleepingMachine is the clock of a machine that sleeps for a while.
type sleepingMachine struct{ from, until time.Time }

func (*sleepingMachine) Now() time.Time { return time.Now() }

func (m *sleepingMachine) SleepUntil(ctx context.Context, t time.Time) error {
	if time.Now().Before(m.from) && t.After(m.from) && t.Before(m.until) {
		t = m.until
	}
	return (&shiftedClock{}).SleepUntil(ctx, t)
}

// When retention deletes what was just sent, the client makes itself known to the target anew, which aborts the transaction, and goes on
// as if nothing had happened.
func TestAProducerThatChangesWithinATransactionEndsIt(t *testing.T) {
	r := ordersAndEvents(60)
	a, c := r.archive(t), newTarget(t)
	o := often()
	o.TransactionBytes = 0
	o.Schedule = rate(t, "1000/s") // several requests
	seen, forgot := make(map[string]int), false
	c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		produce := req.(*kmsg.ProduceRequest)
		if forgot || len(produce.Topics) != 1 || len(produce.Topics[0].Partitions) != 1 {
			return nil, nil, false
		}
		asked := produce.Topics[0]
		where := fmt.Sprint(asked.TopicID, asked.Partitions[0].Partition)
		if seen[where]++; seen[where] < 5 {
			return nil, nil, false
		}
		forgot = true
		return forgetful(produce), nil, true
	})
	report, err := replay.Run(t.Context(), c.connect, a, o)
	if !errors.Is(err, replay.ErrTransactionEnded) {
		t.Fatalf("error %v, want an ErrTransactionEnded", err)
	}
	equal(t, "acknowledged", c.count(t, r), report.Acknowledged)
	o.Schedule = timeline.Schedule{}
	c.goOn(t, r, a, o)
}

// forgetful says that the target does not know the producer, and that the log begins after what it has sent.
func forgetful(req *kmsg.ProduceRequest) kmsg.Response {
	p := kmsg.NewProduceResponseTopicPartition()
	p.Partition, p.ErrorCode, p.LogStartOffset = req.Topics[0].Partitions[0].Partition, kerr.UnknownProducerID.Code, 1<<40
	topic := kmsg.NewProduceResponseTopic()
	topic.Topic, topic.TopicID, topic.Partitions = req.Topics[0].Topic, req.Topics[0].TopicID, append(topic.Partitions, p)
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	resp.Topics = append(resp.Topics, topic)
	return resp
}

func TestARefusedRecordEndsTheTransactionAndTheReplay(t *testing.T) {
	r := ordersAndEvents(300)
	a, c := r.archive(t), newTarget(t)
	refuseOnce(c, orders1, 3)
	report, err := replay.Run(t.Context(), c.connect, a, often())
	if !errors.Is(err, replay.ErrIncomplete) || !errors.Is(err, kerr.InvalidRecord) || !strings.Contains(err.Error(), "orders/1") {
		t.Fatalf("error %v, want ErrIncomplete with the broker's reason", err)
	}
	equal(t, "acknowledged", c.count(t, r), report.Acknowledged)
	equal(t, "missing", report.Missing, 900-report.Acknowledged)
	for tp, records := range r.records {
		got := c.committed(t, tp)
		if want := valuesOf(records)[:len(got)]; !slices.Equal(got, want) {
			t.Errorf("the front of %s: got %q, want %q", tp, got, want)
		}
	}
	c.goOn(t, r, a, often())
}

func TestACommitThatFailsIsNotReportedAsDone(t *testing.T) {
	r := ordersAndEvents(300)
	a, c := r.archive(t), newTarget(t)
	for _, skip := range []int{0, 3} {
		seen := 0
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, TopLevel: true, Err: kerr.TransactionalIDAuthorizationFailed, When: func(req kmsg.Request) bool {
			seen++
			return seen > skip && req.(*kmsg.EndTxnRequest).Commit
		}})
		report, err := replay.Run(t.Context(), c.connect, a, often())
		if !errors.Is(err, kerr.TransactionalIDAuthorizationFailed) {
			t.Fatalf("error %v, want that of the commit", err)
		}
		equal(t, "acknowledged", c.count(t, r), report.Acknowledged)
		equal(t, "transactions", report.Transactions, int64(max(skip-1, 0)))
	}
	c.goOn(t, r, a, often())
}

func TestAPartitionThatCannotBeReadStopsAndTheOthersAreCommitted(t *testing.T) {
	r, a := damagedOrders(t)
	c := newTarget(t)
	for run := range 2 {
		report, err := replay.Run(t.Context(), c.connect, a, often())
		if !errors.Is(err, format.ErrCorrupt) || !errors.Is(err, replay.ErrIncomplete) {
			t.Fatalf("error %v, want ErrCorrupt", err)
		}
		if run == 1 {
			equal(t, "sent by the second run", report.Sent, int64(0))
		}
		got := c.committed(t, orders0)
		equal(t, "the front of the corrupt partition", got, valuesOf(r.records[orders0][:len(got)]))
		equal(t, "events/0", c.committed(t, events0), valuesOf(r.records[events0]))
		equal(t, "orders/1", c.committed(t, orders1), valuesOf(r.records[orders1]))
	}
}

func TestWhatAccessRulesForbidIsNamed(t *testing.T) {
	a := ordersAndEvents(20).archive(t)
	for _, c := range []struct {
		fault              kfake.Fault
		operation, request string
	}{
		{kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, TopLevel: true, Err: kerr.TransactionalIDAuthorizationFailed}, "Write", replay.TransactionPrefix},
		{kfake.Fault{Keys: []kmsg.Key{kmsg.FindCoordinator}, TxnID: replay.TransactionPrefix + "x", Err: kerr.TransactionalIDAuthorizationFailed}, "Write", replay.TransactionPrefix},
		{kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Topic: replay.CheckpointTopic, Err: kerr.TopicAuthorizationFailed}, "Create", replay.CheckpointTopic},
		{kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: replay.CheckpointTopic, Err: kerr.TopicAuthorizationFailed}, "Describe", replay.CheckpointTopic},
		{kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: replay.CheckpointTopic, Err: kerr.TopicAuthorizationFailed}, "Read", replay.CheckpointTopic},
		{kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: replay.CheckpointTopic, Err: kerr.TopicAuthorizationFailed}, "Read", replay.CheckpointTopic},
		{kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: replay.CheckpointTopic, Err: kerr.TopicAuthorizationFailed}, "Write", replay.CheckpointTopic},
	} {
		to := newTarget(t)
		o := often()
		o.ReplayID = "x"
		if c.fault.Keys[0] == kmsg.Fetch {
			to.run(t, a, o) // something is there to be read
		}
		to.Fault(c.fault)
		_, err := replay.Run(t.Context(), to.connect, a, o)
		denied, ok := errors.AsType[*replay.DeniedError](err)
		if !ok || denied.Operation != c.operation || !strings.Contains(denied.Resource, c.request) {
			t.Errorf("%v denied: error %v, want a DeniedError of %s", c.fault.Keys, err, c.operation)
		}
	}
}

func TestACheckpointThatCannotBeReadIsRefusedAndARestartHelps(t *testing.T) {
	a := ordersAndEvents(20).archive(t)
	for key, value := range map[string]string{
		"x":          `{"karchive_checkpoint":2}`,
		"x ":         `{"karchive_checkpoint":1`,
		"x/orders/0": `{"karchive_checkpoint":7,"generation":"g"}`,
	} {
		c := newTarget(t)
		o := often()
		o.ReplayID = "x"
		c.run(t, a, o)
		cl, err := kgo.NewClient(c.connect...)
		must(t, err)
		must(t, cl.ProduceSync(t.Context(), &kgo.Record{Topic: replay.CheckpointTopic, Key: []byte(strings.TrimSpace(key)), Value: []byte(value)}).FirstErr())
		cl.Close()
		_, err = replay.Run(t.Context(), c.connect, a, o)
		if !errors.Is(err, replay.ErrProgress) || !strings.Contains(err.Error(), "replay x") {
			t.Errorf("%s=%s: error %v, want an ErrProgress that names the replay", key, value, err)
		}
		o.Restart = true
		equal(t, "sent by the restart", c.run(t, a, o).Sent, int64(60))
	}
}
