package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	startTimeout = 5 * time.Minute // a loaded machine needs many times the usual three seconds
	stopGrace    = 30 * time.Second
	startTries   = 3 // a port can be taken between finding it free and the broker's bind
)

// Options configures a broker. The zero value is a broker with the defaults of this package.
type Options struct {
	Properties map[string]string // server.properties that override the defaults
	HeapMB     int               // of the broker's Java heap at most; 0: 512
}

// Broker is a running one-node Kafka cluster. Its methods are safe for use by one goroutine at a time, Tool by many.
type Broker struct {
	dir, libs string
	clusterID string
	heapMB    int
	jvm       []string // more options of the Java machine
	ports     ports
	proc      *process
}

// Start runs a broker for test t and kills it when t ends. The broker's log survives a failed test, which says where it is.
func Start(t testing.TB, o Options) *Broker {
	t.Helper()
	dir, err := os.MkdirTemp("", "kafkatest-*")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Run(t.Context(), dir, o)
	if err != nil {
		t.Fatalf("start kafka (see %s): %v", dir, err)
	}
	t.Cleanup(func() {
		b.Kill()
		if t.Failed() {
			t.Logf("log of the broker: %s", b.LogFile())
			os.RemoveAll(filepath.Join(dir, "data"))
			return
		}
		os.RemoveAll(dir)
	})
	return b
}

// Run starts a broker that keeps all it writes in dir, which must be empty or absent, and returns when it serves clients. It lives
// until Stop, Kill, or the end of ctx, which kills it.
func Run(ctx context.Context, dir string, o Options) (*Broker, error) {
	libs, err := Libs(ctx)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	b := &Broker{dir: dir, libs: libs, clusterID: newClusterID(), heapMB: o.HeapMB}
	if b.heapMB == 0 {
		b.heapMB = 512
	}
	for range startTries {
		if err = b.formatAndStart(ctx, o); err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Broker) formatAndStart(ctx context.Context, o Options) error {
	var err error
	if b.ports, err = freePorts(); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(b.dir, "data")); err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	if err := writeProperties(b.dir, b.ports, o.Properties); err != nil {
		return err
	}
	err = b.Tool(ctx, io.Discard, "kafka.tools.StorageTool", "format", "-t", b.clusterID, "-c", b.propertiesFile())
	if err != nil {
		return err
	}
	return b.start(ctx)
}

// start starts the process and waits until it answers as its own controller.
func (b *Broker) start(ctx context.Context) error {
	if err := b.launch(ctx); err != nil {
		return err
	}
	if err := b.awaitReady(ctx); err != nil {
		b.Kill()
		return err
	}
	return nil
}

// launch starts the process.
func (b *Broker) launch(ctx context.Context) error {
	log, err := os.OpenFile(b.LogFile(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := b.java(ctx, "kafka.Kafka", b.propertiesFile())
	cmd.Stdout, cmd.Stderr = log, log
	if b.proc, err = startProcess(cmd); err != nil {
		return fmt.Errorf("start kafka: %w", err)
	}
	return nil
}

func (b *Broker) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Brokers()...), kgo.RetryTimeout(time.Second))
	if err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		meta, err := kadm.NewClient(client).BrokerMetadata(ctx)
		if err == nil && len(meta.Brokers) == 1 && meta.Cluster == b.clusterID {
			return nil
		}
		select {
		case <-tick.C:
		case <-b.proc.done:
			return fmt.Errorf("kafka ended: %w\n%s", b.proc.err, lastLines(b.LogFile(), 4<<10))
		case <-ctx.Done():
			return fmt.Errorf("kafka does not answer: %w\n%s", errors.Join(ctx.Err(), err), lastLines(b.LogFile(), 4<<10))
		}
	}
}

// Brokers returns the addresses for a client's seed list.
func (b *Broker) Brokers() []string { return []string{fmt.Sprintf("127.0.0.1:%d", b.ports.broker)} }

// ClusterID is the cluster's id, as clients see it.
func (b *Broker) ClusterID() string { return b.clusterID }

// PID is the id of the broker's process.
func (b *Broker) PID() int { return b.proc.cmd.Process.Pid }

// DataDir is where the broker keeps its topic partitions, one directory each.
func (b *Broker) DataDir() string { return filepath.Join(b.dir, "data") }

// LogFile is where everything goes that the broker writes to its standard output and error.
func (b *Broker) LogFile() string { return filepath.Join(b.dir, "server.log") }

func (b *Broker) propertiesFile() string { return filepath.Join(b.dir, "server.properties") }

// Stop shuts the broker down in order, as an operator would. Its files stay; Restart brings it back.
func (b *Broker) Stop() { b.proc.stop(stopGrace) }

// Kill ends the broker at once, as a power cut would.
func (b *Broker) Kill() { b.proc.stop(0) }

// Restart stops the broker when it still runs and starts it again on the same ports and files. Its partitions get a new leader
// epoch.
func (b *Broker) Restart(ctx context.Context) error {
	b.Stop()
	return b.start(ctx)
}
