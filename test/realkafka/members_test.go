//go:build kafka

package realkafka

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/test/kafkatest"
	"github.com/karchive/karchive/test/memfs/crashruns"
)

// Three members in each test are killed or ended six times and started again, unless the environment says otherwise: KARCHIVE_MEMBERS how many
// there are, KARCHIVE_MEMBERS_TIME for how long they are.
const (
	usualMembers      = 3
	memberKills       = 6
	partitionsAMember = 2
)

// TestMembersThatAreKilledFillOneArchiveAsOneCaptureWould has processes of each protocol share a directory while records come. They are
// killed, ended and started again.
func TestMembersThatAreKilledFillOneArchiveAsOneCaptureWould(t *testing.T) {
	bin, b := buildCommand(t), kafkatest.Start(t, kafkatest.Options{})
	for protocol, options := range map[string][]string{
		"cooperative": {"--group-session-timeout", "6s"},
		"eager":       {"--group-session-timeout", "6s"},
		"consumer":    nil,
	} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel() // they wait for silent members most of the time
			m := &members{t: t, client: newClient(t, b), group: "audit-" + protocol, topic: "shared-" + protocol, dir: filepath.Join(t.TempDir(), "shared")}
			m.environment()
			m.capture = func() *command {
				return newCommand(bin, append([]string{"capture", "-b", b.Brokers()[0], "-t", m.topic, "-o", m.dir, "--follow", "--group", m.group,
					"--group-protocol", protocol, "--rotate-interval", "1s", "-q"}, options...)...)
			}
			m.churn(rand.New(rand.NewPCG(1, 2)))
			verifyDeep(t, m.dir)
			alone := filepath.Join(t.TempDir(), "alone")
			mustRun(t, bin, "capture", "-b", b.Brokers()[0], "-t", m.topic, "-o", alone, "-q")
			mustRun(t, bin, "diff", m.dir, alone)
		})
	}
}

// members are processes of one group.
type members struct {
	t                 *testing.T
	client            *kgo.Client
	group, topic, dir string
	capture           func() *command
	number            int
	until             time.Time // the churn goes on
	alive             []*command
}

func (m *members) environment() {
	m.t.Helper()
	m.number = usualMembers
	if s := os.Getenv("KARCHIVE_MEMBERS"); s != "" {
		m.number = int(crashruns.Number(m.t, s))
	}
	if s := os.Getenv("KARCHIVE_MEMBERS_TIME"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			m.t.Fatal(err)
		}
		m.until = time.Now().Add(d)
	}
}

func (m *members) partitions() int32 { return int32(m.number * partitionsAMember) }

func (m *members) churn(r *rand.Rand) {
	createTopic(m.t, m.client, m.topic, m.partitions(), kept)
	for range m.number {
		m.start()
	}
	stop, killed := m.fill(), 0
	for ; killed < memberKills || time.Now().Before(m.until); killed++ {
		time.Sleep(time.Duration(1000+r.IntN(1500)) * time.Millisecond)
		m.end(r.IntN(len(m.alive)-1), []os.Signal{os.Kill, syscall.SIGTERM}[r.IntN(2)])
		m.start()
	}
	stop()
	m.t.Logf("%d members, of which one was killed or ended %d times", m.number, killed)
	await(m.t, "end of the log in the group's offsets", m.caughtUp)
	for len(m.alive) > 0 {
		m.end(0, syscall.SIGTERM)
	}
}

func (m *members) start() {
	c := m.capture()
	if err := c.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { c.Process.Kill() })
	m.alive = append(m.alive, c)
}

// interrupted is the exit code of a command that had not begun.
const interrupted = 130

// end ends a member by a signal, not the one that was started last, which may not hear of it yet. One that is not killed ends well, if it had begun.
func (m *members) end(i int, by os.Signal) {
	m.t.Helper()
	c := m.alive[i]
	m.alive = slices.Delete(m.alive, i, i+1)
	if err := c.Process.Signal(by); err != nil {
		m.t.Errorf("member was over before it was ended: %v: %s", err, &c.said)
	}
	if err := c.Wait(); err != nil && by != os.Kill && c.ProcessState.ExitCode() != interrupted {
		m.t.Errorf("member: %v: %s", err, &c.said)
	}
}

// fill adds records to all partitions until it is stopped.
func (m *members) fill() (stop func()) {
	ctx, end := context.WithCancel(m.t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for round := 0; ctx.Err() == nil; round++ {
			for p := range m.partitions() {
				produce(m.t, m.client, texts(m.topic, p, fmt.Sprint("round ", round), 50)...)
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	return func() {
		end()
		writer.Wait()
	}
}

// caughtUp says whether all is sealed: the offsets are committed after that.
func (m *members) caughtUp() bool {
	admin := kadm.NewClient(m.client)
	ends, err := admin.ListEndOffsets(m.t.Context(), m.topic)
	if err != nil {
		m.t.Fatal(err)
	}
	offsets, err := admin.FetchOffsets(m.t.Context(), m.group)
	if err != nil {
		m.t.Fatal(err)
	}
	for p := range m.partitions() {
		end, _ := ends.Lookup(m.topic, p)
		if at, ok := offsets.Lookup(m.topic, p); !ok || at.At != end.Offset {
			return false
		}
	}
	return true
}
