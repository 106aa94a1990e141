package capture_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
)

// A snapshot of a topic goes into a new archive, which is read. Each record comes out after the digest of its row group was checked.
func Example() {
	brokers, end := someBrokers()
	defer end()
	dir, err := os.MkdirTemp("", "karchive")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	dir = filepath.Join(dir, "run1")

	if err := snapshot(context.Background(), brokers, dir); err != nil {
		log.Fatal(err)
	}
	if err := show(context.Background(), dir); err != nil {
		log.Fatal(err)
	}
	// Output:
	// captured 2 records, 0 lost
	// orders/0 at 0: order-1 "new"
	// orders/0 at 1: order-1 "paid"
}

// someBrokers are those of a test, with two records in a topic.
func someBrokers() (addresses []string, end func()) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		log.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for _, status := range []string{"new", "paid"} {
		record := &kgo.Record{Topic: "orders", Key: []byte("order-1"), Value: []byte(status)}
		if err := client.ProduceSync(context.Background(), record).FirstErr(); err != nil {
			log.Fatal(err)
		}
	}
	return cluster.ListenAddrs(), cluster.Close
}

func snapshot(ctx context.Context, brokers []string, dir string) error {
	files, err := storage.DirFS(dir)
	if err != nil {
		return err
	}
	archive, err := format.Create(files, format.Identity{})
	if err != nil {
		return err
	}
	defer archive.Close()
	report, err := capture.Run(ctx, []kgo.Opt{kgo.SeedBrokers(brokers...)}, archive, capture.Options{Topics: []string{"orders"}})
	if err != nil {
		return err // what was sealed stays; Run on the same archive goes on
	}
	fmt.Printf("captured %d records, %d lost\n", report.Records, report.Lost())
	return nil
}

func show(ctx context.Context, dir string) error {
	archive, err := format.OpenPath(dir)
	if err != nil {
		return err
	}
	for r, err := range archive.Records(ctx, format.Selection{Topics: []string{"orders"}}) {
		if err != nil {
			return err
		}
		fmt.Printf("%s/%d at %d: %s %q\n", r.Topic, r.Partition, r.Offset, r.Key, r.Value)
	}
	return nil
}
