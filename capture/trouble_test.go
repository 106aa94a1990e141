package capture

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/selection"
)

// onFetch calls do with the number of each fetch, from 1, and answers what it returns; nil is the broker's own answer.
func (b *broker) onFetch(do func(n int32, req *kmsg.FetchRequest) (kmsg.Response, error)) {
	var n atomic.Int32
	b.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		resp, err := do(n.Add(1), kreq.(*kmsg.FetchRequest))
		return resp, err, resp != nil || err != nil
	})
}

func TestAConnectionThatBreaksNowAndThenDoesNoHarm(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(3, "orders"))
		for p := range int32(3) {
			b.fill("orders", p, 200)
		}
		o := Options{Topics: []string{"orders"}, RotateRecords: 50, FetchBytes: 1500}
		want := newPlace(t)
		want.capture(b, o)
		var broken atomic.Int32
		b.onFetch(func(n int32, _ *kmsg.FetchRequest) (kmsg.Response, error) {
			if n%5 != 0 {
				return nil, nil
			}
			broken.Add(1)
			return nil, errors.New("cut the connection")
		})
		got := newPlace(t)
		got.capture(b, o)
		if broken.Load() == 0 || !maps.Equal(got.data(), want.data()) {
			t.Errorf("after %d broken connections files differ: %v", broken.Load(), unequal(got.data(), want.data()))
		}
	})
}

func TestLeadersThatMoveAreFollowed(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(3, "orders"), kfake.NumBrokers(3))
	for p := range int32(3) {
		b.fill("orders", p, 200)
	}
	o := Options{Topics: []string{"orders"}, RotateRecords: 50, FetchBytes: 1500}
	want := newPlace(t)
	want.capture(b, o)
	var moves atomic.Int32
	got := newPlace(t)
	got.onSeal(func() {
		if moves.Add(1) <= 3 {
			b.ShufflePartitionLeaders()
		}
	})
	got.capture(b, o)
	if moves.Load() < 3 || !maps.Equal(got.data(), want.data()) {
		t.Errorf("after %d moves files differ: %v", moves.Load(), unequal(got.data(), want.data()))
	}
}

func TestALogThatIsTruncatedUnderAFollowCaptureEndsIt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"), kfake.NumBrokers(2), kfake.Ports(9092, 9093))
		b.fill("orders", 0, 20)
		_, f := followOrders(t, b)
		b.epochEndsAt(12) // the new leader has less
		b.moveLeader("orders")
		<-f.done
		var truncated *TruncatedError
		if !errors.As(f.err, &truncated) || truncated.Next != 20 || truncated.LogEnd != 12 {
			t.Errorf("got %v", f.err)
		}
	})
}

