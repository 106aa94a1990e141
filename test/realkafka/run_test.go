//go:build kafka

package realkafka

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/capture"
	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/replay"
	"github.com/karchive/karchive/test/kafkatest"
)

// captureInto captures from b into the archive in dir, made when it is not there, with the library.
func captureInto(ctx context.Context, t *testing.T, b *kafkatest.Broker, dir string, o capture.Options) (capture.Report, error) {
	t.Helper()
	fsys, err := storage.DirFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	open := func() (*format.Archive, error) { return format.OpenForWriting(fsys) }
	if _, err := os.Stat(filepath.Join(dir, "karchive.json")); errors.Is(err, fs.ErrNotExist) {
		open = func() (*format.Archive, error) { return format.Create(fsys, format.Identity{}) }
	}
	archive, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	return capture.Run(ctx, []kgo.Opt{kgo.SeedBrokers(b.Brokers()...)}, archive, o)
}

// createIn makes an archive of an encoding, to be captured into.
func createIn(t *testing.T, dir string, e format.Encoding) {
	t.Helper()
	fsys, err := storage.DirFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := format.Create(fsys, format.Identity{Encoding: e})
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// eachEncoding runs a test of what is promised in every encoding.
func eachEncoding(t *testing.T, test func(t *testing.T, e format.Encoding)) {
	for _, e := range format.Encodings() {
		t.Run(string(e), func(t *testing.T) { test(t, e) })
	}
}

func mustCapture(t *testing.T, b *kafkatest.Broker, dir string, o capture.Options) capture.Report {
	t.Helper()
	report, err := captureInto(t.Context(), t, b, dir, o)
	if err != nil {
		t.Fatalf("capture: %v", err)
	}
	return report
}

// replayInto replays the archive in dir into b with the library.
func replayInto(t *testing.T, b *kafkatest.Broker, dir string, o replay.Options) (replay.Report, error) {
	t.Helper()
	return replay.Run(t.Context(), []kgo.Opt{kgo.SeedBrokers(b.Brokers()...)}, openArchive(t, dir), o)
}
