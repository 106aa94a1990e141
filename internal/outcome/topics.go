package outcome

import (
	"context"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/internal/kafka"
)

// Offsets are how many offsets topics have, over all their partitions, as consumers with read_committed see them: records, and transaction
// markers.
func Offsets(ctx context.Context, cluster *kafka.Cluster, topics ...string) (int64, error) {
	admin := kadm.NewClient(cluster.Client())
	starts, err := admin.ListStartOffsets(ctx, topics...)
	if err != nil {
		return 0, err
	}
	ends, err := admin.ListCommittedOffsets(ctx, topics...)
	if err != nil {
		return 0, err
	}
	var has int64
	ends.Each(func(end kadm.ListedOffset) {
		if start, ok := starts.Lookup(end.Topic, end.Partition); ok && end.Err == nil && start.Err == nil {
			has += end.Offset - start.Offset
		}
	})
	return has, nil
}

// Capture makes an archive in the directory dir, which must be empty or not be there, of what topics hold now. It is to be closed.
func Capture(ctx context.Context, options []kgo.Opt, dir, createdBy string, o capture.Options) (*format.Archive, capture.Report, error) {
	fsys, err := storage.DirFS(dir)
	if err != nil {
		return nil, capture.Report{}, err
	}
	a, err := format.Create(fsys, format.Identity{CreatedBy: createdBy})
	if err != nil {
		return nil, capture.Report{}, err
	}
	report, err := capture.Run(ctx, options, a, o)
	if err != nil {
		a.Close()
		return nil, capture.Report{}, err
	}
	return a, report, nil
}
