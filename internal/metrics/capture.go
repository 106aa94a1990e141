package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/karchive/karchive/capture"
)

// Capture hands out the progress of a capture.
type Capture struct {
	latest atomic.Pointer[capture.Progress]
	health *health
}

// Capture registers a collector.
func (s *Server) Capture() *Capture {
	c := &Capture{health: &s.health}
	s.registry.MustRegister(c)
	return c
}

// Set keeps the latest progress. A capture whose partitions are known is ready, unless one of them makes no progress.
func (c *Capture) Set(p capture.Progress) {
	c.latest.Store(&p)
	c.health.tell(p.Trouble)
}

var (
	captureRecords    = describeTopic("capture_records_total", "Records taken: sealed, dropped, or neither yet.")
	captureBytes      = describeTopic("capture_bytes_total", "Canonical bytes of those records.")
	captureOffsets    = describeTopic("capture_offsets_total", "Offsets taken, with or without a record.")
	capturePlanned    = describeTopic("capture_planned_offsets", "Offsets that a snapshot takes; 0 in a follow capture.")
	captureLag        = describeTopic("capture_lag_offsets", "Offsets that the log had, when it was asked last, and that were not fetched yet.")
	captureLagBytes   = describeTopic("capture_lag_bytes", "Canonical bytes of those offsets, estimated by the ones taken so far; absent while there are none.")
	captureLagging    = describeTopic("capture_lagging_partitions", "Partitions that have such offsets.")
	captureSegments   = describeTopic("capture_segments_total", "Segments sealed.")
	captureSealed     = describeTopic("capture_sealed_records_total", "Records in sealed segments: a kill takes none of them.")
	captureLastSeal   = describeTopic("capture_last_seal_timestamp_seconds", "When a segment was sealed last; absent before the first.")
	capturePartitions = describeTopic("capture_partitions", "Partitions that are captured.")
	captureDone       = describeTopic("capture_complete_partitions", "Partitions of a snapshot that are complete.")
	captureElapsed    = describe("capture_elapsed_seconds", "Time since the capture began.")
	captureOvertaken  = describe("capture_overtaken_segments_total", "Segments that were dropped because another capture of the archive sealed them first.")
	captureDropped    = describeTopic("capture_dropped_records_total", "Records that were taken and dropped: in segments that others sealed first, in partitions that a group took away, at the end of an interrupted snapshot.")
	captureHanded     = prometheus.NewDesc("karchive_capture_group_partitions_total", "Partitions that a group assigned, revoked, or took away (lost).", []string{"change"}, nil)
	captureTroubled   = describe("capture_troubled", "1 while some partition makes no progress.")
)

func describeTopic(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("karchive_"+name, help, []string{"topic"}, nil)
}

// Describe implements prometheus.Collector.
func (c *Capture) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{captureRecords, captureBytes, captureOffsets, capturePlanned, captureLag, captureLagBytes, captureLagging, captureSegments,
		captureSealed, captureLastSeal, capturePartitions, captureDone, captureElapsed, captureTroubled, captureOvertaken, captureDropped, captureHanded} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *Capture) Collect(out chan<- prometheus.Metric) {
	p := c.latest.Load()
	if p == nil {
		p = &capture.Progress{}
	}
	gauge(out, captureElapsed, p.Elapsed.Seconds())
	gauge(out, captureTroubled, flag(p.Trouble != ""))
	out <- prometheus.MustNewConstMetric(captureOvertaken, prometheus.CounterValue, float64(p.Overtaken))
	if h := p.Handed; h != nil {
		for change, n := range map[string]int{"assigned": h.Assigned, "revoked": h.Revoked, "lost": h.Lost} {
			out <- prometheus.MustNewConstMetric(captureHanded, prometheus.CounterValue, float64(n), change)
		}
	}
	for _, t := range p.Topics {
		of := func(d *prometheus.Desc, kind prometheus.ValueType, n int64) {
			out <- prometheus.MustNewConstMetric(d, kind, float64(n), t.Topic)
		}
		if bytes, ok := t.LagBytes(); ok {
			of(captureLagBytes, prometheus.GaugeValue, bytes)
		}
		if !t.LastSeal.IsZero() {
			out <- prometheus.MustNewConstMetric(captureLastSeal, prometheus.GaugeValue, float64(t.LastSeal.UnixMilli())/1000, t.Topic)
		}
		of(captureRecords, prometheus.CounterValue, t.Records+t.Dropped) // which so never go back
		of(captureBytes, prometheus.CounterValue, t.Bytes+t.DroppedBytes)
		of(captureDropped, prometheus.CounterValue, t.Dropped)
		of(captureOffsets, prometheus.CounterValue, t.Offsets)
		of(captureLag, prometheus.GaugeValue, t.Lag)
		of(captureLagging, prometheus.GaugeValue, int64(t.LagPartitions))
		of(captureSegments, prometheus.CounterValue, t.Segments)
		of(captureSealed, prometheus.CounterValue, t.Sealed)
		of(capturePlanned, prometheus.GaugeValue, t.PlannedOffsets)
		of(capturePartitions, prometheus.GaugeValue, int64(t.Partitions))
		of(captureDone, prometheus.GaugeValue, int64(t.Done))
	}
}