func TestASnapshotThatMakesNoProgressEndsWithTheReason(t *testing.T) {
	for reason, answer := range map[string]func(*kmsg.FetchRequest) (kmsg.Response, error){
		"broker closed the connection": func(*kmsg.FetchRequest) (kmsg.Response, error) { return nil, errors.New("cut the connection") },
		"KAFKA_STORAGE_ERROR":          func(req *kmsg.FetchRequest) (kmsg.Response, error) { return failing(req, kerr.KafkaStorageError), nil },
		"its leader sends nothing":     func(req *kmsg.FetchRequest) (kmsg.Response, error) { return emptyFrom(req, 0, 0), nil },
		"OFFSET_OUT_OF_RANGE":          func(req *kmsg.FetchRequest) (kmsg.Response, error) { return failing(req, kerr.OffsetOutOfRange), nil },
		"FETCH_SESSION_ID_NOT_FOUND":   func(req *kmsg.FetchRequest) (kmsg.Response, error) { return failingWhole(req), nil },
		"sends nothing, though the lo": func(req *kmsg.FetchRequest) (kmsg.Response, error) { return req.ResponseKind(), nil },
	} {
		t.Run(reason, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
				b.fill("orders", 0, 10)
				b.onFetch(func(_ int32, req *kmsg.FetchRequest) (kmsg.Response, error) {
					time.Sleep(20 * time.Millisecond)
					return answer(req)
				})
				begun := time.Now()
				_, err := newPlace(t).try(t.Context(), b, Options{Topics: []string{"orders"}, StallTimeout: 20 * time.Second})
				var stalled *PartitionError
				if !errors.Is(err, ErrStalled) || !errors.As(err, &stalled) || stalled.Offset != 0 || !strings.Contains(err.Error(), reason) {
					t.Fatalf("got %v", err)
				}
				if took := time.Since(begun); took < 20*time.Second || took > 40*time.Second {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

func failing(req *kmsg.FetchRequest, why *kerr.Error) kmsg.Response {
	resp := emptyFrom(req, 0, 10).(*kmsg.FetchResponse)
	resp.Topics[0].Partitions[0].ErrorCode = why.Code
	return resp
}

func failingWhole(req *kmsg.FetchRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	resp.ErrorCode = kerr.FetchSessionIDNotFound.Code
	return resp
}

func TestLostOffsetsAndAMovedLeaderAreNoTruncation(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"), kfake.NumBrokers(2), kfake.Ports(9092, 9093))
		b.fill("orders", 0, 10)
		a := newPlace(t)
		a.capture(b, Options{Topics: []string{"orders"}})
		b.fill("orders", 0, 5)
		b.moveLeader("orders")
		b.fill("orders", 0, 15)
		b.deleteTo("orders", 30)
		f := a.follow(b, Options{Topics: []string{"orders"}})
		time.Sleep(2 * time.Second) // it has the gap up to 30, and a last epoch that ended at 15
		b.moveLeader("orders")
		b.fill("orders", 0, 5)
		time.Sleep(10 * time.Second)
		if r := f.stop(); r.Lost() != 20 || r.Records != 5 {
			t.Errorf("%d lost, %d records, want 20 and 5", r.Lost(), r.Records)
		}
	})
}

func TestAFollowCaptureGoesOnWithTheOthersPastABatchThatCannotBeRead(t *testing.T) {
	for name, damage := range damages {
		inBubble(t, func(t *testing.T) {
			b := newVirtualBroker(t, kfake.SeedTopics(3, "orders"))
			logs := map[int32][][]byte{}
			for p := range int32(3) {
				b.fill("orders", p, 50)
				logs[p] = tens(5)
			}
			logs[1][2] = damage(logs[1][2])
			var more atomic.Bool // of the others
			b.onFetch(func(_ int32, req *kmsg.FetchRequest) (kmsg.Response, error) {
				if more.Load() {
					return served(req, logs), nil
				}
				return served(req, map[int32][][]byte{0: logs[0], 1: logs[1], 2: logs[2][:3]}), nil
			})
			a := newPlace(t)
			var last atomic.Pointer[Progress]
			f := a.follow(b, Options{Topics: []string{"orders"}, OnProgress: func(p Progress) { last.Store(&p) }})
			time.Sleep(time.Minute)
			more.Store(true)
			time.Sleep(time.Minute)
			if trouble := last.Load().Trouble; !strings.Contains(trouble, "1 of 3 partitions left: orders-1") {
				t.Errorf("%s: told is %q, want what became of orders-1", name, trouble)
			}
			f.cancel()
			<-f.done
			partition, ok := errors.AsType[*PartitionError](f.err)
			if !ok || !errors.Is(f.err, ErrCorruptBatch) || partition.Partition.Partition != 1 {
				t.Errorf("%s: got %v, want a PartitionError of partition 1", name, f.err)
			}
			for p, want := range []int{50, 20, 50} {
				if got := len(a.records("orders", int32(p))); got != want {
					t.Errorf("%s: partition %d has %d records, want %d", name, p, got, want)
				}
			}
			if next := a.coverage("orders", 1).Next; next != 20 {
				t.Errorf("%s: orders-1 is sealed up to %d, want 20", name, next)
			}
		})
	}
}

func TestAFollowCaptureEndsWhenEveryPartitionIsLeft(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		b.fill("orders", 0, 20)
		b.onFetch(func(_ int32, req *kmsg.FetchRequest) (kmsg.Response, error) {
			bad := rawBatch{base: 3, records: []rawRecord{{}}}.encode()
			bad[len(bad)-1] ^= 1
			return batches(req, 20, slices.Concat(rawBatch{records: []rawRecord{{}, {delta: 2}}}.encode(), bad)), nil
		})
		a := newPlace(t)
		f := a.follow(b, Options{Topics: []string{"orders"}})
		<-f.done
		var partition *PartitionError
		if !errors.As(f.err, &partition) || !errors.Is(f.err, ErrCorruptBatch) || partition.Offset != 3 {
			t.Errorf("got %v", f.err)
		}
		if got := offsetsOf(a.records("orders", 0)); !slices.Equal(got, []int64{0, 2}) || a.coverage("orders", 0).Next != 3 {
			t.Errorf("sealed are %v", got)
		}
	})
}

