package demo

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Cluster is a Kafka cluster in this process, on loopback, with nothing on disk.
type Cluster struct {
	fake *kfake.Cluster
	addr string
}

// Start starts a cluster of one broker. Close must be called.
func Start(id string) (*Cluster, error) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID(id))
	if err != nil {
		return nil, fmt.Errorf("start cluster %s: %w", id, err)
	}
	return &Cluster{fake, fake.ListenAddrs()[0]}, nil
}

// Addr is the broker's host:port.
func (c *Cluster) Addr() string { return c.addr }

// Close stops the cluster.
func (c *Cluster) Close() { c.fake.Close() }

// topic describes one that the traffic goes to.
type topic struct {
	name       string
	partitions int32
	configs    map[string]*string
}

func (c *Cluster) create(ctx context.Context, client *kgo.Client, topics []topic) error {
	admin := kadm.NewClient(client)
	for _, t := range topics {
		if _, err := admin.CreateTopic(ctx, t.partitions, 1, t.configs, t.name); err != nil {
			return fmt.Errorf("create topic %s: %w", t.name, err)
		}
	}
	return nil
}
