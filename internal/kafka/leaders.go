package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/format"
)

// question is a request that leaders of partitions answer, each for its own.
type question[V any] struct {
	step    string
	request func([]format.TopicPartition) kmsg.Request
	read    func(kmsg.Response, func(format.TopicPartition, V, error)) // calls back for every partition of the answer
}

// ofLeaders asks the leaders of tps, and again those of partitions whose answer is an error that may pass.
func ofLeaders[V any](ctx context.Context, c *Cluster, tps []format.TopicPartition, q question[V]) (map[format.TopicPartition]V, error) {
	found := make(map[format.TopicPartition]V, len(tps))
	open := slices.Clone(tps)
	err := c.Retry(ctx, q.step, func(ctx context.Context) error {
		if len(open) == 0 {
			return nil
		}
		errs, err := askLeaders(ctx, c, open, q, found)
		open = slices.DeleteFunc(open, func(tp format.TopicPartition) bool { _, ok := found[tp]; return ok })
		if err != nil {
			return err
		}
		return worst(open, errs)
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// worst is the error of the first partition that has one which will not pass, or else of the first.
func worst(open []format.TopicPartition, errs map[format.TopicPartition]error) error {
	var first error
	for _, tp := range open {
		err := fmt.Errorf("%s: %w", tp, errs[tp])
		if !Retriable(err) {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// askLeaders asks once. Every partition is then in found or has an error.
func askLeaders[V any](ctx context.Context, c *Cluster, tps []format.TopicPartition, q question[V], found map[format.TopicPartition]V) (map[format.TopicPartition]error, error) {
	m, err := c.describe(ctx, topicsOf(tps))
	if err != nil {
		return nil, err
	}
	byLeader, errs := m.byLeader(tps)
	var mu sync.Mutex
	var all sync.WaitGroup
	for node, own := range byLeader {
		all.Go(func() {
			resp, err := c.askBroker(ctx, node, q.request(own))
			mu.Lock()
			defer mu.Unlock()
			for _, tp := range own {
				errs[tp] = errors.Join(err) // nil until the answer says otherwise
			}
			if err == nil {
				q.read(resp, func(tp format.TopicPartition, v V, err error) {
					if _, asked := errs[tp]; !asked {
						return
					}
					if errs[tp] = err; err == nil {
						found[tp] = v
					}
				})
			}
			for _, tp := range own {
				if _, ok := found[tp]; !ok && errs[tp] == nil {
					errs[tp] = kerr.UnknownTopicOrPartition // it did not answer for it
				}
			}
		})
	}
	all.Wait()
	return errs, nil
}

// byLeader sorts partitions by who serves them, and says why some have nobody.
func (m *Metadata) byLeader(tps []format.TopicPartition) (map[int32][]format.TopicPartition, map[format.TopicPartition]error) {
	leaders, errs := map[int32][]format.TopicPartition{}, map[format.TopicPartition]error{}
	for _, tp := range tps {
		t, known := m.Topics[tp.Topic]
		l, there := t.Partitions[tp.Partition]
		switch {
		case known && t.Err != nil:
			errs[tp] = t.Err
		case !there:
			errs[tp] = kerr.UnknownTopicOrPartition
		case l.Node < 0:
			errs[tp] = kerr.LeaderNotAvailable
		default:
			leaders[l.Node] = append(leaders[l.Node], tp)
		}
	}
	return leaders, errs
}

// topicsOf are the topics of tps, each once.
func topicsOf(tps []format.TopicPartition) []string {
	topics := map[string]bool{}
	for _, tp := range tps {
		topics[tp.Topic] = true
	}
	return slices.Sorted(maps.Keys(topics))
}

// byTopic groups partitions, in the order of tps.
func byTopic(tps []format.TopicPartition) (topics []string, partitions map[string][]int32) {
	partitions = map[string][]int32{}
	for _, tp := range tps {
		if partitions[tp.Topic] == nil {
			topics = append(topics, tp.Topic)
		}
		partitions[tp.Topic] = append(partitions[tp.Topic], tp.Partition)
	}
	return topics, partitions
}
