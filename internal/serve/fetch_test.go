package serve

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/karchive/karchive/format"
)

// fetched sends a Fetch of orders, partition 0, as a client without a session unless change says otherwise.
func fetched(t *testing.T, c *kgo.Client, offset int64, change func(*kmsg.FetchRequest)) *kmsg.FetchResponse {
	t.Helper()
	m := fetchOrders()
	m.SessionEpoch = -1
	m.Topics[0].Partitions[0].FetchOffset = offset
	if change != nil {
		change(m)
	}
	response, err := c.Broker(0).Request(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return response.(*kmsg.FetchResponse)
}

func TestNoFetchSessionIsGivenAndAnUnknownOneIsRefused(t *testing.T) {
	a, _ := newArchive(t, plain(orders0, 0, 3))
	c := client(t, serving(t, a), kgo.MaxVersions(fetchVersion(11)))
	for name, test := range map[string]struct {
		id, epoch int32
		want      int16
	}{"none": {0, -1, 0}, "one is asked for": {0, 0, 0}, "another server's": {7, 3, kerr.FetchSessionIDNotFound.Code}, "another's, to be closed": {7, -1, kerr.FetchSessionIDNotFound.Code}} {
		got := fetched(t, c, 0, func(m *kmsg.FetchRequest) { m.SessionID, m.SessionEpoch = test.id, test.epoch })
		if got.ErrorCode != test.want || got.SessionID != 0 {
			t.Errorf("%s: got error %d and session %d, want %d and 0", name, got.ErrorCode, got.SessionID, test.want)
		}
		if records := len(got.Topics) > 0 && len(got.Topics[0].Partitions[0].RecordBatches) > 0; records != (test.want == 0) {
			t.Errorf("%s: got records %t, want %t", name, records, test.want == 0)
		}
	}
}

func TestAPollAtTheEndWaitsAsLongAsItSays(t *testing.T) {
	virtually(t, []log{plain(orders0, 5, 8)}, func(t *testing.T, a *format.Archive, network *kfake.VirtualNetwork) {
		s := start(t, Options{Sources: []Source{{Archive: a}}, Listen: "127.0.0.1:9092", Listener: network.Listen})
		c := client(t, s, kgo.Dialer(network.DialContext), kgo.MaxVersions(fetchVersion(11)))
		fetched(t, c, 5, nil) // the connection is there
		for name, test := range map[string]struct {
			offset   int64
			wait     time.Duration
			minBytes int32
			want     time.Duration
			code     int16
		}{
			"the end": {8, 20 * time.Second, 1, 20 * time.Second, 0}, "without patience": {8, 20 * time.Second, 0, 0, 0}, "there is something": {7, 20 * time.Second, 1 << 20, 0, 0},
			"a wait that is too long": {8, time.Hour, 1, longestWait, 0}, "behind the end": {9, 20 * time.Second, 1, 0, kerr.OffsetOutOfRange.Code}, "before the start": {4, 20 * time.Second, 1, 0, kerr.OffsetOutOfRange.Code},
		} {
			begin := time.Now()
			got := fetched(t, c, test.offset, func(m *kmsg.FetchRequest) {
				m.MaxWaitMillis, m.MinBytes = int32(test.wait.Milliseconds()), test.minBytes
			})
			if took := time.Since(begin); took != test.want {
				t.Errorf("%s: answered after %s, want %s", name, took, test.want)
			}
			if p := got.Topics[0].Partitions[0]; p.ErrorCode != test.code || p.HighWatermark != 8 || p.LogStartOffset != 5 {
				t.Errorf("%s: got error %d, log from %d to %d; want error %d, 5 to 8", name, p.ErrorCode, p.LogStartOffset, p.HighWatermark, test.code)
			}
		}
	})
}

func TestAPollOfATopicThatIsNotThereIsAnsweredAtOnce(t *testing.T) {
	virtually(t, []log{plain(orders0, 5, 8)}, func(t *testing.T, a *format.Archive, network *kfake.VirtualNetwork) {
		s := start(t, Options{Sources: []Source{{Archive: a}}, Listen: "127.0.0.1:9092", Listener: network.Listen})
		c := client(t, s, kgo.Dialer(network.DialContext), kgo.MaxVersions(fetchVersion(11)))
		begin := time.Now()
		got := fetched(t, c, 0, func(m *kmsg.FetchRequest) {
			m.MaxWaitMillis, m.MinBytes, m.Topics[0].Topic = 20_000, 1, "nowhere"
		})
		if took := time.Since(begin); took != 0 {
			t.Errorf("answered after %s, want at once", took)
		}
		if code := got.Topics[0].Partitions[0].ErrorCode; code != kerr.UnknownTopicOrPartition.Code {
			t.Errorf("got error %d, want %d", code, kerr.UnknownTopicOrPartition.Code)
		}
	})
}

func TestAnAnswerHasAsMuchAsFits(t *testing.T) {
	l := plain(orders0, 0, 4000)
	a, _ := newArchive(t, l)
	c := client(t, serving(t, a), kgo.MaxVersions(fetchVersion(11)))
	whole := len(fetched(t, c, 0, nil).Topics[0].Partitions[0].RecordBatches)
	if whole < 100_000 {
		t.Fatalf("got %d bytes, want all records", whole)
	}
	for _, most := range []int32{0, 1, 100} { // one batch in any case, so that every consumer gets on
		got := fetched(t, c, 3999, func(m *kmsg.FetchRequest) { m.MaxBytes, m.Topics[0].Partitions[0].PartitionMaxBytes = most, most })
		if n := len(got.Topics[0].Partitions[0].RecordBatches); n == 0 || n > whole {
			t.Errorf("at most %d bytes: got %d", most, n)
		}
	}
}

func TestAnAnswerDoesNotWaitForManyRowGroups(t *testing.T) {
	l := plain(orders0, 0, 3*mostBlocks)
	l.cut = 1
	a, _ := newArchive(t, l)
	s := serving(t, a)
	raw := fetched(t, client(t, s, kgo.MaxVersions(fetchVersion(11))), 0, nil).Topics[0].Partitions[0].RecordBatches
	batches := 0
	for len(raw) > 0 {
		var b kmsg.RecordBatch
		if err := b.ReadFrom(raw); err != nil {
			t.Fatal(err)
		}
		raw = raw[12+b.Length:]
		batches++
	}
	if batches != mostBlocks {
		t.Errorf("got %d row groups at once, want %d", batches, mostBlocks)
	}
	same(t, take(t, client(t, s, kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())), len(l.records)), l)
}

