//go:build kafka

package realkafka

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/test/kafkatest"
	"github.com/karchive/karchive/test/memfs/crashruns"
)

// The captures here are ended at random moments, again and again, and then run to the end. KARCHIVE_KILLS sets how many of them are
// killed, KARCHIVE_KILL_TIME when to stop before, KARCHIVE_KILL_SEED where the random numbers begin.

const (
	kills        = 15                     // in each test, unless the environment says otherwise
	longestRun   = 400 * time.Millisecond // of a capture before it is killed; of a snapshot the time that a whole one took
	killsARound  = 20                     // before an archive must be complete
	largestBatch = 40                     // records
	sharers      = 2                      // tests that share what the environment asks for
)

// killer ends captures at random moments and counts.
type killer struct {
	t     *testing.T
	bin   string
	b     *kafkatest.Broker
	rand  *rand.Rand
	limit time.Time
	long  time.Duration // the most that a capture runs before it is killed

	wanted, killed         int
	terminated, doubled    int // ended by SIGTERM, by two SIGINT
	archives               int // brought to the end
	endedBefore, withoutID int // runs that ended by themselves, and kills before there was a plan
}

func newKiller(t *testing.T) *killer {
	t.Helper()
	return startKiller(t, "KARCHIVE_KILLS", kills, sharers)
}

// startKiller takes the number of kills from the environment, which so many tests share.
func startKiller(t *testing.T, variable string, usual, sharers int) *killer {
	t.Helper()
	k := &killer{t: t, bin: buildCommand(t), b: kafkatest.Start(t, kafkatest.Options{}), wanted: usual, limit: time.Now().Add(24 * time.Hour), long: longestRun}
	if s := os.Getenv(variable); s != "" {
		k.wanted = int(crashruns.Number(t, s)) / sharers
	}
	if s := os.Getenv("KARCHIVE_KILL_TIME"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatal(err)
		}
		k.limit = time.Now().Add(d / time.Duration(sharers))
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("KARCHIVE_KILL_SEED"); s != "" {
		seed = crashruns.Number(t, s)
	}
	t.Logf("KARCHIVE_KILL_SEED=%d", seed)
	k.rand = rand.New(rand.NewPCG(seed, 31))
	return k
}

// more says whether captures are to be killed yet.
func (k *killer) more() bool {
	return k.killed < k.wanted && time.Now().Before(k.limit) && !k.t.Failed()
}

// end starts a capture, does something meanwhile, and ends it: mostly by SIGKILL, now and then as a person would.
func (k *killer) end(dir string, c *command, meanwhile func()) {
	k.t.Helper()
	if err := c.Start(); err != nil {
		k.t.Fatal(err)
	}
	meanwhile()
	switch k.rand.IntN(12) {
	case 0:
		k.signal(c, &k.terminated, syscall.SIGTERM)
	case 1:
		k.signal(c, &k.doubled, os.Interrupt, os.Interrupt)
	default:
		k.kill(dir, c)
	}
	if code := c.ProcessState.ExitCode(); code == 1 || code == 2 || code == 3 {
		k.t.Fatalf("the capture failed with %d:\n%s", code, c.said.Bytes())
	}
}

// signal sends signals and counts them, unless the capture was a snapshot that was complete before.
func (k *killer) signal(c *command, counter *int, signals ...os.Signal) {
	for _, s := range signals {
		c.Process.Signal(s) // fails only when it has already ended
	}
	c.Wait()
	if c.ProcessState.Success() && !slices.Contains(c.Args, "--follow") {
		k.endedBefore++
		return
	}
	*counter++
}

func (k *killer) kill(dir string, c *command) {
	c.Process.Kill()
	c.Wait()
	if c.ProcessState.Exited() {
		k.endedBefore++
		return
	}
	k.killed++
	if !begun(dir) {
		k.withoutID++
	}
}

// pause is a random time within the life of a capture, mostly a short one: what is left to capture becomes less.
func (k *killer) pause() {
	<-time.After(time.Duration(k.rand.Int64N(1 + k.rand.Int64N(int64(k.long)))))
}

// report says how often what was done.
func (k *killer) report(what string) {
	k.t.Helper()
	k.t.Logf("kills: %d kill -9 of %d over %s (%d before the plan was made), %d SIGTERM, %d double interrupts; %d archives complete, deep-verified and equal to the log",
		k.killed, k.wanted, what, k.withoutID, k.terminated, k.doubled, k.archives)
	if k.killed == 0 {
		k.t.Error("nothing was killed")
	}
}

