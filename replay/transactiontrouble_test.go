package replay_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/replay"
)

// transactionErrors are what a target can say about a transaction; those that pass are over when it is asked again.
var transactionErrors = []struct {
	err    *kerr.Error
	passes bool
}{
	{kerr.NotCoordinator, true},
	{kerr.CoordinatorNotAvailable, true},
	{kerr.CoordinatorLoadInProgress, true},
	{kerr.ConcurrentTransactions, true},
	{kerr.RequestTimedOut, false},
	{kerr.InvalidProducerEpoch, false},
	{kerr.ProducerFenced, false},
	{kerr.InvalidProducerIDMapping, false},
	{kerr.InvalidTxnState, false},
	{kerr.UnknownServerError, false},
}

func TestEveryKindOfTransactionErrorIsGotOverOrNamed(t *testing.T) {
	r := ordersAndEvents(60)
	a := r.archive(t)
	readOnce(t)
	for _, key := range []kmsg.Key{kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.EndTxn} {
		for _, c := range transactionErrors {
			for _, skip := range []int{0, 2} {
				t.Run(fmt.Sprintf("%s/%s/%d", key.Name(), c.err.Message, skip), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { meetTransactionError(t, r, a, key, c.err, c.passes, skip) })
				})
			}
		}
	}
}

// meetTransactionError replays into a target that once answers with an error, after the first skip requests.
func meetTransactionError(t *testing.T, r recording, a *format.Archive, key kmsg.Key, with *kerr.Error, passes bool, skip int) {
	c, seen := newVirtualTarget(t, kfake.MaxVersions(kversion.V3_9_0())), 0
	fault := c.Fault(kfake.Fault{Keys: []kmsg.Key{key}, TopLevel: key != kmsg.AddPartitionsToTxn, Err: with, When: func(kmsg.Request) bool { seen++; return seen > skip }})
	report, err := replay.Run(t.Context(), c.connect, a, often())
	switch {
	case fault.Hits() == 0 && (key != kmsg.InitProducerID || skip == 0):
		t.Error("the target was not asked so often")
	case passes && err != nil:
		t.Errorf("error %v, want none", err)
	case err != nil && !errors.Is(err, with):
		t.Errorf("error %v, want it to tell of %v", err, with)
	case err == nil && report.Acknowledged != 180:
		t.Errorf("no error and %d records, want 180", report.Acknowledged)
	}
	if err != nil && report.Sent > 0 {
		equal(t, "acknowledged", c.count(t, r), report.Acknowledged)
	}
	c.goOn(t, r, a, often())
}

func TestACoordinatorAndLeadersThatMoveDelayTransactionsAtMost(t *testing.T) {
	r := ordersAndEvents(3000)
	a, c, requests := r.archive(t), newTarget(t, kfake.NumBrokers(3)), 0
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Observe: true, Count: -1, When: func(kmsg.Request) bool {
		if requests++; requests%20 == 0 {
			go c.RehashCoordinators()
			go c.ShufflePartitionLeaders()
		}
		return true
	}})
	o := often()
	o.TransactionBytes = 20_000
	report := c.run(t, a, o)
	equal(t, "acknowledged", report.Acknowledged, int64(9000))
	if requests < 40 || report.Transactions < 10 {
		t.Errorf("%d requests and %d transactions, the test shows little", requests, report.Transactions)
	}
	c.holds(t, r)
}

func TestConnectionsThatAreCutAtAnyRequestLoseAndDoubleNothing(t *testing.T) {
	r := ordersAndEvents(60)
	a := r.archive(t)
	readOnce(t)
	for _, request := range []struct {
		is    string
		after bool
		late  int
	}{
		{is: "lost"},
		{is: "done", after: true},
		{is: "done once more and late", late: 3}, // after what makes a connection anew, and the request that is made again
	} {
		at, cut := 1, true
		for ; cut; at += everyRequest() {
			synctest.Test(t, func(t *testing.T) {
				c := newVirtualTarget(t)
				network := &mortal{at: at, after: request.after, late: request.late, survives: true}
				report, err := replay.Run(t.Context(), network.connect(c), a, often())
				cut = network.wasCut()
				// The first request to become the producer may come so late that it takes the one that was made again for an older replay.
				fence := cut && network.request() == kmsg.InitProducerID
				overtaken := fence && request.after && errors.Is(err, replay.ErrFenced)
				if err != nil && (report.Sent > 0 || fence) && !overtaken {
					t.Errorf("request %d is %s: error %v, want none", at, request.is, err)
				}
				c.goOn(t, r, a, often())
			})
		}
		if at < 30 {
			t.Errorf("a replay has %d requests, the test shows little", at)
		}
	}
}
