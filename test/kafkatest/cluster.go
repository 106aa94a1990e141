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

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"
)

// clusterSize is the number of brokers of a Cluster. Each is a controller, too.
const clusterSize = 3

// shortLived are options for machines that end before it pays to compile much.
var shortLived = []string{"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"}

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
		b := &Broker{dir: filepath.Join(dir, fmt.Sprint(i+1)), libs: libs, clusterID: id, heapMB: 384, jvm: shortLived}
		if b.ports, err = freePorts(); err != nil {
			return err
		}
		voters = append(voters, fmt.Sprintf("%d@127.0.0.1:%d", i+1, b.ports.controller))
		c.brokers = append(c.brokers, b)
	}
	var all errgroup.Group
	for i, b := range c.brokers {
		all.Go(func() error { return b.prepare(ctx, i+1, strings.Join(voters, ",")) })
	}
	if err := all.Wait(); err != nil {
		return err
	}
	for _, b := range c.brokers {
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
	// Short, so that a dead broker is noticed soon, and not so short that a busy machine makes live ones look dead.
	"broker.session.timeout.ms":             "6000",
	"broker.heartbeat.interval.ms":          "1000",
	"controller.quorum.fetch.timeout.ms":    "4000",
	"controller.quorum.election.timeout.ms": "2000",
	"replica.lag.time.max.ms":               "10000",
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

// AwaitInSync waits until every broker says that all brokers are there and that every partition has all of its replicas in sync. One that was
// just killed is still there in the eyes of the others.
func (c *Cluster) AwaitInSync(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*startTimeout)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers()...), kgo.RetryTimeout(time.Second), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := allAgree(ctx, client)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the brokers are not in sync: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// allAgree asks each broker.
func allAgree(ctx context.Context, client *kgo.Client) error {
	if err := client.Ping(ctx); err != nil {
		return err
	}
	for node := 1; node <= clusterSize; node++ {
		answer, err := client.Broker(node).Request(ctx, kmsg.NewPtrMetadataRequest())
		if err != nil {
			return fmt.Errorf("broker %d: %w", node, err)
		}
		if m := answer.(*kmsg.MetadataResponse); len(m.Brokers) < clusterSize || !inSync(m.Topics) {
			return fmt.Errorf("broker %d knows %d brokers, in sync %v", node, len(m.Brokers), inSync(m.Topics))
		}
	}
	return nil
}

func inSync(topics []kmsg.MetadataResponseTopic) bool {
	for _, t := range topics {
		for _, p := range t.Partitions {
			if len(p.ISR) < len(p.Replicas) || p.Leader < 0 {
				return false
			}
		}
	}
	return true
}
