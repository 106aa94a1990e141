package metrics

import (
	"fmt"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/lateness"
	"github.com/karchive/karchive/replay"
)

// Replay hands out the progress of a replay.
type Replay struct {
	latest atomic.Pointer[replay.Progress]
	health *health
}

// Replay registers a collector.
func (s *Server) Replay() *Replay {
	r := &Replay{health: &s.health}
	s.registry.MustRegister(r)
	return r
}

// Set keeps the latest progress. A replay that sends is ready, unless partitions stopped or the target acknowledges nothing.
func (r *Replay) Set(p replay.Progress) {
	was := r.latest.Swap(&p)
	waits := was != nil && p.Sent > p.Acknowledged && p.Acknowledged == was.Acknowledged
	switch {
	case p.Failed > 0:
		r.health.tell(fmt.Sprintf("%d partitions stopped", p.Failed))
	case waits:
		r.health.tell("records are on their way and none is acknowledged")
	default:
		r.health.tell("")
	}
}

var (
	replayPlanned  = describe("replay_planned_records", "Records that the replay is to send, in all rounds; 0 when it loops for ever.")
	replaySent     = describe("replay_sent_records_total", "Records given to the producer.")
	replayAcked    = describe("replay_acknowledged_records_total", "Records that the target has acknowledged.")
	replayBytes    = describe("replay_acknowledged_bytes_total", "Canonical bytes of the acknowledged records.")
	replayRefused  = describe("replay_errors_total", "Records that were sent and not acknowledged for good.")
	replayStopped  = describe("replay_stopped_partitions", "Partitions of the archive that stopped before their end.")
	replayElapsed  = describe("replay_elapsed_seconds", "Time of sending.")
	replayPaused   = describe("replay_paused", "1 while the replay is paused.")
	replayPosition = describe("replay_position_timestamp_seconds", "Timestamp, in the recording, of the record that was sent last.")
	replayLag      = describe("replay_lag_seconds", "How far sending is behind the schedule.")
	replayDispatch = describe("replay_dispatch_lateness_seconds", "How late records were given to the producer, against the schedule.")
	replayAnswer   = describe("replay_acknowledgement_lateness_seconds", "How late records were acknowledged, against the schedule.")
)

func describe(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("karchive_"+name, help, nil, nil)
}

// Describe implements prometheus.Collector.
func (r *Replay) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(r, out) }

// Collect implements prometheus.Collector.
func (r *Replay) Collect(out chan<- prometheus.Metric) {
	p := r.latest.Load()
	if p == nil {
		p = &replay.Progress{PositionMs: format.NoTimestamp}
	}
	gauge(out, replayPlanned, float64(p.Planned))
	counter(out, replaySent, p.Sent)
	counter(out, replayAcked, p.Acknowledged)
	counter(out, replayBytes, p.Bytes)
	counter(out, replayRefused, p.Refused)
	gauge(out, replayStopped, float64(p.Failed))
	gauge(out, replayElapsed, p.Elapsed.Seconds())
	gauge(out, replayPaused, flag(p.Paused))
	gauge(out, replayLag, p.Lag.Seconds())
	if p.PositionMs != format.NoTimestamp {
		gauge(out, replayPosition, float64(p.PositionMs)/1000)
	}
	histogram(out, replayDispatch, p.Dispatch)
	histogram(out, replayAnswer, p.Answer)
}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, v float64) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
}

func counter(out chan<- prometheus.Metric, d *prometheus.Desc, n int64) {
	out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n))
}

// histogram gives all bounds at all times, as scrapes are compared with each other.
func histogram(out chan<- prometheus.Metric, d *prometheus.Desc, l replay.Lateness) {
	buckets, below := make(map[float64]uint64), int64(0)
	for i, bound := range lateness.Bounds {
		if i < len(l.Bins) {
			below += l.Bins[i].Count
		}
		buckets[bound.Seconds()] = uint64(below)
	}
	out <- prometheus.MustNewConstHistogram(d, uint64(l.Count), l.Sum.Seconds(), buckets)
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
