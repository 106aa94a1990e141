//go:build buckets

package buckets

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/test/peak"
)

const (
	peakLimit = 256 << 20 // promised, whatever is captured
	peakBytes = 256 << 20 // of values in the topic, which do not compress
	valueSize = 1 << 10
)

// TestPeakMemoryAndSpoolOfCapturesIntoABucketStayWithinTheirBounds takes a minute, so it runs only when asked for: `make rss`.
func TestPeakMemoryAndSpoolOfCapturesIntoABucketStayWithinTheirBounds(t *testing.T) {
	if os.Getenv("KARCHIVE_RSS") == "" {
		t.Skip("KARCHIVE_RSS is not set")
	}
	karchive, g := build(t, ""), startGateway(t)
	for i, c := range []struct {
		name       string
		partitions int32
		spool      int64
		args       []string
	}{
		{"snapshot of 1,000 partitions", 1000, 4 * 2 * peakBytes / 1000, nil},
		{"snapshot of 8 partitions", 8, 4 * (4 << 20) * 5 / 4, []string{"--rotate-size", "4MiB"}},
		{"follow of 1,000 partitions", 1000, (32 + 16) << 20, []string{"--follow", "--spool-size", "32MiB", "--rotate-interval", "1h",
			"--stop-after", fmt.Sprintf("records=%d", peakBytes/valueSize)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			spool := t.TempDir()
			args := append([]string{"capture", "-b", fillPartitions(t, c.partitions), "-t", "load", "-o", g.at(strconv.Itoa(i)), "--spool", spool, "--quiet"}, c.args...)
			checkBounds(t, karchive.command(args...), spool, c.spool)
			if out := karchive.run(t, "info", g.at(strconv.Itoa(i))); !strings.Contains(out, "262,144 ") {
				t.Errorf("what was captured: %s", out[max(0, len(out)-300):])
			}
		})
	}
}

// checkBounds runs a capture, and fails when it takes more memory than is promised, or more than most bytes of the spool.
func checkBounds(t *testing.T, c *exec.Cmd, spool string, most int64) {
	t.Helper()
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	must(t, c.Start())
	ended, spooled := make(chan error, 1), make(chan int64, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- c.Wait() }()
	go func() { spooled <- watchSpool(ctx, c.Process.Pid, spool) }()
	rss, err := peak.Watch(c.Process.Pid, ended)
	cancel()
	waiting := <-spooled
	if err != nil {
		t.Fatalf("%q: %v\n%s", c.Args, err, said.Bytes())
	}
	cpu := c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	t.Logf("peak RSS %d MB, spool %.1f MB, %.1f s CPU", rss>>20, float64(waiting)/1e6, cpu.Seconds())
	if rss == 0 || rss > peakLimit {
		t.Errorf("peak RSS is %d MB, want some and at most %d MB", rss>>20, peakLimit>>20)
	}
	if waiting == 0 || waiting > most {
		t.Errorf("%d bytes waited in the spool, want some and at most %d", waiting, most)
	}
}

// watchSpool is how many bytes a process had in files below dir, at most. They have no names, and are found as what it has open.
func watchSpool(ctx context.Context, pid int, dir string) (most int64) {
	fds := fmt.Sprintf("/proc/%d/fd", pid)
	for ctx.Err() == nil {
		var now int64
		open, _ := os.ReadDir(fds) // nothing when it has ended
		for _, e := range open {
			path := filepath.Join(fds, e.Name())
			if target, err := os.Readlink(path); err != nil || !strings.HasPrefix(target, dir+"/") {
				continue
			}
			if info, err := os.Stat(path); err == nil {
				now += info.Size()
			}
		}
		most = max(most, now)
		time.Sleep(10 * time.Millisecond)
	}
	return most
}

// fillPartitions starts a broker with peakBytes in so many partitions of topic load.
func fillPartitions(t *testing.T, partitions int32) (broker string) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, "load"))
	must(t, err)
	t.Cleanup(c.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(20_000), kgo.ProducerLinger(20*time.Millisecond))
	must(t, err)
	defer client.Close()
	r := rand.NewChaCha8([32]byte{1})
	var failed error
	for i := range peakBytes / valueSize {
		value := make([]byte, valueSize)
		r.Read(value)
		client.Produce(t.Context(), &kgo.Record{Topic: "load", Partition: int32(i) % partitions, Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed = err
			}
		})
	}
	must(t, client.Flush(t.Context()))
	must(t, failed)
	return c.ListenAddrs()[0]
}
