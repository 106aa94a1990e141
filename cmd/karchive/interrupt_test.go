package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// process is a karchive that runs beside the test.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr *bufio.Reader
	stdout strings.Builder
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	return begin(t, nil, args...)
}

// begin is start with a stdin.
func begin(t *testing.T, stdin *os.File, args ...string) *process {
	t.Helper()
	return startAs(t, func(c *exec.Cmd) {
		if stdin != nil {
			c.Stdin = stdin
		}
	}, args...)
}

// startAs is start of a command that was prepared.
func startAs(t *testing.T, prepare func(*exec.Cmd), args ...string) *process {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no signals to send there")
	}
	p := &process{t: t, cmd: exec.Command("karchive", args...)}
	p.cmd.Stdout = &p.stdout
	prepare(p.cmd)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stderr = bufio.NewReader(stderr)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() }) // when the test failed: otherwise it has ended
	return p
}

func (p *process) send(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// sendUntilItEnds sends a signal again and again: those that come soon after the first are the same request.
func (p *process) sendUntilItEnds(s os.Signal) {
	p.t.Helper()
	ended := make(chan struct{})
	var rest []byte
	go func() {
		defer close(ended)
		rest, _ = io.ReadAll(p.stderr)
	}()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			p.cmd.Process.Signal(s)
		case <-ended:
			p.stderr = bufio.NewReader(bytes.NewReader(rest))
			return
		}
	}
}

// line is the next line of stderr.
func (p *process) line() string {
	p.t.Helper()
	line, err := p.stderr.ReadString('\n')
	if err != nil {
		p.t.Fatalf("stderr: %v after %q", err, line)
	}
	return line
}

// wait returns the exit code and the rest of stderr.
func (p *process) wait() (int, string) {
	p.t.Helper()
	rest, _ := io.ReadAll(p.stderr)
	err := p.cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(rest)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return 0, string(rest)
}

// records is how many the topic of a watched cluster has.
const records = 10

// watched starts a cluster with the topic orders of one partition and shows look each request of one kind, from then on: true refuses it
// by dropping the connection.
func watched(t *testing.T, key kmsg.Key, look func(kmsg.Request) bool) string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range records {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Value: []byte("v")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	c.ControlKey(int16(key), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if look(req) {
			return nil, errors.New("refused"), true
		}
		return nil, nil, false
	})
	return c.ListenAddrs()[0]
}

// watchedToTheEnd is a broker of the records, and a channel that is closed when a client asks for what is behind them.
func watchedToTheEnd(t *testing.T) (addr string, hasAll <-chan struct{}) {
	t.Helper()
	asked, hasAll := once()
	addr = watched(t, kmsg.Fetch, func(req kmsg.Request) bool {
		if asksFor(req.(*kmsg.FetchRequest), records) {
			asked()
		}
		return false
	})
	return addr, hasAll
}

// once returns a function that closes the channel at its first call.
func once() (func(), <-chan struct{}) {
	c := make(chan struct{})
	return sync.OnceFunc(func() { close(c) }), c
}

func runHere(t *testing.T, args ...string) {
	t.Helper()
	if code := run(t.Context(), args, nil, io.Discard, os.Stderr); code != exitDone {
		t.Fatalf("karchive %s: exit code %d", strings.Join(args, " "), code)
	}
}

func TestAnInterruptedFollowCaptureSealsWhatItHasAndEndsWell(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		addr, hasAll := watchedToTheEnd(t)
		dir := filepath.Join(t.TempDir(), "run")
		p := start(t, "capture", "-b", addr, "-t", "orders", "-o", dir, "--follow")
		<-hasAll
		p.send(signal)
		code, stderr := p.wait()
		if code != exitDone || !strings.Contains(stderr, "ending the capture; interrupt again") {
			t.Errorf("%v: exit code %d, want %d; stderr %s", signal, code, exitDone, stderr)
		}
		if !strings.Contains(p.stdout.String(), "captured 10 records") {
			t.Errorf("%v: stdout %s", signal, p.stdout.String())
		}
		runHere(t, "verify", dir, "--deep")
	}
}

// asksFor reports whether the request is for the record at offset, which means that those before it have arrived.
func asksFor(req *kmsg.FetchRequest, offset int64) bool {
	for _, topic := range req.Topics {
		for _, p := range topic.Partitions {
			if p.FetchOffset == offset {
				return true
			}
		}
	}
	return false
}

