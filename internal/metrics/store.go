package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/karchive/karchive/bucket"
)

// store collects what is asked of a bucket.
type store struct{ requests func() bucket.Requests }

// Store registers a collector of what is asked of a bucket. Requests is called for every scrape.
func (s *Server) Store(requests func() bucket.Requests) { s.registry.MustRegister(store{requests}) }

var (
	storeRequests = prometheus.NewDesc("karchive_store_requests_total", "Requests to the bucket, by kind; an upload counts once, whatever its parts.", []string{"kind"}, nil)
	storeAgain    = describe("store_repeated_requests_total", "Of these, requests that repeat one that failed.")
	storeBytes    = prometheus.NewDesc("karchive_store_bytes_total", "Bytes of objects that were received from the bucket and sent to it.", []string{"direction"}, nil)
)

// Describe implements prometheus.Collector.
func (s store) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{storeRequests, storeAgain, storeBytes} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (s store) Collect(out chan<- prometheus.Metric) {
	r := s.requests()
	count := func(d *prometheus.Desc, n int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	count(storeRequests, r.Get, "get")
	count(storeRequests, r.Head, "head")
	count(storeRequests, r.List, "list")
	count(storeRequests, r.Put, "put")
	count(storeRequests, r.Delete, "delete")
	count(storeAgain, r.Again)
	count(storeBytes, r.Received, "received")
	count(storeBytes, r.Sent, "sent")
}