// batches answers every partition with the same batches.
func batches(req *kmsg.FetchRequest, high int64, raw []byte) kmsg.Response {
	resp := emptyFrom(req, 0, high).(*kmsg.FetchResponse)
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			resp.Topics[i].Partitions[j].RecordBatches = raw
		}
	}
	return resp
}

// A response that is full has nothing for the partitions that come last in it.
func TestAPartitionThatOthersCrowdOutIsNotTakenForEmpty(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(2, "orders"))
	b.fill("orders", 0, 20)
	b.fill("orders", 1, 20)
	b.onFetch(func(_ int32, req *kmsg.FetchRequest) (kmsg.Response, error) {
		resp := emptyFrom(req, 0, 20).(*kmsg.FetchResponse)
		asked := req.Topics[0].Partitions
		for i := range asked {
			if asked[i].Partition == 0 || len(asked) == 1 {
				resp.Topics[0].Partitions[i].RecordBatches = rawBatch{base: asked[i].FetchOffset, records: []rawRecord{{}}}.encode()
			}
		}
		return resp, nil
	})
	if r := newPlace(t).capture(b, Options{Topics: []string{"orders"}}); r.Records != 40 {
		t.Errorf("%d records, want 40", r.Records)
	}
}

func TestBrokersThatKnowNoTopicIDsAreRead(t *testing.T) {
	mixed := kversion.V3_9_0() // some clusters fetch by id and yet do not tell ids
	mixed.SetMaxKeyVersion(int16(kmsg.Metadata), 9)
	for name, versions := range map[string]*kversion.Versions{"2.7": kversion.V2_7_0(), "mixed": mixed} {
		t.Run(name, func(t *testing.T) { readWithoutIDs(t, versions) })
	}
}

func readWithoutIDs(t *testing.T, versions *kversion.Versions) {
	b := newBroker(t, kfake.SeedTopics(2, "orders"), kfake.MaxVersions(versions))
	b.fill("orders", 0, 20)
	b.fill("orders", 1, 20)
	a := newPlace(t)
	if r := a.capture(b, Options{Topics: []string{"orders"}}); r.Records != 40 || a.identity().Topics[0].ID != "" {
		t.Errorf("%d records, topic id %q", r.Records, a.identity().Topics[0].ID)
	}
	b.fill("orders", 1, 5)
	if r := a.capture(b, Options{Topics: []string{"orders"}}); r.Records != 5 {
		t.Errorf("then %d records, want 5", r.Records)
	}
}

func TestABrokerThatGoesAwayEndsAFollowCaptureAndWhatItHasIsSealed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(1, "orders"))
		b.fill("orders", 0, 10)
		var trouble string
		a := newPlace(t)
		f := a.follow(b, Options{Topics: []string{"orders"}, StallTimeout: 30 * time.Second, OnProgress: func(p Progress) { trouble = max(trouble, p.Trouble) }})
		time.Sleep(2 * time.Second)
		b.Close()
		<-f.done
		var stalled *PartitionError
		if !errors.Is(f.err, ErrStalled) || !errors.As(f.err, &stalled) || stalled.Partition.Topic != "orders" || f.report.Records != 10 {
			t.Errorf("got %v with %d records sealed", f.err, f.report.Records)
		}
		if trouble == "" {
			t.Error("progress did not tell about it")
		}
	})
}

