package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// clusterSize is the number of brokers of a Cluster. Each is a controller, too.
const clusterSize = 3

// Cluster is a running cluster of three brokers, for tests of what happens when they come and go. Topics have three replicas, two of which must
// be in sync.
type Cluster struct {
	brokers []*Broker
}

// StartCluster runs a cluster for test t and kills it when t ends.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "kafkatest-*")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{}
	t.Cleanup(func() {
		for _, b := range c.brokers {
			if b.proc != nil {
				b.Kill()
			}
		}
		if t.Failed() {
			t.Logf("logs of the brokers: %s", dir)
			return
		}
		os.RemoveAll(dir)
	})
	if err := c.run(t.Context(), dir); err != nil {
		t.Fatalf("start a cluster (see %s): %v", dir, err)
	}
	return c
}

func (c *Cluster) run(ctx context.Context, dir string) error {
	libs, err := Libs(ctx)
	if err != nil {
		return err
	}
	id := newClusterID()
	var voters []string
	for i := range clusterSize {
		b := &Broker{dir: filepath.Join(dir, fmt.Sprint(i+1)), libs: libs, clusterID: id, heapMB: 384}
		if b.ports, err = freePorts(); err != nil {
			return err
		}
		voters = append(voters, fmt.Sprintf("%d@127.0.0.1:%d", i+1, b.ports.controller))
		c.brokers = append(c.brokers, b)
	}
	for i, b := range c.brokers {
		if err := b.prepare(ctx, i+1, strings.Join(voters, ",")); err != nil {
			return err
		}
		if err := b.launch(ctx); err != nil {
			return err
		}
	}
	return c.AwaitInSync(ctx)
}

// prepare writes the configuration and the empty log of a node of a cluster.
func (b *Broker) prepare(ctx context.Context, node int, voters string) error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	replicated := maps.Clone(clusterProperties)
	replicated["node.id"], replicated["controller.quorum.voters"] = fmt.Sprint(node), voters
	if err := writeProperties(b.dir, b.ports, replicated); err != nil {
		return err
	}
	return b.Tool(ctx, io.Discard, "kafka.tools.StorageTool", "format", "-t", b.clusterID, "-c", b.propertiesFile())
}

var clusterProperties = map[string]string{
	"default.replication.factor":               "3",
	"min.insync.replicas":                      "2",
	"offsets.topic.replication.factor":         "3",
	"transaction.state.log.replication.factor": "3",
	"transaction.state.log.min.isr":            "2",
	"broker.session.timeout.ms":                "3000",
	"broker.heartbeat.interval.ms":             "500",
	"replica.lag.time.max.ms":                  "5000",
}

// Brokers returns the addresses for a client's seed list.
func (c *Cluster) Brokers() (all []string) {
	for _, b := range c.brokers {
		all = append(all, b.Brokers()...)
	}
	return all
}

// Size is the number of brokers.
func (c *Cluster) Size() int { return len(c.brokers) }

// Kill ends broker i with SIGKILL.
func (c *Cluster) Kill(i int) { c.brokers[i].Kill() }

// Restart starts broker i again and waits until every partition has all of its replicas in sync.
func (c *Cluster) Restart(ctx context.Context, i int) error {
	if err := c.brokers[i].launch(ctx); err != nil {
		return err
	}
	return c.AwaitInSync(ctx)
}

// AwaitInSync waits until all brokers are there and every partition has all of its replicas in sync.
func (c *Cluster) AwaitInSync(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*startTimeout)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers()...), kgo.RetryTimeout(time.Second), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		meta, err := admin.Metadata(ctx)
		if err == nil && len(meta.Brokers) == clusterSize && inSync(meta.Topics) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the brokers are not in sync: %w", errors.Join(ctx.Err(), err))
		}
	}
}

func inSync(topics kadm.TopicDetails) bool {
	for _, t := range topics {
		for _, p := range t.Partitions {
			if len(p.ISR) < len(p.Replicas) || p.Leader < 0 {
				return false
			}
		}
	}
	return true
}
