package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestEveryOtherNameOfAFlagIsTheFlag(t *testing.T) {
	for _, c := range newEnv(nil, io.Discard, io.Discard).commands() {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				word := dashed(name)
				if takesValue(f) {
					word += "=1"
				}
				line := commandLine{command: c}
				flags, _, err := line.split([]string{word})
				got, _, _, _ := parseFlag(strings.Join(flags, " "))
				if err != nil || findFlag(c, got) != f {
					t.Errorf("karchive %s %s: got %q, %v, want %s", c.Name, word, flags, err, f.Names()[0])
				}
			}
		}
	}
	for name, short := range map[string]string{"topics": "t", "brokers": "b", "quiet": "q", "template": "f"} {
		for _, command := range commandsWith(name) {
			c, err := findCommand(newEnv(nil, io.Discard, io.Discard).commands(), command)
			if err != nil || !slices.Contains(findFlag(c, name).Names(), short) {
				t.Errorf("karchive %s --%s is not -%s, too: %v", command, name, short, err)
			}
		}
	}
}

// What these flags set is of the environment in which all commands run.
func TestTheEnvironmentOfEveryCommandHearsItsFlags(t *testing.T) {
	for _, c := range []struct {
		flag  string
		args  []string
		heard func(e *env) bool
	}{
		{"quiet", []string{"-q"}, func(e *env) bool { return e.quiet }},
		{"identity", []string{"--identity", "key.age"}, func(e *env) bool { return e.identity == "key.age" }},
		{"spool", []string{"--spool", "aside"}, func(e *env) bool { return e.spool == "aside" }},
		{"log-format", []string{"--log-format", "json"}, func(e *env) bool { return e.logs == jsonLog }},
	} {
		for _, command := range commandsWith(c.flag) {
			e := newEnv(strings.NewReader(""), io.Discard, io.Discard)
			e.execute(t.Context(), append([]string{command}, c.args...)) // that it lacks its arguments is said later
			if !c.heard(e) {
				t.Errorf("karchive %s does not hear --%s", command, c.flag)
			}
		}
	}
}

func TestTheMemoryOfACommandIsThatOfItsFlag(t *testing.T) {
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(-1)
	defer func() { debug.SetMemoryLimit(limit); debug.SetGCPercent(percent) }()
	t.Setenv("GOMEMLIMIT", "")
	for _, command := range commandsWith("memory") {
		args := []string{command, filepath.Join(t.TempDir(), "nothing")}
		switch command {
		case "capture":
			args = []string{command, "-t", "orders", "-b", "127.0.0.1:1", "-o", filepath.Join(t.TempDir(), "new"), "--connect-timeout", "1ms"}
		case "replay":
			args = append(args, "-b", "127.0.0.1:1")
		case "diff":
			args = append(args, args[1])
		case "compare":
			args = append(args, "--run", "a=true", "--run", "b=true", "--output", "out")
		}
		e := newEnv(strings.NewReader(""), io.Discard, io.Discard)
		e.execute(t.Context(), append(args, "--memory", "640MiB"))
		if got := debug.SetMemoryLimit(-1); got < 400<<20 || got > 500<<20 {
			t.Errorf("karchive %s --memory 640MiB: the heap is limited to %d MB, want about two thirds of it", command, got>>20)
		}
		debug.SetMemoryLimit(limit)
	}
}

