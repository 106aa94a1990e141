//go:build buckets && unix

package buckets

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// gateway is a versitygw over a directory.
type gateway struct {
	t    *testing.T
	root string
	addr string
	*server
}

func startGateway(t *testing.T) *gateway {
	t.Helper()
	if os.Getenv("KARCHIVE_VERSITYGW") == "" {
		t.Fatal("KARCHIVE_VERSITYGW names no versitygw: use make test-buckets")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	g := &gateway{t: t, root: t.TempDir(), addr: l.Addr().String()}
	must(t, l.Close())
	must(t, os.Mkdir(filepath.Join(g.root, "bkt"), 0o750))
	g.start()
	return g
}

func (g *gateway) start() {
	g.t.Helper()
	g.server = launch(g.t, exec.Command(os.Getenv("KARCHIVE_VERSITYGW"), "--port", g.addr, "--access", "test", "--secret", "test-secret", "--quiet", "posix", g.root), g.addr)
}

func (g *gateway) at(prefix string) string {
	return fmt.Sprintf("s3://bkt/%s?endpoint=http://%s&use_path_style=true", prefix, g.addr)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// program is karchive, with credentials for the gateway.
type program struct {
	path string
	env  []string // more, for another store
}

// built are programs by their tags, for all tests: each takes a minute.
var built = map[string]string{}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, path := range built {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func build(t *testing.T, tags string) program {
	t.Helper()
	if path, ok := built[tags]; ok {
		return program{path: path}
	}
	dir, err := os.MkdirTemp("", "karchive-buckets-")
	must(t, err)
	built[tags] = filepath.Join(dir, "karchive")
	if out, err := exec.Command("go", "build", "-tags", tags, "-o", built[tags], "../../cmd/karchive").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program{path: built[tags]}
}

func (p program) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.path, args...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test-secret", "AWS_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true")
	cmd.Env = append(cmd.Env, p.env...)
	return cmd
}

func (p program) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := p.command(args...).CombinedOutput()
	if err != nil {
		t.Fatalf("karchive %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// output is what a command that must end well prints to stdout.
func (p program) output(t *testing.T, args ...string) string {
	t.Helper()
	out, err := p.command(args...).Output()
	if err != nil {
		t.Fatalf("karchive %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// fill starts a broker with records.
func fill(t *testing.T, records int) string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "orders"))
	must(t, err)
	t.Cleanup(c.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	must(t, err)
	defer client.Close()
	r := rand.NewChaCha8([32]byte{1})
	for i := range records {
		value := make([]byte, 500)
		r.Read(value)
		client.Produce(context.Background(), &kgo.Record{Topic: "orders", Key: fmt.Append(nil, i), Value: value}, nil)
	}
	must(t, client.Flush(context.Background()))
	return c.ListenAddrs()[0]
}

func kills() int {
	if n, err := strconv.Atoi(os.Getenv("KARCHIVE_KILLS")); err == nil {
		return n
	}
	return 10
}

// TestCapturesThatAreKilledIntoAStoreThatIsKilledAreTheWhole kills captures, one or two at a time, and every fourth time the store in their middle.
// Each archive is what an undisturbed capture into a directory is.
func TestCapturesThatAreKilledIntoAStoreThatIsKilledAreTheWhole(t *testing.T) {
	karchive, g, broker := build(t, ""), startGateway(t), fill(t, 40000)
	dir := filepath.Join(t.TempDir(), "dir")
	options := []string{"capture", "-b", broker, "-t", "orders", "--rotate-records", "1000", "--quiet", "-o"}
	karchive.run(t, append(options, dir)...)
	r := rand.New(rand.NewPCG(1, 1))
	killed, storeKilled := 0, 0
	for archive := 0; killed < kills(); archive++ {
		place := g.at(fmt.Sprintf("run%d", archive))
		for range 6 {
			rival := r.IntN(2) == 0
			first := karchive.command(append(options, place)...)
			must(t, first.Start())
			var second *exec.Cmd
			if rival {
				second = karchive.command(append(options, place)...)
				must(t, second.Start())
			}
			time.Sleep(time.Duration(50+r.IntN(900)) * time.Millisecond)
			if r.IntN(4) == 0 {
				g.kill()
				storeKilled++
				time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
				g.start()
			}
			for _, cmd := range []*exec.Cmd{first, second} {
				if cmd == nil {
					continue
				}
				cmd.Process.Kill()
				if err := cmd.Wait(); err != nil {
					killed++
				}
			}
		}
		karchive.run(t, append(options, place)...)
		karchive.run(t, "verify", "--deep", place)
		if out := karchive.run(t, "diff", dir, place); !strings.Contains(out, "equal: 40,000 records") {
			t.Fatalf("archive %d: %s", archive, out)
		}
	}
	t.Logf("%d captures killed, the store %d times", killed, storeKilled)
}
