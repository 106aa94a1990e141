package main

import (
	"encoding/csv"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/internal/printable"
)

// takeover is what somebody who can produce would write into an operator's terminal.
const takeover = "\x1b[2J\x1b]0;x\x07\r\nkarchive: all masks applied\n\u009b31m\u202egpj\u2066\u200b\u2028\x7f\u0085"

// checkHarmless fails where output has anything that a terminal obeys but the line feeds and tabs of the program.
func checkHarmless(t *testing.T, what, out string) {
	t.Helper()
	for i, r := range out {
		if r == '\n' || r == '\t' {
			continue
		}
		if printable.Hidden(r) || unicode.IsControl(r) || r == utf8.RuneError && !strings.HasPrefix(out[i:], "\ufffd") {
			t.Errorf("%s prints %U at %d: %q", what, r, i, out[max(0, i-60):min(len(out), i+60)])
			return
		}
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "karchive: all masks applied") || strings.HasPrefix(line, "all right: 99 files") {
			t.Errorf("%s lets somebody else write a line:\n%s", what, out)
		}
	}
}

// hostileCluster has a topic of records that are takeovers wherever they can be, and a broker that answers with takeovers.
func hostileCluster(t *testing.T) (addr string, refuse func(kmsg.Key)) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID("id"+takeover), kfake.SeedTopics(1, "orders", "empty"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	quoted := strings.ReplaceAll(fmt.Sprintf("%q", takeover), `\x`, `\u00`)
	name := strings.ReplaceAll(strings.ReplaceAll(takeover, "\x1b", ""), "\n", "")
	for _, value := range []string{takeover, `{"mail` + takeover[40:] + `":"a@b.example"}`, `{"` + strings.Trim(quoted, `"`) + `":"someone@example.com","a":{"` + strings.Trim(quoted, `"`) + `":[1]}}`,
		`{"e-mail\u009b\u202e\u001b[2J\nkarchive: all masks applied":"someone@example.com"}`, "{\"a\":\"x\u009b\u202e\u200b\"}", "{\"" + strings.Map(func(r rune) rune {
			if r < ' ' {
				return -1
			}
			return r
		}, name) + "\":\"someone@example.com\"}"} {
		r := &kgo.Record{Key: []byte(takeover), Value: []byte(value), Headers: []kgo.RecordHeader{{Key: "mail" + takeover, Value: []byte("someone@example.com" + takeover)}, {Key: takeover, Value: []byte("49 151 23456789")}}}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	refuse = func(key kmsg.Key) {
		c.ControlKey(int16(key), func(req kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			message := "no" + takeover
			switch req := req.(type) {
			case *kmsg.CreateTopicsRequest:
				resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
				for _, asked := range req.Topics {
					one := kmsg.NewCreateTopicsResponseTopic()
					one.Topic, one.ErrorCode, one.ErrorMessage = asked.Topic, kerr.PolicyViolation.Code, &message
					resp.Topics = append(resp.Topics, one)
				}
				return resp, nil, true
			case *kmsg.ProduceRequest:
				resp := req.ResponseKind().(*kmsg.ProduceResponse)
				for _, topic := range req.Topics {
					one := kmsg.NewProduceResponseTopic()
					one.Topic, one.TopicID = topic.Topic, topic.TopicID
					for _, p := range topic.Partitions {
						answer := kmsg.NewProduceResponseTopicPartition()
						answer.Partition, answer.ErrorCode, answer.ErrorMessage = p.Partition, kerr.InvalidRecord.Code, &message
						one.Partitions = append(one.Partitions, answer)
					}
					resp.Topics = append(resp.Topics, one)
				}
				return resp, nil, true
			case *kmsg.MetadataRequest:
				resp := req.ResponseKind().(*kmsg.MetadataResponse)
				broker := kmsg.NewMetadataResponseBroker()
				broker.Host, broker.Port = "h"+takeover, 1
				resp.Brokers = append(resp.Brokers, broker)
				return resp, nil, true
			}
			return nil, nil, false
		})
	}
	return c.ListenAddrs()[0], refuse
}

// Names of fields, headers and files, messages of brokers, ids of clusters: nobody but karchive writes to the terminal.
func TestNobodyElseWritesToTheTerminal(t *testing.T) {
	addr, refuse := hostileCluster(t)
	target, refuseAtTarget := hostileCluster(t)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	say := func(args ...string) {
		t.Helper()
		var stdout, stderr strings.Builder
		run(t.Context(), args, strings.NewReader(takeover), &stdout, &stderr)
		what := fmt.Sprintf("karchive %q", args)
		checkHarmless(t, what, stderr.String())
		if !slices.Contains(args, "csv-as-it-is") {
			checkHarmless(t, what, stdout.String())
		}
	}
	say("capture", "-b", addr, "-t", "orders", "-o", in("run"))
	checkHarmless(t, "karchive.json", readFile(t, in("run/karchive.json")))
	files := map[string]string{"rules" + takeover + ".yaml": takeover, "rules.yaml": "mask: ['value.a" + strings.ReplaceAll(takeover, "\n", "") + "=redact']\n", "t.csv": "a" + strings.ReplaceAll(takeover, "\n", "") + ",b\nx,1\ny\n", takeover[:3] + ".csv": takeover + ",a\n1,2\n3\n",
		"bad.jsonl": "{\"a\":\"" + takeover + "\n", "client.properties": "a." + takeover + "=b\nsecurity.protocol=" + takeover}
	for name, text := range files {
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			t.Skip(err) // a file system that takes no such name
		}
	}
	for _, args := range [][]string{
		{"cat", in("run")}, {"cat", in("run"), "--mask", "value=redact"}, {"cat", in("run"), "--filter", "value.a.b == 1"}, {"cat", in("run"), "--filter", takeover}, {"cat", in("run"), "--filter", "value." + "a == '" + takeover + "'"},
		{"cat", in("run"), "--mask", "headers." + takeover + "=redact"}, {"cat", in("run"), "-t", takeover}, {"cat", in(takeover)}, {"cat", in("run"), "--rules", in("rules" + takeover + ".yaml")}, {"cat", in("run"), "--rules", in("rules.yaml")},
		{"cat", in("run"), "--require-coverage"}, {"cat", in("run"), "--set", "value.a=" + takeover}, {takeover}, {"cat", takeover, takeover}, {"cat", "--" + takeover}, {"cat", in("run"), "--from", takeover}, {"cat", in("run"), "--limit", takeover},
		{"extract", in("run"), "--path", "value", "--path", "headers." + takeover, "--format", "jsonl"}, {"extract", in("run"), "--path", "value." + takeover, "-o", in("x.csv")}, {"extract", in("run"), "--path", takeover},
		{"info", in("run")}, {"info", in("run"), "--format", "json"}, {"verify", in("run")}, {"verify", in("run"), "--deep", "--format", "json"}, {"copy", in("run"), "-o", in("c" + takeover), "--encoding", "arrow"},
		{"recover", in("run"), "-o", in("r" + takeover)}, {"recover", in("run"), "-o", in("r")},
		{"import", "csv", in("t.csv"), "-o", in("i1"), "--topic", "t"}, {"import", "csv", in(takeover[:3] + ".csv"), "-o", in("i2"), "--topic", "t", "--skip-bad", "9"}, {"import", "csv", in("t.csv"), "-o", in("i3"), "--topic", takeover},
		{"import", "csv", in("t.csv"), "-o", in("i4"), "--topic", "t", "--column", takeover}, {"import", "jsonl", in("bad.jsonl"), "-o", in("i5"), "--topic", "t", "--key-column", "a"}, {"import", "kcat", in("bad.jsonl"), "-o", in("i6")}, {"import", "speedscale", in("bad.jsonl"), "-o", in("i7")},
		{"capture", "-b", addr, "-t", takeover, "-o", in("n")}, {"capture", "-b", takeover, "-t", "a", "-o", in("n")}, {"capture", "-b", addr, "--config", in("client.properties"), "-t", "a", "-o", in("n")},
		{"replay", in("run"), "-b", target}, {"replay", in("run"), "-b", target, "--dry-run", "--show-originals", "--mask", "value=redact", "--filter", "headers.a == ''"}, {"replay", in("run"), "-b", target, "--dry-run", "--mask", "headers.*=redact", "--format", "json", "--show-originals"},
		{"replay", in("t.csv"), "-b", target, "--topic", "orders", "--skip-bad", "1"}, {"replay", in("run"), "-b", target, "--map", "*:=a" + takeover},
	} {
		say(args...)
	}
	say("replay", in("run"), "-b", target, "--allow-source-cluster", "--progress", in("p.json"), "--report", in("r.json"), "--report", in("r.html"))
	for _, name := range []string{"p.json", "r.json", "r.html"} {
		checkHarmless(t, name, strings.ReplaceAll(readFile(t, in(name)), "\n", " ")) // which mean nothing in any of them
	}
	refuseAtTarget(kmsg.CreateTopics)
	say("replay", in("run"), "-b", target, "--create-topics", "--map", "orders:=new")
	refuseAtTarget(kmsg.Produce)
	say("replay", in("run"), "-b", target, "--stall-timeout", "2s")
	say("replay", in("run"), "-b", target, "--stall-timeout", "2s", "--format", "json")
	refuse(kmsg.Metadata)
	say("capture", "-b", addr, "-t", "orders", "-o", in("n"), "--connect-timeout", "500ms")

	forgeFiles(t, in("run"))
	for _, args := range [][]string{{"verify", in("run")}, {"verify", in("run"), "--deep", "--format", "json"}, {"info", in("run")}, {"cat", in("run"), "--skip-corrupt"}, {"recover", in("run"), "-o", in("r2")}, {"capture", "-b", target, "-t", "empty", "-o", in("run")}} {
		say(args...)
	}
}