func TestEveryCommandThatNeedsAClusterHearsHowToReachIt(t *testing.T) {
	h := newHearing(t)
	file := filepath.Join(h.dir, "client.properties")
	if err := os.WriteFile(file, []byte("bootstrap.servers="+h.source+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	silent := listenInVain(t)
	for command, args := range map[string][]string{
		"capture": {"-t", "orders", "-q"},
		"replay":  {h.archive, "--dry-run", "--allow-source-cluster", "--force", "-q"},
		"diff":    {h.archive, "topic:orders", "-t", "orders", "-q"},
		"groups":  {"restore", h.archive, "--dry-run", "-q"},
	} {
		try := func(flags ...string) (says string, code int) {
			all := slices.Concat([]string{command}, args, flags)
			if command == "capture" {
				all = append(all, "-o", h.fresh())
			}
			_, says, code = h.try(all...)
			return says, code
		}
		for _, flags := range [][]string{{"--brokers", h.source}, {"--config", file}, {"-X", "bootstrap.servers=" + h.source}} {
			if says, code := try(flags...); code == exitUsage || strings.Contains(says, "no brokers given") {
				t.Errorf("karchive %s %s: exit code %d, %s", command, flags, code, says)
			}
		}
		if says, _ := try("--brokers", silent, "--connect-timeout", "11ms"); !strings.Contains(says, "11ms") {
			t.Errorf("karchive %s --connect-timeout 11ms: got %s", command, says)
		}
	}
	for _, command := range commandsWith("connect-timeout") {
		if !slices.Contains([]string{"capture", "replay", "diff", "groups"}, command) {
			t.Errorf("karchive %s reaches clusters, and no test is about it", command)
		}
	}
}

// listenInVain takes connections and says nothing.
func listenInVain(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// A dry run of a replay tells what each of these flags changes.
func TestADryRunTellsWhatTheFlagsOfAReplayChange(t *testing.T) {
	h := newHearing(t)
	target := heardCluster(t, "target")
	base := []string{"replay", h.archive, "-b", target, "--dry-run"}
	show := func(flags ...string) string {
		out, says, code := h.try(append(slices.Clone(base), flags...)...)
		return fmt.Sprint(code, "\n", out, says)
	}
	plain := show()
	for _, c := range []struct{ with, flag []string }{
		{nil, []string{"--speed", "2"}},
		{nil, []string{"--rate", "8/s"}},
		{nil, []string{"--bandwidth", "8kB/s"}},
		{[]string{"--rate", "8/s"}, []string{"--ramp", "1h"}},
		{[]string{"--speed", "1"}, []string{"--max-gap", "1s"}},
		{[]string{"--speed", "1"}, []string{"--loop", "3"}},
		{[]string{"--speed", "1", "--loop", "3"}, []string{"--loop-delay", "1h"}},
		{nil, []string{"--start-at", "2100-01-01"}},
		{nil, []string{"--until", "offset:3"}},
		{nil, []string{"--from", "offset:3"}},
		{[]string{"--create-topics", "--map", "*:=new.*"}, []string{"--replication-factor", "3"}},
		{[]string{"--create-topics", "--map", "*:=new.*"}, []string{"--topic-config", "retention.ms=1"}},
		{nil, []string{"--shard", "0/3"}},
	} {
		without := plain
		if c.with != nil {
			without = show(c.with...)
		}
		if with := show(append(slices.Clone(c.with), c.flag...)...); with == without {
			t.Errorf("%s changes nothing of\n%s", c.flag, with)
		}
	}
}

// With a pace that is far too slow for the patience of a client, it gets next to nothing.
func TestWhatIsServedInTimeIsNotThereAtOnce(t *testing.T) {
	h := newHearing(t)
	all := strings.Count(h.content(h.archive), "\n")
	for _, command := range []string{"serve", "compare"} {
		if command == "compare" && testing.Short() {
			continue // it runs programs
		}
		for _, flags := range [][]string{{"--speed", "0.01"}, {"--rate", "1/min"}, {"--bandwidth", "1B/s"}, {"--rate", "1000/s", "--ramp", "9000h"},
			{"--start-at", time.Now().Add(time.Hour).Format(time.RFC3339)}} {
			if got := strings.Count(hearers[command](h, h.archive, flags...), "\n"); got >= all/2 {
				t.Errorf("karchive %s %s: %d of %d records were there at once", command, flags, got, all)
			}
		}
		rounds := hearers[command](h, h.archive, "--speed", "100000", "--max-gap", "1ms", "--loop", "2", "--loop-delay", "1000h")
		if got := strings.Count(rounds, "\n"); got > all {
			t.Errorf("karchive %s --loop-delay: got %d records, of %d in a round", command, got, all)
		}
	}
}

func TestAReplaySendsWithTheAcknowledgementsAndTheCompressionThatWereAskedFor(t *testing.T) {
	h := newHearing(t)
	for _, c := range []struct {
		flags []string
		acks  int16
		codec int16 // of Kafka's batches
	}{
		{[]string{"--compression", "none"}, -1, 0},
		{[]string{"--compression", "gzip"}, -1, 1},
		{[]string{"--compression", "lz4", "--acks", "1"}, 1, 3},
	} {
		target, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "orders", "plain"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(target.Close)
		var mu sync.Mutex
		codecs := map[int16]bool{} // what does not get smaller is sent as it is
		target.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
			target.KeepControl()
			m := r.(*kmsg.ProduceRequest)
			mu.Lock()
			defer mu.Unlock()
			if m.Acks != c.acks {
				t.Errorf("%s: got acks %d, want %d", c.flags, m.Acks, c.acks)
			}
			for _, topic := range m.Topics {
				for _, p := range topic.Partitions {
					const attributes = 21 // of a batch, where its codec is
					codecs[int16(binary.BigEndian.Uint16(p.Records[attributes:]))&7] = true
				}
			}
			return nil, nil, false
		})
		h.run(exitDone, append([]string{"replay", h.archive, "-b", target.ListenAddrs()[0], "-q"}, c.flags...)...)
		delete(codecs, 0)
		if codecs[c.codec] != (c.codec != 0) || len(codecs) > 1 {
			t.Errorf("%s: got codecs %v, want %d", c.flags, codecs, c.codec)
		}
	}
}
