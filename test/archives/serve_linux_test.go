package archives

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/test/peak"
)

const (
	smallSegments = 10_000
	consumers     = 3
)

// It takes minutes, so it runs only when asked for, as TestPeakMemoryOfWorkWithArchivesStaysWithin256MB does.
func TestPeakMemoryOfServingStaysWithin256MB(t *testing.T) {
	size, dir := bytesOfEach(t), t.TempDir()
	bin := build(t, dir)
	large, many := filepath.Join(dir, "large"), filepath.Join(dir, "many")
	fill(t, large, size, 64<<20, 0)
	fill(t, many, smallSegments*partitions*recordBytes, (partitions-1)*recordBytes+recordBytes/2, 0)
	t.Run("large", func(t *testing.T) { checkServing(t, bin, large, size/recordBytes/partitions*partitions) })
	t.Run("many segments", func(t *testing.T) { checkServing(t, bin, many, smallSegments*partitions) })
}

// checkServing has an archive read by several consumers at once, each all of it and from another end, while others look up times.
func checkServing(t *testing.T, bin, dir string, records int64) {
	t.Helper()
	begin := time.Now()
	addr, most, stop := serving(t, bin, dir)
	up := time.Since(begin)
	c := connect(t, addr)
	ends, err := kadm.NewClient(c).ListEndOffsets(t.Context(), "load")
	if err != nil || ends.Error() != nil {
		t.Fatal(errors.Join(err, ends.Error()))
	}
	first := connect(t, addr, kgo.ConsumeTopics("load"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())).PollRecords(t.Context(), 1)
	if err := first.Err(); err != nil {
		t.Fatal(err)
	}
	answered := time.Since(begin)
	read := make(chan error, consumers)
	for range consumers {
		go func() { read <- readAll(t.Context(), addr, records) }()
	}
	for range consumers {
		if err := <-read; err != nil {
			t.Fatal(err)
		}
	}
	stop()
	peaked := <-most
	t.Logf("up after %s, first record after %s; %d records to each of %d consumers after %s; peak RSS %d MB", up, answered, records, consumers, time.Since(begin), peaked>>20)
	if peaked == 0 || peaked > peakLimit {
		t.Errorf("peak RSS is %d MB, want some and at most %d MB", peaked>>20, peakLimit>>20)
	}
}

// serving starts a server of an archive. What it took at most comes when it was stopped.
func serving(t *testing.T, bin, dir string) (addr string, most <-chan int64, stop func()) {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready")
	c := exec.Command(bin, "serve", dir, "--listen", "127.0.0.1:0", "--ready-file", ready, "--quiet")
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended, peaked := make(chan error, 1), make(chan int64, 1)
	go func() { ended <- c.Wait() }()
	go func() {
		most, _ := peak.Watch(c.Process.Pid, ended)
		peaked <- most
	}()
	stop = func() { c.Process.Signal(os.Interrupt) }
	t.Cleanup(stop)
	for t.Context().Err() == nil && len(peaked) == 0 {
		if b, err := os.ReadFile(ready); err == nil {
			return strings.TrimSpace(string(b)), peaked, stop
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the server ended before it was ready")
	return "", nil, nil
}

func connect(t *testing.T, addr string, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// readAll reads so many records.
func readAll(ctx context.Context, addr string, records int64) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics("load"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer c.Close()
	for n := int64(0); n < records; {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		n += int64(fetches.NumRecords())
	}
	return nil
}
