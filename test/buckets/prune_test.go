//go:build buckets && unix

package buckets

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPrunesOfAStoreThatAreKilledLeaveAnArchive kills prunes that keep less each time. What is left is an archive after each, and after a last one it
// is what the archive had from there on.
func TestPrunesOfAStoreThatAreKilledLeaveAnArchive(t *testing.T) {
	karchive, g, broker := build(t, ""), startGateway(t), fill(t, 20000)
	place, dir := g.at("pruned"), filepath.Join(t.TempDir(), "dir")
	for _, to := range []string{place, dir} {
		karchive.run(t, "capture", "-b", broker, "-t", "orders", "--rotate-records", "50", "--quiet", "-o", to)
	}
	whole := disk(t, karchive, place)
	r, killed := rand.New(rand.NewPCG(1, 1)), 0
	for tenths := int64(9); tenths >= 3; tenths-- {
		prune := karchive.command("prune", place, "--keep-bytes", fmt.Sprint(whole*tenths/10))
		must(t, prune.Start())
		time.Sleep(time.Duration(100+r.IntN(400)) * time.Millisecond)
		prune.Process.Kill()
		if prune.Wait() != nil {
			killed++
		}
		karchive.run(t, "verify", place)
	}
	karchive.run(t, "prune", place, "--keep-bytes", fmt.Sprint(whole*2/10))
	karchive.run(t, "verify", "--deep", place)
	if left := disk(t, karchive, place); left == 0 || left > whole*2/10 {
		t.Errorf("%d bytes are left of %d, want at most a fifth", left, whole)
	}
	karchive.run(t, "prune", dir, "--keep-bytes", fmt.Sprint(whole*2/10))
	if out := karchive.run(t, "diff", dir, place); !strings.Contains(out, "equal: ") {
		t.Errorf("diff with a directory that was pruned at once: %s", out)
	}
	t.Logf("%d prunes killed", killed)
}

// disk is how many bytes the segments of an archive are.
func disk(t *testing.T, karchive program, place string) (n int64) {
	t.Helper()
	var said struct {
		Partitions []struct {
			Disk int64 `json:"disk_bytes"`
		} `json:"partitions"`
	}
	must(t, json.Unmarshal([]byte(karchive.output(t, "info", place, "--format", "json")), &said))
	for _, p := range said.Partitions {
		n += p.Disk
	}
	return n
}