// fetchVersion is the newest version of Fetch to ask with.
func fetchVersion(v int16) *kversion.Versions {
	versions := kversion.V4_1_0()
	versions.SetMaxKeyVersion(int16(kmsg.Fetch), v)
	return versions
}

func TestTheNextRowGroupIsDecodedWhileAnAnswerIsOnItsWayIfThereIsRoom(t *testing.T) {
	const each, recordBytes = 6, 100 << 10
	l := log{tp: orders0, next: 4 * each, cut: each}
	for o := range l.next {
		l.records = append(l.records, format.Record{Offset: o, Value: make([]byte, recordBytes)})
	}
	for name, test := range map[string]struct {
		room    int64
		decoded int64
	}{"room": {8 << 20, 2}, "none": {1, 1}} {
		t.Run(name, func(t *testing.T) {
			virtually(t, []log{l}, func(t *testing.T, a *format.Archive, network *kfake.VirtualNetwork) {
				rules := &counting{}
				s := start(t, Options{Sources: []Source{{Archive: a, Rules: rules}}, CacheBytes: test.room, Listen: "127.0.0.1:9092", Listener: network.Listen})
				got := fetched(t, client(t, s, kgo.Dialer(network.DialContext), kgo.MaxVersions(fetchVersion(11))), 0, nil)
				if batches := len(got.Topics[0].Partitions[0].RecordBatches) / (2 * recordBytes); batches != each/2 {
					t.Errorf("got %d batches, want %d", batches, each/2)
				}
				synctest.Wait()
				if got := rules.decoded.Load(); got != test.decoded {
					t.Errorf("%d row groups are decoded, want %d", got, test.decoded)
				}
			})
		})
	}
}