func TestAFullDiskEndsTheCaptureAndTheNextOneGoesOn(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(2, "orders"))
	b.fill("orders", 0, 300)
	b.fill("orders", 1, 300)
	o := Options{Topics: []string{"orders"}, RotateRecords: 50}
	want := newPlace(t)
	want.capture(b, o)
	got := newPlace(t)
	room := 0
	for _, file := range want.data() {
		room += len(file)
	}
	got.fs.SetFree(int64(room) * 3 / 4)
	r, err := got.try(t.Context(), b, o)
	if !errors.Is(err, syscall.ENOSPC) || r.Segments == 0 || r.Segments == len(want.data()) {
		t.Fatalf("got %v after %d segments", err, r.Segments)
	}
	if n := len(got.data()); n != r.Segments {
		t.Errorf("%d files, the report says %d", n, r.Segments)
	}
	got.fs.SetFree(-1)
	got.capture(b, o)
	if !maps.Equal(got.data(), want.data()) {
		t.Errorf("files differ: %v", unequal(got.data(), want.data()))
	}
}

func TestThePlanIsDurableBeforeTheFirstFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newVirtualBroker(t, kfake.SeedTopics(2, "orders"))
		b.fill("orders", 0, 30)
		a := newPlace(t)
		var planned *origin.Plan
		b.onFetch(func(n int32, _ *kmsg.FetchRequest) (kmsg.Response, error) {
			if n == 1 {
				machine := a.fs.CrashBare()
				if opened, err := format.Open(machine); err == nil {
					planned = opened.Identity().Capture
				}
			}
			return nil, errors.New("the machine stopped")
		})
		a.try(t.Context(), b, Options{Topics: []string{"orders"}, From: selection.AtOffset(10), StallTimeout: time.Second})
		want := []origin.PlanRange{{Topic: "orders", Partition: 0, Start: 10, End: 30}, {Topic: "orders", Partition: 1, Start: 10, End: 10}}
		if planned == nil || !slices.Equal(planned.Partitions, want) || planned.From != "offset:10" || planned.Isolation != origin.ReadCommitted {
			t.Errorf("planned is %+v", planned)
		}
	})
}

func TestAThousandPartitionsAreCaptured(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1000, "many"), kfake.NumBrokers(3))
	cl := b.client()
	for p := range int32(1000) {
		record := numbered(int(p))
		record.Topic, record.Partition = "many", p
		cl.Produce(t.Context(), record, nil)
	}
	if err := cl.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	snapshot := newPlace(t)
	if r := snapshot.capture(b, Options{Topics: []string{"many"}}); r.Records != 1000 || r.Segments != 1000 || len(r.Topics[0].Partitions) != 1000 {
		t.Errorf("snapshot: %d records in %d segments", r.Records, r.Segments)
	}
	follow := newPlace(t)
	if r := follow.capture(b, Options{Topics: []string{"many"}, Follow: true, StopAfter: StopAfter{Records: 1000}}); r.Records != 1000 {
		t.Errorf("follow: %d records in %d segments", r.Records, r.Segments)
	}
	for p := int32(0); p < 1000; p += 99 {
		if got := snapshot.records("many", p); len(got) != 1 || string(got[0].Key) != fmt.Sprintf("k%d", p) {
			t.Fatalf("partition %d has %+v", p, got)
		}
	}
}

// A batch is sent whole however little was asked for, and the client would read no more than 100 MiB.
func TestABatchOfMoreThan100MiBIsTaken(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some hundred megabytes of memory")
	}
	b := newBroker(t, kfake.SeedTopics(1, "orders"))
	b.onFetch(func(_ int32, req *kmsg.FetchRequest) (kmsg.Response, error) {
		if req.Topics[0].Partitions[0].FetchOffset > 0 {
			return emptyFrom(req, 0, 1), nil
		}
		return batches(req, 1, rawBatch{records: []rawRecord{{value: make([]byte, 101<<20)}}}.encode()), nil
	})
	b.produce("orders", 0, &kgo.Record{Value: []byte("its place")})
	a := newPlace(t)
	a.capture(b, Options{Topics: []string{"orders"}})
	if got := a.records("orders", 0); len(got) != 1 || len(got[0].Value) != 101<<20 {
		t.Errorf("%d records", len(got))
	}
}
