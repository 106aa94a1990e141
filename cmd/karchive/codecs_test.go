package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// compressedCluster has a record of 5 kB without compression in topic orders, and three in lz4.
func compressedCluster(t *testing.T) (addr string) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for _, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.Lz4Compression(), kgo.Lz4Compression(), kgo.Lz4Compression()} {
		client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ProducerBatchCompression(codec))
		if err != nil {
			t.Fatal(err)
		}
		err = client.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Value: bytes.Repeat([]byte("v"), 5000)}).FirstErr()
		if client.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return c.ListenAddrs()[0]
}

// commandSays runs a command, and wants words in what it prints on stdout and stderr.
func commandSays(t *testing.T, args []string, words ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, nil, &stdout, &stderr)
	out := stdout.String() + stderr.String()
	if code != exitDone {
		t.Fatalf("karchive %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	for _, w := range words {
		if !strings.Contains(out, w) {
			t.Errorf("karchive %s: no %q in\n%s", strings.Join(args, " "), w, out)
		}
	}
}

func TestTheCodecOfCapturedBatchesIsToldKeptAndTakenOver(t *testing.T) {
	addr, dir := compressedCluster(t), t.TempDir()
	run1, run2, copied := filepath.Join(dir, "run1"), filepath.Join(dir, "run2"), filepath.Join(dir, "copy")
	runHere(t, "capture", "-b", addr, "-t", "orders", "-o", run1, "-q")
	commandSays(t, []string{"info", run1}, "batches  lz4 75 %, none 25 %\n")
	commandSays(t, []string{"info", run1, "--by", "topic"}, "WITHOUT A RECORD  BATCHES\n", "  -                 lz4 75 %, none 25 %\n")
	commandSays(t, []string{"info", run1, "--format", "json"}, `"codecs": {`, `"lz4": 15099,`, `"none": 5033`, `"version": "1.5"`)
	runHere(t, "copy", run1, "-o", copied, "-q")
	commandSays(t, []string{"info", copied}, "batches  lz4 75 %, none 25 %\n")

	replay := []string{"replay", copied, "-b", addr, "--allow-source-cluster", "--map", "orders:=again", "--create-topics"}
	commandSays(t, append(replay, "--dry-run"), "compressing with lz4, as most of the source's batches of orders\n", "compression: lz4, as most of the source's batches of orders\n")
	commandSays(t, append(replay, "--dry-run", "--compression", "zstd"), "compression: zstd, as asked for\n")
	commandSays(t, append(replay, "--format", "json"), `"compression": "lz4"`, `"compression_from": "batches"`)
	runHere(t, "capture", "-b", addr, "-t", "again", "-o", run2, "-q")
	commandSays(t, []string{"info", run2}, "batches  lz4\n")

	recovered := filepath.Join(dir, "recovered")
	runHere(t, "recover", run1, "-o", recovered, "-q")
	commandSays(t, []string{"info", recovered}, "batches  lz4 75 %, none 25 %\n")
}