func TestAnInterruptedSnapshotEndsWith130AndGoesOn(t *testing.T) {
	asked, wasAsked := once()
	var refuse atomic.Bool
	refuse.Store(true)
	addr := watched(t, kmsg.Fetch, func(kmsg.Request) bool {
		asked()
		return refuse.Load()
	})
	dir := filepath.Join(t.TempDir(), "run")
	p := start(t, "capture", "-b", addr, "-t", "orders", "-o", dir)
	<-wasAsked
	p.send(os.Interrupt)
	kept := "karchive: " + dir + " keeps 0 of 10 offsets that the snapshot planned; the same command goes on from there"
	if code, stderr := p.wait(); code != exitInterrupted || !strings.Contains(stderr, "karchive: interrupted") || !strings.Contains(stderr, kept) {
		t.Errorf("exit code %d, want %d; stderr %s, want %q in it", code, exitInterrupted, stderr, kept)
	}
	for _, command := range []string{"info", "verify"} {
		var out strings.Builder
		want := map[string]int{"info": exitDone, "verify": exitIncomplete}[command]
		if code := run(t.Context(), []string{command, dir}, nil, &out, os.Stderr); code != want || !strings.Contains(out.String(), "nothing captured: orders-0 offsets 0..10") {
			t.Errorf("%s: exit code %d, want %d; stdout %s", command, code, want, out.String())
		}
	}
	refuse.Store(false)
	var out strings.Builder
	if code := run(t.Context(), []string{"capture", "-b", addr, "-t", "orders", "-o", dir}, nil, &out, os.Stderr); code != exitDone {
		t.Errorf("again: exit code %d", code)
	}
	if want := "completed the snapshot that was begun: captured 10 records"; !strings.Contains(out.String(), want) {
		t.Errorf("again: got %s, want %s", out.String(), want)
	}
}

func TestASecondInterruptEndsAtOnce(t *testing.T) {
	source := watched(t, kmsg.Fetch, func(kmsg.Request) bool { return false })
	dir := filepath.Join(t.TempDir(), "run")
	runHere(t, "capture", "-b", source, "-t", "orders", "-o", dir)
	asked, wasAsked := once()
	target := watched(t, kmsg.Produce, func(kmsg.Request) bool {
		asked()
		return true
	})
	p := start(t, "replay", dir, "-b", target, "--allow-source-cluster") // waits for records that are on their way
	<-wasAsked
	p.send(os.Interrupt)
	for line := p.line(); !strings.Contains(line, "interrupt again"); line = p.line() {
	}
	p.sendUntilItEnds(os.Interrupt)
	if code, _ := p.wait(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	if p.stdout.Len() > 0 {
		t.Errorf("it went on and printed %s", p.stdout.String())
	}
}

func TestAClosedPipeEndsQuietly(t *testing.T) {
	source := watched(t, kmsg.Fetch, func(kmsg.Request) bool { return false })
	dir := filepath.Join(t.TempDir(), "run")
	runHere(t, "capture", "-b", source, "-t", "orders", "-o", dir)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	var stderr strings.Builder
	cmd := exec.Command("karchive", "cat", dir)
	cmd.Stdout, cmd.Stderr = w, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Errorf("got %v, stderr %q", err, stderr.String())
	}
}

// leavesNothing interrupts the process, and wants nothing of it to be left in a directory.
func (p *process) leavesNothing(t *testing.T, dir string) {
	t.Helper()
	p.send(os.Interrupt)
	if code, stderr := p.wait(); code != exitInterrupted || !strings.Contains(stderr, "karchive: interrupted") {
		t.Errorf("exit code %d, want %d; stderr %s", code, exitInterrupted, stderr)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%s is left", left[0].Name())
	}
}

func TestAnInterruptedExtractionLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	p := begin(t, r, "extract", "-", "--path", "command", "--skip-bad", "1", "-o", filepath.Join(dir, "out.csv"))
	if _, err := io.WriteString(w, "{\"command\":\"Fetch\"}\nno RRPair\n{\"command\":\"Fetch\"}\n{\"command\":"); err != nil {
		t.Fatal(err)
	}
	p.line() // that a line is left out: the file is there by then, and the next line never ends
	p.leavesNothing(t, dir)
}

func TestAnInterruptedImportLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	p := begin(t, r, "import", "kcat", "-", "--skip-bad", "1", "-o", filepath.Join(dir, "run"))
	if _, err := io.WriteString(w, "no record\n"); err != nil {
		t.Fatal(err)
	}
	p.line() // that it is left out: the archive is there by then, and the next line never comes
	p.leavesNothing(t, dir)
}

func TestAReplayOfCSVLeavesNothingBehind(t *testing.T) {
	for interrupts := 1; interrupts <= 2; interrupts++ {
		dir := t.TempDir()
		t.Setenv("TMPDIR", dir)
		asked, wasAsked := once()
		addr := watched(t, kmsg.Produce, func(kmsg.Request) bool {
			asked()
			return interrupts == 2 // then it waits for records that are on their way, until it is interrupted again
		})
		table := filepath.Join(t.TempDir(), "out.csv")
		if err := os.WriteFile(table, []byte("value\n"+strings.Repeat("x\n", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		p := start(t, "replay", table, "-b", addr, "--topic", "orders", "--rate", "1/s")
		<-wasAsked
		p.send(os.Interrupt)
		if interrupts == 2 {
			for line := p.line(); !strings.Contains(line, "interrupt again"); line = p.line() {
			}
			p.sendUntilItEnds(os.Interrupt)
		}
		if code, stderr := p.wait(); code != exitInterrupted {
			t.Errorf("exit code %d, want %d; stderr %s", code, exitInterrupted, stderr)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%d interrupts: %s is left", interrupts, left[0].Name())
		}
	}
}
