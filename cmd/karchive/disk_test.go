//go:build unix

package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// produceNoise sends n records of 10 kB that do not compress to orders, by turns to two partitions.
func produceNoise(t *testing.T, client *kgo.Client, n int) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(n), 1))
	for i := range n {
		value := make([]byte, 10_000)
		for j := range value {
			value[j] = byte(random.Uint32())
		}
		r := &kgo.Record{Topic: "orders", Partition: int32(i % 2), Value: value}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// A limit on the size of files is what a quota is to a process: a signal, and an error of write.
func TestALimitOnTheSizeOfFilesEndsACaptureByName(t *testing.T) {
	addr := noisyCluster(t)
	dir := filepath.Join(t.TempDir(), "run")
	cmd := exec.Command("sh", "-c", `ulimit -f 150; exec karchive "$@"`, "sh", "capture", "-b", addr, "-t", "orders", "-o", dir)
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"file too large", "ulimit -f"} {
		if cmd.ProcessState.ExitCode() != exitFailed || !strings.Contains(string(out), want) {
			t.Errorf("%v, exit code %d, want %d and %q in\n%s", err, cmd.ProcessState.ExitCode(), exitFailed, want, out)
		}
	}
	runHere(t, "capture", "-b", addr, "-t", "orders", "-o", dir)
	runHere(t, "verify", dir, "--deep")
}

// noisyCluster has two partitions of orders with 1 MB each that does not compress.
func noisyCluster(t *testing.T) string {
	t.Helper()
	addr, client := ordersCluster(t)
	produceNoise(t, client, 200)
	return addr
}

// ordersCluster has two partitions of orders, and a client to fill them.
func ordersCluster(t *testing.T) (addr string, client *kgo.Client) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	client, err = kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return c.ListenAddrs()[0], client
}

// ran is what came of a command.
type ran struct {
	code           int
	stdout, stderr string
}

// runBeside runs a karchive as a process of its own.
func runBeside(t *testing.T, args ...string) ran {
	t.Helper()
	p := start(t, args...)
	code, stderr := p.wait()
	return ran{code, p.stdout.String(), stderr}
}

// says wants an exit code, and words on stderr.
func (r ran) says(t *testing.T, code int, words ...string) {
	t.Helper()
	for _, w := range words {
		if r.code != code || !strings.Contains(r.stderr, w) {
			t.Errorf("exit code %d, want %d and %q on stderr, which has\n%s", r.code, code, w, r.stderr)
		}
	}
}

// dataFiles are the segments of an archive, by path.
func dataFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	names, err := filepath.Glob(filepath.Join(dir, "data", "*", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(name, dir)] = string(content)
	}
	return files
}

func TestAnArchiveThatIsDeletedUnderneathEndsItsCaptureByName(t *testing.T) {
	addr, client := ordersCluster(t)
	for _, remade := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "run")
		produceNoise(t, client, 10)
		p := start(t, "capture", "-b", addr, "-t", "orders", "-o", dir, "--follow", "--rotate-records", "5")
		for len(dataFiles(t, dir)) == 0 {
			produceNoise(t, client, 2)
		}
		if err := os.Rename(dir, dir+"-deleted"); err != nil {
			t.Fatal(err)
		}
		for os.RemoveAll(dir+"-deleted") != nil { // until the capture makes no more files there
		}
		if remade {
			runHere(t, "capture", "-b", addr, "-t", "orders", "-o", dir)
		}
		ended := make(chan ran)
		go func() {
			code, stderr := p.wait()
			ended <- ran{code, "", stderr}
		}()
		var r ran
		for r.stderr == "" {
			select {
			case r = <-ended:
			default:
				produceNoise(t, client, 2)
			}
		}
		r.says(t, exitFailed, "or a part of it, was deleted while it was being written", "nothing of the cluster is lost")
		if remade {
			runHere(t, "verify", dir, "--deep")
		}
	}
}
