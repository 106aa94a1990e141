// Package metrics serves what a running command counts to Prometheus, over HTTP at /metrics, and how it does at /healthz and /readyz. A collector
// is given the latest progress now and then, and hands it out when it is asked. Everything is safe for concurrent use.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kprom"
)

// Server is a registry that can be scraped. Close must be called.
type Server struct {
	registry *prometheus.Registry
	listener net.Listener
	http     *http.Server
	health   health
	done     chan struct{}
}

// Listen serves at addr, HOST:PORT. A bare port, with or without its colon, is of loopback.
func Listen(addr string) (*Server, error) {
	listener, err := net.Listen("tcp", Loopback(addr))
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w", withoutAddress(err))
	}
	s := &Server{registry: prometheus.NewRegistry(), listener: listener, done: make(chan struct{})}
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", answer(s.health.alive))
	mux.HandleFunc("GET /readyz", answer(s.health.ready))
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.done)
		s.http.Serve(listener) // it ends with Close
	}()
	return s, nil
}

// withoutAddress is why nothing can listen, and does not repeat where: a password may have been put there.
func withoutAddress(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if bad, ok := errors.AsType[*net.AddrError](err); ok {
		return errors.New(bad.Err)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New(dns.Err)
	}
	return err
}

// Loopback is addr with the host that a bare port means.
func Loopback(addr string) string {
	if port, bare := strings.CutPrefix(addr, ":"); bare || !strings.Contains(addr, ":") {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// ClientHook counts what Kafka clients do that have it, together; what is buffered is of the first.
func (s *Server) ClientHook() kgo.Hook {
	return &clientHook{Metrics: kprom.NewMetrics("karchive_kafka", kprom.Registerer(s.registry), kprom.Gatherer(s.registry))}
}

// clientHook is for several clients, such as those of a capture and of its group, where kprom's own is for one and panics. Its metrics end with
// the server.
type clientHook struct {
	*kprom.Metrics
	first sync.Once
}

// OnNewClient registers the metrics, once.
func (h *clientHook) OnNewClient(c *kgo.Client) { h.first.Do(func() { h.Metrics.OnNewClient(c) }) }

// OnClientClosed takes nothing away: other clients go on.
func (h *clientHook) OnClientClosed(*kgo.Client) {}

// Close ends the server. Scrapes that are under way have a moment.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	<-s.done
	return err
}
