package outcome

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/kafka"
)

func TestAGroupThatLeftHasWhatItHadLast(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	seeds := kgo.SeedBrokers(fake.ListenAddrs()...)
	cluster, err := kafka.Connect(t.Context(), []kgo.Opt{seeds}, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	consumer, err := kgo.NewClient(seeds, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ConsumerGroup("g"), kgo.ConsumeTopics("orders"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	first, second := &kgo.Record{Topic: "orders", Partition: 0}, &kgo.Record{Topic: "orders", Partition: 1}
	if err := consumer.ProduceSync(t.Context(), first, second).FirstErr(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if consumer.PollFetches(ctx); ctx.Err() != nil {
		t.Fatal("the group got no record")
	}
	var groups Groups
	if lag, err := groups.Lag(ctx, cluster, "g"); err != nil || lag.Offsets != 2 || lag.Left == "" {
		t.Errorf("got %+v, %v of a group that has committed nothing, want 2 offsets", lag, err)
	}
	if err := consumer.CommitRecords(ctx, first); err != nil {
		t.Fatal(err)
	}
	if err := consumer.LeaveGroupContext(ctx); err != nil {
		t.Fatal(err)
	}
	lag, err := groups.Lag(ctx, cluster, "g")
	if err != nil || lag.Offsets != 1 || !strings.Contains(lag.Left, "partition 1 of orders") {
		t.Errorf("got %+v, %v of a group that left with one of two partitions read, want the other", lag, err)
	}
	if err := cluster.Commit(ctx, nil, "g", map[format.TopicPartition]kafka.Committed{{Topic: "orders", Partition: 1}: {Offset: 1}}); err != nil {
		t.Fatal(err)
	}
	if lag, err := groups.Lag(ctx, cluster, "g"); err != nil || lag != (Lag{}) {
		t.Errorf("got %+v, %v of a group that has read everything", lag, err)
	}
}
