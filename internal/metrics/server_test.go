package metrics

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/capture/group"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/lateness"
	"github.com/karchive/karchive/replay"
)

func TestABarePortIsOfLoopback(t *testing.T) {
	for given, want := range map[string]string{
		"9100": "127.0.0.1:9100", ":9100": "127.0.0.1:9100", "127.0.0.1:9100": "127.0.0.1:9100", "0.0.0.0:9100": "0.0.0.0:9100", "[::1]:9100": "[::1]:9100",
		"metrics.example:9100": "metrics.example:9100",
	} {
		if got := Loopback(given); got != want {
			t.Errorf("%s: got %s, want %s", given, got, want)
		}
	}
}

func TestAnAddressThatIsNoneIsAnError(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:port", "9100000", "127.0.0.1"} {
		if s, err := Listen(addr); err == nil {
			s.Close()
			t.Errorf("%s is taken", addr)
		}
	}
}

func TestClientsWithOneHookAreCountedTogether(t *testing.T) {
	s := listen(t)
	hook := s.ClientHook()
	for range 2 {
		c, err := kgo.NewClient(kgo.SeedBrokers("127.0.0.1:1"), kgo.WithHooks(hook))
		if err != nil {
			t.Fatal(err)
		}
		hook.(kgo.HookBrokerConnect).OnBrokerConnect(kgo.BrokerMetadata{NodeID: 1}, 0, nil, nil)
		c.Close()
	}
	const want = `karchive_kafka_connects_total{node_id="1"} 2`
	if got := scrape(t, s); !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func listen(t *testing.T) *Server {
	t.Helper()
	s, err := Listen("0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// scrape returns what the server says of karchive, without comments.
func scrape(t *testing.T, s *Server) string {
	t.Helper()
	resp, err := http.Get("http://" + s.Addr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v: %s", resp.StatusCode, err, body)
	}
	var ours strings.Builder
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "karchive_") {
			ours.WriteString(line)
		}
	}
	return ours.String()
}

// hasLines says what lines are not in text.
func hasLines(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, line := range want {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
}

func TestTheMetricsOfAReplayAreItsLatestProgress(t *testing.T) {
	s := listen(t)
	r := s.Replay()
	hasLines(t, scrape(t, s), "karchive_replay_sent_records_total 0", "karchive_replay_paused 0", `karchive_replay_dispatch_lateness_seconds_bucket{le="0.01"} 0`)
	if before := scrape(t, s); strings.Contains(before, "karchive_replay_position_timestamp_seconds") {
		t.Errorf("there is a position before the first record:\n%s", before)
	}
	bounds := lateness.Bounds
	r.Set(replay.Progress{Sent: 1})
	r.Set(replay.Progress{
		Planned: 100, Sent: 60, Acknowledged: 50, Bytes: 5000, Refused: 3, Failed: 2, Elapsed: 1500 * time.Millisecond, Paused: true,
		PositionMs: 1_700_000_000_250, Lag: 20 * time.Millisecond,
		Dispatch: replay.Lateness{Count: 60, Sum: time.Second, Bins: []replay.LatenessBin{{UpTo: bounds[0], Count: 40}, {UpTo: bounds[1], Count: 15}}},
		Answer:   replay.Lateness{Count: 50},
	})
	hasLines(t, scrape(t, s),
		"karchive_replay_planned_records 100", "karchive_replay_sent_records_total 60", "karchive_replay_acknowledged_records_total 50",
		"karchive_replay_acknowledged_bytes_total 5000", "karchive_replay_errors_total 3", "karchive_replay_stopped_partitions 2",
		"karchive_replay_elapsed_seconds 1.5", "karchive_replay_paused 1", "karchive_replay_position_timestamp_seconds 1.70000000025e+09",
		"karchive_replay_lag_seconds 0.02", `karchive_replay_dispatch_lateness_seconds_bucket{le="5e-05"} 40`,
		`karchive_replay_dispatch_lateness_seconds_bucket{le="0.0001"} 55`, `karchive_replay_dispatch_lateness_seconds_bucket{le="60"} 55`,
		`karchive_replay_dispatch_lateness_seconds_bucket{le="+Inf"} 60`, "karchive_replay_dispatch_lateness_seconds_sum 1",
		"karchive_replay_acknowledgement_lateness_seconds_count 50")
	r.Set(replay.Progress{PositionMs: format.NoTimestamp})
	if after := scrape(t, s); strings.Contains(after, "karchive_replay_position_timestamp_seconds") {
		t.Errorf("no timestamp is a position:\n%s", after)
	}
}

func TestTheMetricsOfACaptureAreByTopic(t *testing.T) {
	s := listen(t)
	c := s.Capture()
	c.Set(capture.Progress{Elapsed: time.Second, Trouble: "no leader", Overtaken: 2, Handed: &group.Handed{Assigned: 5, Revoked: 3, Lost: 1}, Topics: []capture.TopicProgress{
		{Topic: "orders", Records: 10, Bytes: 400, Offsets: 12, Lag: 6, LagPartitions: 2, PlannedOffsets: 17, Partitions: 3, Done: 1,
			Segments: 2, Sealed: 8, LastSeal: time.UnixMilli(1_700_000_000_250), Dropped: 30, DroppedBytes: 600}, {Topic: "users", Records: 1}, {Topic: "late", Lag: 9},
	}})
	hasLines(t, scrape(t, s),
		`karchive_capture_records_total{topic="orders"} 40`, `karchive_capture_bytes_total{topic="orders"} 1000`, `karchive_capture_offsets_total{topic="orders"} 12`,
		`karchive_capture_lag_offsets{topic="orders"} 6`, `karchive_capture_lag_bytes{topic="orders"} 200`,
		`karchive_capture_lagging_partitions{topic="orders"} 2`, `karchive_capture_segments_total{topic="orders"} 2`, `karchive_capture_sealed_records_total{topic="orders"} 8`,
		`karchive_capture_last_seal_timestamp_seconds{topic="orders"} 1.70000000025e+09`, `karchive_capture_lag_bytes{topic="users"} 0`, `karchive_capture_planned_offsets{topic="orders"} 17`, `karchive_capture_partitions{topic="orders"} 3`,
		`karchive_capture_complete_partitions{topic="orders"} 1`, `karchive_capture_records_total{topic="users"} 1`, "karchive_capture_elapsed_seconds 1",
		"karchive_capture_troubled 1", "karchive_capture_overtaken_segments_total 2", `karchive_capture_dropped_records_total{topic="orders"} 30`,
		`karchive_capture_group_partitions_total{change="assigned"} 5`, `karchive_capture_group_partitions_total{change="lost"} 1`)
	for _, absent := range []string{`lag_bytes{topic="late"}`, `last_seal_timestamp_seconds{topic="users"}`} {
		if text := scrape(t, s); strings.Contains(text, absent) {
			t.Errorf("%s is known in\n%s", absent, text)
		}
	}
}

func TestAnAddressThatIsNoneIsNotRepeated(t *testing.T) {
	for _, addr := range []string{"user:CANARY@host:1", "CANARY:1:1", "CANARY.invalid:1", "[CANARY]:1", "127.0.0.1:CANARY", "CANARY"} {
		s, err := Listen(addr)
		if err == nil {
			s.Close()
		}
		if err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: got %v", addr, err)
		}
	}
}