func TestSnapshotsKilledAtRandomMomentsEndWithTheSameBytes(t *testing.T) {
	k := newKiller(t)
	client := newClient(t, k.b)
	fillForKills(t, client, newClient(t, k.b, kgo.TransactionalID("kills")))
	whole := filepath.Join(t.TempDir(), "whole")
	begun := time.Now()
	mustRun(t, k.bin, k.snapshot(killTopic, whole)...)
	k.long = time.Since(begun)
	sameAsLog(t, whole, client, killTopic, 3)
	want := dataTree(t, whole)
	for k.more() {
		dir := filepath.Join(t.TempDir(), "killed")
		complete := k.endedBefore // a snapshot that ends by itself has all there is
		for rounds := 1 + k.rand.IntN(killsARound); rounds > 0 && k.more() && k.endedBefore == complete; rounds-- {
			k.end(dir, newCommand(k.bin, k.snapshot(killTopic, dir)...), k.pause)
		}
		mustRun(t, k.bin, k.snapshot(killTopic, dir)...)
		verifyDeep(t, dir)
		sameTree(t, "killed and run again", dataTree(t, dir), want)
		os.RemoveAll(dir)
		k.archives++
	}
	k.report("snapshots")
}

// snapshot is a capture in small segments.
func (k *killer) snapshot(topic, dir string) []string {
	return []string{"capture", "-b", k.b.Brokers()[0], "-t", topic, "-o", dir, "--rotate-size", "300KB"}
}

// fillForKills writes about 10 MB that do not compress to three partitions, with aborted transactions.
func fillForKills(t *testing.T, client, txn *kgo.Client) {
	t.Helper()
	createTopic(t, client, killTopic, 3, kept)
	for p := range int32(3) {
		for i := range 10 {
			produce(t, client, large(texts(killTopic, p, fmt.Sprintf("round %d", i), 33))...)
			transaction(t, txn, kgo.TransactionEndTry(i%2 == 0), texts(killTopic, p, "in a transaction", 20)...)
		}
		awaitStable(t, client, killTopic, p)
	}
}

func large(records []*kgo.Record) []*kgo.Record {
	for _, r := range records {
		r.Value = append(r.Value, noise(10_000)...)
	}
	return records
}

func TestFollowCapturesKilledAtRandomMomentsMissAndDoubleNothing(t *testing.T) {
	k := newKiller(t)
	client, txn := newClient(t, k.b), newClient(t, k.b, kgo.TransactionalID("followed"))
	for k.more() {
		topic, dir := fmt.Sprintf("followed-%d", k.archives), filepath.Join(t.TempDir(), "followed")
		createTopic(t, client, topic, 2, kept)
		follow := append(k.snapshot(topic, dir), "--follow", "--rotate-interval", "100ms")
		for range 1 + k.rand.IntN(killsARound) {
			if k.more() {
				k.end(dir, newCommand(k.bin, follow...), func() { k.write(client, txn, topic) })
			}
		}
		awaitStable(t, client, topic, 0)
		awaitStable(t, client, topic, 1)
		mustRun(t, k.bin, k.snapshot(topic, dir)...)
		verifyDeep(t, dir)
		sameAsLog(t, dir, client, topic, 2)
		os.RemoveAll(dir)
		if _, err := kadm.NewClient(client).DeleteTopic(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
		k.archives++
	}
	k.report("follow captures while records arrive")
}

// write adds records for a while: plain ones, committed and aborted ones.
func (k *killer) write(client, txn *kgo.Client, topic string) {
	for until := time.Now().Add(time.Duration(k.rand.Int64N(int64(longestRun)))); time.Now().Before(until); {
		records := texts(topic, k.rand.Int32N(2), fmt.Sprintf("after %d kills", k.killed), 1+k.rand.IntN(largestBatch))
		switch k.rand.IntN(3) {
		case 0:
			transaction(k.t, txn, kgo.TransactionEndTry(k.rand.IntN(2) == 0), records...)
		case 1:
			produce(k.t, client, large(records)...)
		default:
			produce(k.t, client, records...)
		}
	}
}

// sameAsLog compares all of an archive with what the broker's bytes say.
func sameAsLog(t *testing.T, dir string, client *kgo.Client, topic string, partitions int32) {
	t.Helper()
	archive := openArchive(t, dir)
	defer archive.Close()
	for p := range partitions {
		tp := format.TopicPartition{Topic: topic, Partition: p}
		log := readLog(t, client, topic, p)
		if log.end == 0 {
			continue
		}
		sameRecords(t, tp.String(), archived(t, archive, tp), log.records)
		sameCoverage(t, archive, tp, log)
	}
}
