package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/karchive/karchive/test/invoices"
	"github.com/karchive/karchive/test/registrytest"
	"github.com/karchive/karchive/test/s3fake"
	"github.com/karchive/karchive/test/testpki"
)

func TestMain(m *testing.M) {
	executable = func() (string, error) { return exec.LookPath("karchive") }
	testscript.Main(m, map[string]func(){"karchive": main, "invoices": func() { os.Exit(invoices.Main(os.Args[1:], os.Stderr)) }})
}

// TestScripts runs the files of testdata/script, which say what a user types and what comes of it.
func TestScripts(t *testing.T) {
	golden, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("TMPDIR", e.WorkDir)
			e.Setenv("GOLDEN", golden)
			e.Setenv("GORACE", os.Getenv("GORACE"))
			e.Values["testing"] = t
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Getuid() == 0, nil
			case "iceberg": // whether the program was built with it
				return makeTables != nil, nil
			case "offline": // whether a command can be run without a network
				return exec.Command("unshare", "-rn", "true").Run() == nil, nil
			}
			return false, fmt.Errorf("unknown condition %s", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"cluster": startCluster, "registry": startRegistry,
			"bucket":  startBucket,
			"produce": produce,
			"send":    send,
			"group":   setGroup,
			"flip":    flip,
			"forget":  forget,
			"await":   await,
			"keys":    makeKeys, "certificate": makeCertificate,
			"agent": startAgent,
		},
	})
}

// exits CODE COMMAND [ARGS] runs a command and checks its exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// cluster NAME [sasl] [tls] [acl] starts a cluster with that id and sets the variable NAME to its address. It has the topic
// empty. With tls, ca.pem is its authority; with sasl, the user ann has the password secret in PLAIN and SCRAM-SHA-256. With acl she may
// do nothing.
func startCluster(ts *testscript.TestScript, _ bool, args []string) {
	opts := []kfake.Opt{kfake.NumBrokers(1), kfake.ClusterID(args[0]), kfake.SeedTopics(1, "empty")}
	for _, a := range args[1:] {
		switch a {
		case "sasl":
			opts = append(opts, kfake.EnableSASL(), kfake.Superuser("PLAIN", "ann", "secret"), kfake.Superuser("SCRAM-SHA-256", "ann", "secret"))
		case "acl":
			opts = append(opts, kfake.EnableSASL(), kfake.EnableACLs(), kfake.User("PLAIN", "ann", "secret"))
		case "tls":
			ca := testpki.NewAuthority(ts.Value("testing").(*testing.T))
			ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), ca.PEM(), 0o600))
			opts = append(opts, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{ca.Issue("127.0.0.1").TLS()}}))
		default:
			ts.Fatalf("unknown kind of cluster %s", a)
		}
	}
	c, err := kfake.NewCluster(opts...)
	ts.Check(err)
	ts.Defer(c.Close)
	ts.Setenv(args[0], c.ListenAddrs()[0])
}

// registry NAME [SUBJECT ID FILE]... starts a schema registry with schemas, each as version 1 of its subject. $NAME is its address. The answers
// about a schema of a file .ruled.avsc have rules, in words that are not known.
func startRegistry(ts *testscript.TestScript, _ bool, args []string) {
	r := registrytest.New()
	ts.Defer(r.Close)
	for rest := args[1:]; len(rest) >= 3; rest = rest[3:] {
		id, err := strconv.Atoi(rest[1])
		ts.Check(err)
		s := sr.Schema{Schema: ts.ReadFile(rest[2])}
		if strings.HasSuffix(rest[2], ".proto") {
			s.Type = sr.TypeProtobuf
		}
		r.SeedSchema(rest[0], 1, id, s)
		if strings.HasSuffix(rest[2], ".ruled.avsc") {
			r.Intercept(withRules("/schemas/ids/"+rest[1], s))
		}
	}
	ts.Setenv(args[0], r.URL())
}

// withRules answers the question at path with a schema that has rules and metadata.
func withRules(path string, s sr.Schema) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, q *http.Request) bool {
		if q.URL.Path != path {
			return false
		}
		json.NewEncoder(w).Encode(map[string]any{"schema": s.Schema, "metadata": map[string]any{"tags": nil},
			"ruleSet": map[string]any{"domainRules": []any{map[string]any{"kind": "AUDIT", "mode": "SOMETIMES"}}}})
		return true
	}
}

// bucket NAME [nofence] starts an S3 server and sets the variable NAME to what a URL in its bucket ends with, and s3 to what it begins with.
func startBucket(ts *testscript.TestScript, _ bool, args []string) {
	s := s3fake.Start()
	ts.Defer(s.Close)
	s.NoFence.Store(slices.Contains(args, "nofence"))
	for name, value := range s3fake.Environment() {
		ts.Setenv(name, value)
	}
	ts.Setenv("s3", "s3://"+s3fake.Bucket)
	ts.Setenv(args[0], "?endpoint="+s.URL+"&use_path_style=true")
}

