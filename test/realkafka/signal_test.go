//go:build kafka && !windows

package realkafka

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/karchive/karchive/test/kafkatest"
)

const stoppedTopic = "stopped"

// A capture belongs to no consumer group. What may give up on it while it does not run are its connections.
func TestACaptureThatIsStoppedForLongerThanItsConnectionsLastGoesOn(t *testing.T) {
	const idle = 2 * time.Second
	b := kafkatest.Start(t, kafkatest.Options{Properties: map[string]string{"connections.max.idle.ms": "2000"}})
	bin, client, dir := buildCommand(t), newClient(t, b), filepath.Join(t.TempDir(), "run")
	createTopic(t, client, stoppedTopic, 2, kept)
	produce(t, client, texts(stoppedTopic, 0, "before", 100)...)
	c := newCommand(bin, "capture", "-b", b.Brokers()[0], "-t", stoppedTopic, "-o", dir, "--follow", "--rotate-interval", "200ms", "--stall-timeout", "30s")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	await(t, "the first segment", func() bool { return len(sealed(t, dir)) == 1 })

	c.Process.Signal(syscall.SIGSTOP)
	for until := time.Now().Add(3 * idle); time.Now().Before(until); <-time.After(idle / 4) {
		produce(t, client, texts(stoppedTopic, 0, "meanwhile", 10)...)
	}
	c.Process.Signal(syscall.SIGCONT)
	produce(t, client, texts(stoppedTopic, 1, "after", 100)...)
	await(t, "segments of both partitions", func() bool { return len(sealed(t, dir)) >= 3 })

	c.Process.Signal(syscall.SIGTERM)
	if err := c.Wait(); err != nil {
		t.Fatalf("the capture: %v\n%s", err, c.said.Bytes())
	}
	mustRun(t, bin, "capture", "-b", b.Brokers()[0], "-t", stoppedTopic, "-o", dir)
	verifyDeep(t, dir)
	sameAsLog(t, dir, client, stoppedTopic, 2)
}

func TestASecondCaptureOnAnArchiveIsRefusedByName(t *testing.T) {
	b := kafkatest.Start(t, kafkatest.Options{})
	bin, client, dir := buildCommand(t), newClient(t, b), filepath.Join(t.TempDir(), "run")
	createTopic(t, client, stoppedTopic, 1, kept)
	produce(t, client, texts(stoppedTopic, 0, "before", 100)...)
	args := []string{"capture", "-b", b.Brokers()[0], "-t", stoppedTopic, "-o", dir}
	first := newCommand(bin, append(args, "--follow", "--rotate-interval", "200ms")...)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	defer first.Process.Kill()
	await(t, "the first segment", func() bool { return len(sealed(t, dir)) == 1 })

	second := newCommand(bin, args...)
	err := second.Run()
	if said := second.said.String(); second.ProcessState.ExitCode() != 1 || !strings.Contains(said, "archive is locked by pid") {
		t.Errorf("the second capture: %v, it said %s", err, said)
	}
	produce(t, client, texts(stoppedTopic, 0, "after", 100)...)
	await(t, "the next segment", func() bool { return len(sealed(t, dir)) > 1 })
	first.Process.Signal(syscall.SIGTERM)
	if err := first.Wait(); err != nil {
		t.Errorf("the first capture: %v\n%s", err, first.said.Bytes())
	}
	verifyDeep(t, dir)
	sameAsLog(t, dir, client, stoppedTopic, 1)
}