// forgeFiles puts files with names of lines into an archive, and damages one of its own.
func forgeFiles(t *testing.T, archive string) {
	t.Helper()
	var names []string
	err := filepath.WalkDir(archive, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && filepath.Ext(name) == ".parquet" {
			names = append(names, name)
		}
		return err
	})
	if err != nil || len(names) == 0 {
		t.Fatalf("%q, %v", names, err)
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range []string{"x" + takeover, "0\nall right: 99 files, 5 records\n.parquet", "\x1b[2J.parquet"} {
		for _, dir := range []string{archive, filepath.Dir(names[0])} {
			if err := os.WriteFile(filepath.Join(dir, base), data[:len(data)/2], 0o600); err != nil {
				t.Skip(err)
			}
		}
	}
	forged := strings.ReplaceAll(names[0], "topic=orders", "topic=x\nall right: 99 files")
	if err := os.MkdirAll(filepath.Dir(forged), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(forged, data, 0o600); err != nil {
		t.Fatal(err)
	}
	data[len(data)/3] ^= 4
	if err := os.Chmod(names[0], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(names[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A table on a screen is shown, and one in a pipe or a file is what the records have.
func TestATableIsHarmlessOnAScreenAndExactInAPipe(t *testing.T) {
	addr, _ := hostileCluster(t)
	dir := filepath.Join(t.TempDir(), "run")
	runHere(t, "capture", "-b", addr, "-t", "orders", "-o", dir, "--quiet")
	for _, onScreen := range []bool{false, true} {
		var stdout, stderr strings.Builder
		e := newEnv(strings.NewReader(""), &stdout, &stderr)
		e.onScreen = onScreen
		if err := e.execute(t.Context(), []string{"extract", dir, "--path", "key", "--path", "value"}); err != nil {
			t.Fatal(err)
		}
		if onScreen {
			checkHarmless(t, "extract", stdout.String())
			continue
		}
		rows, err := csv.NewReader(strings.NewReader(stdout.String())).ReadAll()
		if want := strings.ReplaceAll(takeover, "\r\n", "\n"); err != nil || len(rows) < 2 || rows[1][0] != want { // encoding/csv makes one of the two
			t.Errorf("got %q, %v, want %q", rows, err, want)
		}
	}
}