// produce ADDR TOPIC PARTITIONS COUNT makes a topic where there is none and sends records to it, the i-th into partition i modulo
// PARTITIONS. Their timestamps are a second apart from 2026-01-01; every fifth is a tombstone, every seventh has bytes that are not text.
func produce(ts *testscript.TestScript, _ bool, args []string) {
	partitions, err := strconv.Atoi(args[2])
	ts.Check(err)
	count, err := strconv.Atoi(args[3])
	ts.Check(err)
	client, err := kgo.NewClient(kgo.SeedBrokers(args[0]), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	ts.Check(err)
	defer client.Close()
	ctx := context.Background()
	kadm.NewClient(client).CreateTopic(ctx, int32(partitions), 1, nil, args[1]) // fails where it is there
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range count {
		r := &kgo.Record{Topic: args[1], Partition: int32(i % partitions), Key: fmt.Appendf(nil, "key-%d", i), Value: fmt.Appendf(nil, "value %d", i),
			Timestamp: begin.Add(time.Duration(i) * time.Second), Headers: []kgo.RecordHeader{{Key: "n", Value: strconv.AppendInt(nil, int64(i), 10)}}}
		if i%5 == 4 {
			r.Value = nil
		}
		if i%7 == 6 {
			r.Key = []byte{0xff, byte(i)}
		}
		client.Produce(ctx, r, nil)
	}
	ts.Check(client.Flush(ctx))
}

// group ADDR GROUP TOPIC PARTITION OFFSET commits an offset.
func setGroup(ts *testscript.TestScript, _ bool, args []string) {
	client, err := kgo.NewClient(kgo.SeedBrokers(args[0]))
	ts.Check(err)
	defer client.Close()
	partition, err := strconv.Atoi(args[3])
	ts.Check(err)
	offset, err := strconv.ParseInt(args[4], 10, 64)
	ts.Check(err)
	offsets := kadm.Offsets{}
	offsets.AddOffset(args[2], int32(partition), offset, -1)
	ts.Check(kadm.NewClient(client).CommitAllOffsets(context.Background(), args[1], offsets))
}

// send ADDR TOPIC FILE makes a topic of two partitions where there is none, and sends to it the lines of a file: a partition, a key, and the
// rest of the line as value. A value of - is null. Their timestamps are a second apart from 2026-01-01.
func send(ts *testscript.TestScript, _ bool, args []string) {
	client, err := kgo.NewClient(kgo.SeedBrokers(args[0]), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	ts.Check(err)
	defer client.Close()
	ctx := context.Background()
	kadm.NewClient(client).CreateTopic(ctx, 2, 1, nil, args[1]) // fails where it is there
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for line := range strings.Lines(ts.ReadFile(args[2])) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		partition, err := strconv.Atoi(fields[0])
		ts.Check(err)
		r := &kgo.Record{Topic: args[1], Partition: int32(partition), Key: []byte(fields[1]), Timestamp: at,
			Headers: []kgo.RecordHeader{{Key: "type", Value: []byte("created")}, {Key: "mail", Value: []byte(fields[1] + "@example.com")}}}
		if fields[2] != "-" {
			r.Value = []byte(fields[2])
		}
		client.Produce(ctx, r, nil)
		at = at.Add(time.Second)
	}
	ts.Check(client.Flush(ctx))
}

// await FILE waits for the file that a server in the background writes, and sets the variable SERVED to what it holds.
func await(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(ts.MkAbs(args[0])); err == nil {
			ts.Setenv("SERVED", strings.TrimSpace(string(b)))
			return
		}
	}
	ts.Fatalf("there is no %s after a minute", args[0])
}

// flip GLOB changes one bit in the middle of the only file that matches.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	files, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(files) != 1 {
		ts.Fatalf("%s matches %s", args[0], strings.Join(files, ", "))
	}
	data, err := os.ReadFile(files[0])
	ts.Check(err)
	data[len(data)/3] ^= 4
	ts.Check(os.WriteFile(files[0], data, 0o600))
}

// forget ARCHIVE GLOB removes the segments that match, and their lines of SHA256SUMS: as if their capture had been killed before.
func forget(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	files, err := filepath.Glob(filepath.Join(dir, args[1]))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("nothing matches %s", args[1])
	}
	sums, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	ts.Check(err)
	var kept []string
	for line := range strings.Lines(string(sums)) {
		if match, err := filepath.Match(args[1], strings.TrimSpace(line[64:])); err != nil || !match {
			kept = append(kept, line)
		}
	}
	ts.Check(os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(strings.Join(kept, "")), 0o600))
	for _, name := range files {
		ts.Check(os.Remove(name))
	}
}
