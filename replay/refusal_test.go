package replay_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/replay"
)

// refuse makes the target answer so many produce requests for orders with err, without appending them; -1 is all.
func (c target) refuse(err *kerr.Error, count int) {
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders", Err: err, Count: count})
}

// Each answer is met once by every request that is under way, and the replay gets over it or stops that partition there. Either way the
// target holds a beginning of what was sent, in order, and the report counts what it lacks.
func TestEveryKindOfProduceErrorIsGotOverOrNamed(t *testing.T) {
	for _, c := range []struct {
		err    *kerr.Error
		passes bool // when asked again
	}{
		{kerr.NotEnoughReplicas, true},
		{kerr.NotEnoughReplicasAfterAppend, true},
		{kerr.NotLeaderForPartition, true},
		{kerr.LeaderNotAvailable, true},
		{kerr.NetworkException, true},
		{kerr.KafkaStorageError, true},
		{kerr.CorruptMessage, false},
		{kerr.MessageTooLarge, false},
		{kerr.RecordListTooLarge, false},
		{kerr.InvalidRecord, false},
		{kerr.InvalidTimestamp, false},
		{kerr.TopicAuthorizationFailed, false},
		{kerr.PolicyViolation, false},
		{kerr.UnsupportedForMessageFormat, false},
		{kerr.OutOfOrderSequenceNumber, false},
		{kerr.InvalidProducerEpoch, false},
		{kerr.ClusterAuthorizationFailed, false},
	} {
		t.Run(c.err.Message, func(t *testing.T) {
			t.Parallel()
			r := ordersAndEvents(500)
			a, to := r.archive(t), newTarget(t, withTopics())
			to.refuse(c.err, 1)
			report, err := replay.Run(t.Context(), to.connect, a, replay.Options{StallTimeout: 20 * time.Second})
			if passed := err == nil; c.passes && !passed {
				t.Fatalf("error %v, want none", err)
			}
			if err != nil && (!errors.Is(err, c.err) || report.Missing == 0) {
				t.Errorf("error %v with %d records missing, want it to tell of %v", err, report.Missing, c.err)
			}
			there := int64(0)
			for tp, records := range r.records {
				got := to.values(t, tp)
				there += int64(len(got))
				equal(t, tp.String(), got, valuesOf(records[:len(got)]))
			}
			equal(t, "missing", report.Missing, 1500-report.Acknowledged)
			// With an error about the producer the client gives up all that is under way, and what the target takes of it is not heard of.
			if producers := c.err == kerr.InvalidProducerEpoch || c.err == kerr.OutOfOrderSequenceNumber; report.Acknowledged > there || !producers && report.Acknowledged < there {
				t.Errorf("%d records are acknowledged, and %d are there", report.Acknowledged, there)
			}
		})
	}
}

// The client asks again every five seconds: the timeout is longer.
func TestATargetThatAlwaysRefusesEndsTheReplayWithItsReason(t *testing.T) {
	for _, why := range []*kerr.Error{kerr.NotEnoughReplicas, kerr.NotLeaderForPartition, kerr.RequestTimedOut} {
		t.Run(why.Message, func(t *testing.T) {
			t.Parallel()
			a, c := ordersAndEvents(100).archive(t), newTarget(t, withTopics())
			c.refuse(why, -1)
			report, err := replay.Run(t.Context(), c.connect, a, replay.Options{StallTimeout: 8 * time.Second, FlushTimeout: time.Millisecond})
			if !errors.Is(err, replay.ErrStalled) || !strings.Contains(err.Error(), why.Message) {
				t.Errorf("error %v, want an ErrStalled for %v", err, why)
			}
			equal(t, "acknowledged, and missing", [2]int64{report.Acknowledged, report.Missing}, [2]int64{100, 200})
		})
	}
}
