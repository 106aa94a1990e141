package replay_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/replay/timeline"
	"github.com/karchive/karchive/reshaping"
)

// An archive is replayed at a steady rate into a cluster that does not have its topics yet.
func Example() {
	archive, brokers, end := somewhere()
	defer end()
	report, err := replay.Run(context.Background(), []kgo.Opt{kgo.SeedBrokers(brokers...)}, archive, replay.Options{
		CreateTopics: true,
		Schedule:     timeline.Schedule{Pace: timeline.Rate(1000, time.Second)},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d of %d records are acknowledged, at %s\n", report.Acknowledged, report.Planned, report.Timing.Pace)
	// Output:
	// 3 of 3 records are acknowledged, at rate 1000 in 1s
}

// Rules are code of yours: this one leaves out what is not about an order, and hides values.
func ExampleRun_filter() {
	archive, brokers, end := somewhere()
	defer end()
	report, err := replay.Run(context.Background(), []kgo.Opt{kgo.SeedBrokers(brokers...)}, archive, replay.Options{
		CreateTopics: true,
		Reshape:      ordersOnly{},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Acknowledged, "records are acknowledged")
	// Output:
	// 2 records are acknowledged
}

// ordersOnly is a reshaping.Reshaper.
type ordersOnly struct{}

// Rules changes when the code below does: a replay with a checkpoint does not go on with other rules.
func (ordersOnly) Rules(string) string { return "orders only, 1" }

func (ordersOnly) Steps() string { return "filter, mask" }

func (ordersOnly) Begin(reshaping.Use) (apply func(format.TopicPartition, *format.Record) (bool, error), end func()) {
	apply = func(_ format.TopicPartition, r *format.Record) (bool, error) {
		if r.Value != nil { // a tombstone stays one
			r.Value = []byte("***")
		}
		return bytes.HasPrefix(r.Key, []byte("order-")), nil
	}
	return apply, func() {}
}

// somewhere is an archive of three records, and an empty cluster.
func somewhere() (archive *format.Archive, brokers []string, end func()) {
	dir, err := os.MkdirTemp("", "karchive")
	if err != nil {
		log.Fatal(err)
	}
	dir = filepath.Join(dir, "run1")
	if err := recordOrders(dir); err != nil {
		log.Fatal(err)
	}
	if archive, err = format.OpenPath(dir); err != nil {
		log.Fatal(err)
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		log.Fatal(err)
	}
	return archive, cluster.ListenAddrs(), func() {
		cluster.Close()
		os.RemoveAll(filepath.Dir(dir))
	}
}

func recordOrders(dir string) error {
	files, err := storage.DirFS(dir)
	if err != nil {
		return err
	}
	archive, err := format.Create(files, format.Identity{Topics: []origin.Topic{{Name: "orders", Partitions: 1}}})
	if err != nil {
		return err
	}
	defer archive.Close()
	segment, err := archive.NewSegment(format.WriterOptions{Topic: "orders", Partition: 0, Base: 0})
	if err != nil {
		return err
	}
	defer segment.Discard() // does nothing after Seal
	now := time.Now().UnixMilli()
	for i, key := range []string{"order-1", "user-7", "order-2"} {
		r := format.Record{Offset: int64(i), TimestampMs: now, LeaderEpoch: format.NoLeaderEpoch, Key: []byte(key), Value: []byte("secret")}
		if err := segment.Write(&r); err != nil {
			return err
		}
	}
	_, _, err = segment.Seal(3)
	return err
}
