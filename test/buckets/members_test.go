//go:build buckets && unix

package buckets

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestMembersThatAreKilledFillOneArchiveInAStore has three processes of a group share the partitions, while records come. They are killed, ended and
// started again, and now and then the store is. The archive is what one capture into a directory is.
func TestMembersThatAreKilledFillOneArchiveInAStore(t *testing.T) {
	karchive, g, broker := build(t, ""), startGateway(t), fill(t, 4000)
	for protocol, options := range map[string][]string{"cooperative": {"--group-session-timeout", "6s"}, "consumer": nil} {
		t.Run(protocol, func(t *testing.T) {
			m := &members{t: t, karchive: karchive, args: append([]string{
				"capture", "-b", broker, "-t", "orders", "--follow", "--group", protocol, "--group-protocol", protocol, "--rotate-interval", "500ms",
				"--rotate-records", "500", "--quiet", "-o", g.at(protocol),
			}, options...)}
			m.churn(rand.New(rand.NewPCG(1, 3)), broker, func() { g.kill(); g.start() })
			// What the last ones sealed they had; the rest of the log is that of the last one alone.
			karchive.run(t, "capture", "-b", broker, "-t", "orders", "--rotate-records", "500", "--quiet", "-o", g.at(protocol))
			karchive.run(t, "verify", "--deep", g.at(protocol))
			dir := filepath.Join(t.TempDir(), "dir")
			karchive.run(t, "capture", "-b", broker, "-t", "orders", "--quiet", "-o", dir)
			if out := karchive.run(t, "diff", dir, g.at(protocol)); !strings.Contains(out, "equal: ") {
				t.Error(out)
			}
		})
	}
}

// members are processes of one group.
type members struct {
	t        *testing.T
	karchive program
	args     []string
	alive    []*member
}

type member struct {
	*exec.Cmd
	said *strings.Builder
}

func (m *members) churn(r *rand.Rand, broker string, restartStore func()) {
	for range 3 {
		m.start()
	}
	for step := range max(3, kills()/3) {
		more(m.t, broker, step, 500)
		time.Sleep(time.Duration(500+r.IntN(1500)) * time.Millisecond)
		if r.IntN(4) == 0 {
			restartStore()
		}
		m.end(r.IntN(2), []os.Signal{os.Kill, os.Kill, syscall.SIGTERM}[r.IntN(3)]) // not the youngest, which may not hear of it yet
		m.start()
	}
	for len(m.alive) > 0 {
		m.end(0, syscall.SIGTERM)
	}
}

func (m *members) start() {
	c := &member{m.karchive.command(m.args...), &strings.Builder{}}
	c.Stderr = c.said
	must(m.t, c.Start())
	m.t.Cleanup(func() { c.Process.Kill() })
	m.alive = append(m.alive, c)
}

// interrupted is the exit code of a command that had not begun.
const interrupted = 130

// end ends a member by a signal. One that is not killed ends well, if it had begun.
func (m *members) end(i int, by os.Signal) {
	m.t.Helper()
	c := m.alive[i]
	m.alive = append(m.alive[:i:i], m.alive[i+1:]...)
	if err := c.Process.Signal(by); err != nil {
		m.t.Errorf("member was over before it was ended: %v: %s", err, c.said)
	}
	err := c.Wait()
	status, _ := c.ProcessState.Sys().(syscall.WaitStatus)
	if err != nil && !status.Signaled() && status.ExitStatus() != interrupted {
		m.t.Errorf("member: %v: %s", err, c.said)
	}
}

// more adds records to the topic.
func more(t *testing.T, broker string, step, records int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	must(t, err)
	defer client.Close()
	for i := range records {
		client.Produce(context.Background(), &kgo.Record{Topic: "orders", Key: fmt.Append(nil, step, "/", i), Value: make([]byte, 200)}, nil)
	}
	must(t, client.Flush(context.Background()))
}
