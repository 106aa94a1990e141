package archives

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/test/peak"
)

const (
	peakLimit   = 256 << 20 // promised, whatever the archives
	recordBytes = 1 << 10
	partitions  = 4
	differs     = 5000 // one record in so many differs, which is one in most row groups
)

// bytesOfEach is how large each archive is.
func bytesOfEach(t *testing.T) int64 {
	t.Helper()
	text := os.Getenv("KARCHIVE_RSS")
	if text == "" {
		t.Skip("KARCHIVE_RSS is not set")
	}
	megabytes, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return megabytes * 1e6
}

// build makes the command, in a directory.
func build(t *testing.T, dir string) (bin string) {
	t.Helper()
	bin = filepath.Join(dir, "karchive")
	if out, err := exec.Command("go", "build", "-o", bin, "../../cmd/karchive").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin
}

// It takes minutes, so it runs only when asked for: `make rss`, with KARCHIVE_RSS the size of each archive in megabytes.
func TestPeakMemoryOfWorkWithArchivesStaysWithin256MB(t *testing.T) {
	size, dir := bytesOfEach(t), t.TempDir()
	bin := build(t, dir)
	a, b, many := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "many")
	fill(t, a, size, 64<<20, 0)
	fill(t, b, size, 64<<20, differs)
	fill(t, many, size/8, 256<<10, 0)
	packed, temp := filepath.Join(dir, "a.karchive"), t.TempDir()
	t.Setenv("TMPDIR", temp)
	for _, c := range []struct {
		name string
		code int
		args []string
	}{
		{"diff of equal archives", 0, []string{"diff", a, a}},
		{"diff", 1, []string{"diff", a, b, "--json", "--examples", "1"}},
		{"diff by order", 1, []string{"diff", a, b, "--by", "order", "--ignore", "offset", "--examples", "1"}},
		{"diff by key", 1, []string{"diff", a, b, "--by", "key", "--html", filepath.Join(dir, "key.html"), "--examples", "1"}},
		{"diff by path", 1, []string{"diff", a, b, "--by", "value.order", "--json", "--examples", "1"}},
		{"pack with a sheet", 0, []string{"pack", a, "-o", packed, "--sheet", filepath.Join(dir, "a.html")}},
		{"unpack", 0, []string{"unpack", packed, "-o", filepath.Join(dir, "unpacked")}},
		{"copy as files", 0, []string{"copy", packed, "-o", filepath.Join(dir, "files")}},
		{"copy as bytes", 0, []string{"copy", a, "-o", filepath.Join(dir, "bytes"), "--rotate-size", "256MiB"}},
		{"copy of a part, decoded", 0, []string{"copy", a, "-o", filepath.Join(dir, "part"), "--filter", "value.order < 100000"}},
		{"copy into few segments", 0, []string{"copy", many, "-o", filepath.Join(dir, "few"), "--rotate-size", "256MiB"}},
		{"copy of a union", 0, []string{"copy", filepath.Join(dir, "part"), a, filepath.Join(dir, "bytes"), "-o", filepath.Join(dir, "union")}},
	} {
		t.Run(c.name, func(t *testing.T) { checkPeak(t, c.code, bin, c.args) })
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
}

// checkPeak runs a command and fails when its exit code is another one, or its peak RSS is over the limit.
func checkPeak(t *testing.T, code int, bin string, args []string) {
	t.Helper()
	var said bytes.Buffer
	c := exec.Command(bin, append(args, "--quiet")...)
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	most, err := peak.Watch(c.Process.Pid, ended)
	if exit, failed := errors.AsType[*exec.ExitError](err); failed && exit.ExitCode() != code || !failed && (err != nil || code != 0) {
		t.Fatalf("%q: %v, want exit code %d\n%s", args, err, code, said.Bytes())
	}
	t.Logf("peak RSS %d MB, %.1f s CPU: %s", most>>20, (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds(), bytes.TrimSpace(said.Bytes()))
	if most == 0 || most > peakLimit {
		t.Errorf("peak RSS is %d MB, want some and at most %d MB", most>>20, peakLimit>>20)
	}
}

// fill makes an archive of so many bytes of records in segments of rotate bytes. With differ, one record in so many has another total.
func fill(t *testing.T, dir string, size, rotate, differ int64) {
	t.Helper()
	fsys, err := storage.DirFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, err := format.Create(fsys, format.Identity{ClusterID: "rss"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	encoders := make(chan struct{}, 2)
	for partition := range int32(partitions) {
		random := rand.New(rand.NewPCG(1, uint64(partition)))
		for next := int64(0); next < size/recordBytes/partitions; {
			p, err := a.NewSegment(format.WriterOptions{Topic: "load", Partition: partition, Base: next, Source: origin.Source{ClusterID: "rss"}, Encoders: encoders})
			if err != nil {
				t.Fatal(err)
			}
			for ; p.Bytes() < rotate && next < size/recordBytes/partitions; next++ {
				order, extra := next*partitions+int64(partition), 0
				if differ > 0 && next%differ == differ/2 {
					extra = 1
				}
				r := format.Record{Offset: next, TimestampMs: 1_772_366_400_000 + next, Key: fmt.Appendf(nil, "customer-%d", order%50_000), Value: value(random, order, extra)}
				if err := p.Write(&r); err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := p.Seal(next); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// value compresses about as JSON does: a quarter is noise.
func value(random *rand.Rand, order int64, extra int) []byte {
	b := fmt.Appendf(make([]byte, 0, recordBytes+64), `{"order":%d,"total":%d.%02d,"noise":"`, order, random.IntN(500)+extra, random.IntN(100))
	for len(b) < recordBytes/4 {
		b = fmt.Appendf(b, "%016x", random.Uint64())
	}
	b = append(b, `","lines":[`...)
	for len(b) < recordBytes-120 {
		b = append(b, `{"state":"shipped","city":"Rotterdam","count":3},`...)
	}
	return append(b, `{}]}`...)
}
