//go:build kafka

package realkafka

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
	"github.com/karchive/karchive/format/storage"
	"github.com/karchive/karchive/replay"
)

// Exactly-once replays are ended here at random moments, and while they commit, again and again, and then run to the end.
// KARCHIVE_REPLAY_KILLS sets how many of them are killed; KARCHIVE_KILL_TIME and KARCHIVE_KILL_SEED are as for captures.

const (
	replayKills        = 8
	replayKillsARound  = 12
	longestReplay      = 1800 * time.Millisecond
	longestCommit      = 5 * time.Millisecond // about
	mostWrites         = 6                    // into the checkpoint topic, of a run that is killed at one of them
	replayedTopic      = "replayed"
	replayedPartitions = 4
	replayedRecords    = 6000 // a partition
)

// paces make a replay commit several times before its end, but for the first, which mostly is killed before its first commit.
var paces = [][]string{{"--speed", "max"}, {"--rate", "10000/s"}, {"--bandwidth", "2500kB/s"}}

// replayKiller kills replays of one archive, each round into a topic of its own.
type replayKiller struct {
	*killer
	client   *kgo.Client
	dir      string
	archive  *format.Archive
	atCommit int // kills within moments of a write into the checkpoint topic
}

func newReplayKiller(t *testing.T) *replayKiller {
	t.Helper()
	k := &replayKiller{killer: startKiller(t, "KARCHIVE_REPLAY_KILLS", replayKills, 1), dir: filepath.Join(t.TempDir(), "archive")}
	k.client = newClient(t, k.b)
	writeReplayed(t, k.dir)
	k.archive = openArchive(t, k.dir)
	return k
}

// writeReplayed makes an archive of records of all kinds.
func writeReplayed(t *testing.T, dir string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	files, err := storage.DirFS(dir)
	must(err)
	topic := origin.Topic{Name: replayedTopic, Partitions: replayedPartitions, Configs: kept}
	archive, err := format.Create(files, format.Identity{ClusterID: "source", Topics: []origin.Topic{topic}})
	must(err)
	for p := range int32(replayedPartitions) {
		w, err := archive.NewSegment(format.WriterOptions{Topic: replayedTopic, Partition: p, Source: origin.Source{ClusterID: "source", Isolation: origin.ReadCommitted}})
		must(err)
		for i := range int64(replayedRecords) {
			must(w.Write(replayedRecord(p, i)))
		}
		_, _, err = w.Seal(replayedRecords)
		must(err)
	}
	must(archive.Close())
}

func replayedRecord(p int32, i int64) *format.Record {
	r := &format.Record{Offset: i, TimestampMs: 1700000000000 + i/3, Key: fmt.Appendf(nil, "%d/%d", p, i), Value: noise(20 + int(i%700))}
	switch i % 97 {
	case 0:
		r.Value = nil
	case 1:
		r.Key, r.Value = nil, []byte{}
	case 2:
		r.Headers = []format.Header{{Key: "n", Value: fmt.Appendf(nil, "%d", i)}, {Key: "n"}}
	}
	return r
}

func TestExactlyOnceReplays(t *testing.T) {
	k := newReplayKiller(t)
	for _, test := range []struct {
		name string
		run  func()
	}{
		{"killed, their target equals the archive", k.killMany},
		{"two with one id: the older is ended by name", k.fenceOne},
		{"go on when their target is restarted", k.restartTarget},
	} {
		t.Run(test.name, func(t *testing.T) {
			k.t = t
			test.run()
		})
	}
}

func (k *replayKiller) killMany() {
	for k.more() {
		k.round(fmt.Sprintf("round-%d", k.archives))
		k.archives++
	}
	k.t.Logf("kills: %d kill -9 of %d over exactly-once replays (%d of them around a write of the checkpoint), %d SIGTERM, %d double interrupts, %d ended before; %d targets equal to the archive, record by record",
		k.killed, k.wanted, k.atCommit, k.terminated, k.doubled, k.endedBefore, k.archives)
	if k.killed == 0 {
		k.t.Error("nothing was killed")
	}
}

// round replays into a topic until that is complete.
func (k *replayKiller) round(topic string) {
	k.t.Helper()
	for range 1 + k.rand.IntN(replayKillsARound) {
		if !k.more() {
			break
		}
		c := newCommand(k.bin, append(k.replay(topic), paces[k.rand.IntN(len(paces))]...)...)
		k.end(k.dir, c, k.moment())
		if c.ProcessState.Success() {
			break
		}
	}
	mustRun(k.t, k.bin, k.replay(topic)...)
	k.equals(topic)
	if _, err := kadm.NewClient(k.client).DeleteTopic(k.t.Context(), topic); err != nil {
		k.t.Fatal(err)
	}
}

func (k *replayKiller) replay(topic string) []string {
	return []string{"replay", k.dir, "-b", k.b.Brokers()[0], "--create-topics", "--exactly-once", "--map", replayedTopic + ":=" + topic}
}

// moment waits for a random time, or until the progress is being written.
func (k *replayKiller) moment() func() {
	if k.rand.IntN(2) == 0 {
		return func() { <-time.After(time.Duration(k.rand.Int64N(int64(longestReplay)))) }
	}
	return func() {
		k.awaitWrites(1 + k.rand.IntN(mostWrites))
		<-time.After(time.Duration(k.rand.Int64N(int64(longestCommit))))
	}
}

// awaitWrites waits until the checkpoint topic has grown so often, or a replay has had time enough for it.
func (k *replayKiller) awaitWrites(n int) {
	before := k.written()
	for until := time.Now().Add(2 * longestReplay); n > 0 && time.Now().Before(until); {
		if now := k.written(); now > before {
			before = now
			n--
		}
	}
	if n == 0 {
		k.atCommit++
	}
}

// written is the end of the checkpoint topic.
func (k *replayKiller) written() int64 {
	listed, err := kadm.NewClient(k.client).ListEndOffsets(k.t.Context(), replay.CheckpointTopic)
	if err != nil {
		return 0
	}
	o, _ := listed.Lookup(replay.CheckpointTopic, 0)
	return o.Offset
}

// equals compares what a reader with read_committed finds in a topic with the archive.
func (k *replayKiller) equals(topic string) {
	k.t.Helper()
	for p := range int32(replayedPartitions) {
		awaitStable(k.t, k.client, topic, p)
		want := archived(k.t, k.archive, format.TopicPartition{Topic: replayedTopic, Partition: p})
		sameRecords(k.t, fmt.Sprintf("%s/%d after %d kills", topic, p, k.killed), placeless(readLog(k.t, k.client, topic, p).records), placeless(want))
	}
}

func (k *replayKiller) fenceOne() {
	args := append(k.replay("shared"), "--replay-id", "both")
	older := newCommand(k.bin, append(args, "--rate", "2000/s")...)
	if err := older.Start(); err != nil {
		k.t.Fatal(err)
	}
	defer older.Process.Kill()
	k.awaitRecords("shared")
	mustRun(k.t, k.bin, args...)
	if err := older.Wait(); err == nil || older.ProcessState.ExitCode() != 1 {
		k.t.Errorf("the older replay: %v, want exit code 1", err)
	}
	for _, want := range []string{"another replay with the id both has begun, so this one is over", "give each a --replay-id of its own"} {
		if said := older.said.String(); !strings.Contains(said, want) {
			k.t.Errorf("the older replay said\n%s\nwant %q in it", said, want)
		}
	}
	k.equals("shared")
}

// awaitRecords waits until readers with read_committed find some in a topic.
func (k *replayKiller) awaitRecords(topic string) {
	k.t.Helper()
	admin := kadm.NewClient(k.client)
	await(k.t, "records in "+topic, func() bool {
		listed, err := admin.ListCommittedOffsets(k.t.Context(), topic)
		o, _ := listed.Lookup(topic, 0)
		return err == nil && o.Offset > 0
	})
}

func (k *replayKiller) restartTarget() {
	c := newCommand(k.bin, append(k.replay("restarted"), "--rate", "8000/s")...)
	if err := c.Start(); err != nil {
		k.t.Fatal(err)
	}
	defer c.Process.Kill()
	k.awaitRecords("restarted")
	if err := k.b.Restart(k.t.Context()); err != nil {
		k.t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		k.t.Errorf("the replay: %v\n%s", err, c.said.Bytes())
	}
	k.equals("restarted")
}
