package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"
)

// hearing is where commands show that they heed a flag: a cluster and an archive of it, with records that any rule is about.
type hearing struct {
	*testing.T
	dir     string
	source  string // address
	archive string
	lines   string // the archive, as JSON lines
	dirs    int
}

func newHearing(t *testing.T) *hearing {
	h := &hearing{T: t, dir: t.TempDir()}
	h.source = heardCluster(t, "source")
	client, err := kgo.NewClient(kgo.SeedBrokers(h.source), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	first := time.Now().Add(-25 * time.Hour) // which no retention is about
	for i := range 24 {
		value := fmt.Sprintf(`{"payload":{"id":"i%d","customer":"c%d","email":"a%d@example.com"%s}}`, i, i/4, i, []string{"", `,"opt":1`}[i%2])
		if i == 3 {
			value = "not JSON"
		}
		plain := &kgo.Record{Topic: "plain", Partition: int32(i % 2), Key: []byte("p"), Value: []byte{byte(2 * i)}, Timestamp: first.Add(time.Duration(i) * time.Hour)} // a long in Avro
		order := &kgo.Record{Topic: "orders", Partition: int32(i % 2), Key: fmt.Appendf(nil, "k%d", i), Value: []byte(value),
			Timestamp: first.Add(time.Duration(i) * time.Hour),
			Headers:   []kgo.RecordHeader{{Key: "mail", Value: fmt.Appendf(nil, "b%d@example.com", i)}}}
		if err := client.ProduceSync(t.Context(), order, plain).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"rules.yaml": "set: headers.ruled=1\n", "mask.key": strings.Repeat("k", 32),
		"age.avsc": `{"type":"record","name":"User","fields":[{"name":"age","type":"long"}]}`} {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.archive, h.lines = h.capture(h.source), filepath.Join(h.dir, "lines.jsonl")
	if err := os.WriteFile(h.lines, []byte(h.run(exitDone, "cat", h.archive, "-q")), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

// heardCluster is a cluster with the topics orders and plain.
func heardCluster(t *testing.T, id string) (addr string) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID(id), kfake.SeedTopics(2, "orders", "plain"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

// run runs a command and returns what it prints.
func (h *hearing) run(code int, args ...string) string {
	h.Helper()
	out, says, got := h.try(args...)
	if got != code {
		h.Fatalf("karchive %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out, says)
	}
	return out
}

func (h *hearing) try(args ...string) (out, says string, code int) {
	var stdout, stderr bytes.Buffer
	code = run(h.Context(), args, strings.NewReader(""), &stdout, &stderr)
	return stdout.String(), stderr.String(), code
}

// fresh is a name for something new.
func (h *hearing) fresh() string {
	h.dirs++
	return filepath.Join(h.dir, fmt.Sprint("new", h.dirs))
}

func (h *hearing) capture(addr string, flags ...string) string {
	to := h.fresh()
	if !slices.Contains(flags, "-t") {
		flags = append(flags, "-t", "*")
	}
	h.try(append([]string{"capture", "-b", addr, "-o", to, "-q"}, flags...)...)
	return to
}

// content is what an archive holds, without what a new log gives to a record. Not even an archive is a line, too.
func (h *hearing) content(archive string, flags ...string) string {
	out, says, code := h.try(append([]string{"cat", archive, "-q", "--raw", "-f", `%t %p %k %s %h\n`}, flags...)...)
	if code != exitDone && code != exitIncomplete {
		return "error: " + says
	}
	return sortedLines(out)
}

func sortedLines(text string) string {
	return strings.Join(slices.Sorted(strings.Lines(text)), "")
}

// hearers are the commands that take rules, each with what comes of them: records, as content prints them.
var hearers = map[string]func(h *hearing, archive string, flags ...string) string{
	"cat": (*hearing).content,
	"capture": func(h *hearing, _ string, flags ...string) string {
		return h.content(h.capture(h.source, flags...))
	},
	"copy": func(h *hearing, archive string, flags ...string) string {
		to := h.fresh()
		h.try(append([]string{"copy", archive, "-o", to, "-q"}, flags...)...)
		return h.content(to)
	},
	"import": func(h *hearing, _ string, flags ...string) string {
		to := h.fresh()
		h.try(append([]string{"import", "jsonl", h.lines, "-o", to, "-q"}, flags...)...)
		return h.content(to)
	},
	"replay": func(h *hearing, archive string, flags ...string) string {
		target := heardCluster(h.T, "target")
		h.try(append([]string{"replay", archive, "-b", target, "-q"}, flags...)...)
		return h.content(h.capture(target))
	},
	"serve": func(h *hearing, archive string, flags ...string) string {
		return h.content(h.served(append([]string{archive}, flags...), func(addr string) string { return h.capture(addr, patience(flags)...) }))
	},
	"compare": func(h *hearing, archive string, flags ...string) string {
		to := h.fresh()
		h.try(append([]string{"compare", archive, "-q", "--run", "a=karchive capture -b {broker} -t '*' -o " + to + " " + strings.Join(patience(flags), " "), "--run", "b=true", "--output", "out"}, flags...)...)
		return strings.ReplaceAll(h.content(to), "out 0", "")
	},
}

// patience is that of a client with a server that may not answer for a partition.
func patience(flags []string) []string {
	if slices.Contains(flags, "--strict") {
		return []string{"--stall-timeout", "300ms"}
	}
	return nil
}

// served serves an archive while use goes on.
func (h *hearing) served(args []string, use func(addr string) string) string {
	ctx, cancel := context.WithCancel(h.Context())
	stdout, in := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(ctx, append([]string{"serve", "-q", "--listen", "127.0.0.1:0"}, args...), strings.NewReader(""), in, io.Discard)
		in.Close()
	}()
	defer func() { cancel(); <-done }()
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return "" // it did not begin
	}
	go io.Copy(io.Discard, stdout)
	return use(strings.TrimSpace(addr))
}

// shownRules are sets of flags of which each changes what is shown.
func (h *hearing) shownRules() map[string][][]string {
	in := func(name string) string { return filepath.Join(h.dir, name) }
	return map[string][][]string{
		"rules": {{"--rules", in("rules.yaml")}, {"--filter", "offset < 9"}, {"--sample", "60%"}, {"--sample-by", "value.payload.customer"}, {"--mask", "value.payload.email=hash"},
			{"--mask-key", "@" + in("mask.key")}, {"--unmaskable", "pass"}, {"--set", "value.payload.env=test"}, {"--rename", "value.payload.customer=client"},
			{"--remove", "headers.mail"}, {"--key", "value.payload.id"}, {"--value", "value.payload"}},
		"paths":     {{"--mask", "?orders:value.payload.opt=redact"}, {"--require-match"}},
		"coverage":  {{"--require-coverage"}},
		"schemas":   {{"--schema", "plain=" + in("age.avsc")}, {"--mask", "plain:value.age=fixed=7"}},
		"undecided": {{"--filter", "value.payload.opt == 1"}, {"--strict"}},
		"selection": {{"-t", "orders"}, {"--partitions", "1"}, {"--from", "offset:2"}, {"--until", "offset:9"}},
	}
}

func flagsOf(sets [][]string, without int) (flags []string) {
	for i, f := range sets {
		if i != without {
			flags = append(flags, f...)
		}
	}
	return flags
}

// commandsWith are those that have a flag.
func commandsWith(name string) (commands []string) {
	for _, c := range newEnv(nil, io.Discard, io.Discard).commands() {
		if slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return f.Names()[0] == name }) {
			commands = append(commands, c.Name)
		}
	}
	return commands
}

func TestEveryCommandHeedsEveryRuleAndSelection(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the programs that are compared are for sh")
	}
	h := newHearing(t)
	for name, sets := range h.shownRules() {
		want := h.content(h.archive, flagsOf(sets, -1)...)
		for i := range sets { // else what is equal proves nothing
			if less := h.content(h.archive, flagsOf(sets, i)...); less == want {
				t.Errorf("%s: %s changes nothing of\n%s", name, sets[i], want)
			}
		}
		for command, of := range hearers {
			if command == "import" && (name == "selection" || name == "schemas") {
				continue // it takes all of a file, and writes by schemas
			}
			if command == "compare" && testing.Short() {
				continue // it runs programs
			}
			if got := of(h, h.archive, flagsOf(sets, -1)...); !same(name, got, want) {
				t.Errorf("%s: karchive %s: got\n%s\nwant, as cat has it,\n%s", name, command, got, want)
			}
		}
	}
}

// undecidedKept is how many records the filter of undecided keeps, where it is not strict.
const undecidedKept = 11

// same says whether a command did what cat did. Where cat ends with an error, others do, and what they had done before is no matter.
func same(name, got, want string) bool {
	if name == "undecided" {
		return strings.Count(got, "\n") < undecidedKept
	}
	return got == want
}

// Extract and diff show records in their own ways.
func TestWhatExtractAndDiffShowChangesWithEveryRuleAndSelection(t *testing.T) {
	h := newHearing(t)
	other := h.fresh()
	h.run(exitDone, "copy", h.archive, "-o", other, "-q", "--set", "headers.other=1")
	show := func(args ...string) string {
		out, _, code := h.try(args...)
		return fmt.Sprint(code, "\n", out)
	}
	for command, args := range map[string][]string{
		"extract": {h.archive, "-q", "--format", "jsonl", "--path", "key,value,value.age,headers.mail,headers.env,headers.ruled,partition"},
		"diff":    {h.archive, other, "-q", "--format", "json"},
	} {
		for name, sets := range h.shownRules() {
			all := show(slices.Concat([]string{command}, args, flagsOf(sets, -1))...)
			for i := range sets {
				if less := show(slices.Concat([]string{command}, args, flagsOf(sets, i))...); less == all {
					t.Errorf("%s: karchive %s: %s changes nothing of\n%s", name, command, sets[i], all)
				}
			}
		}
	}
}

func TestEveryCommandThatTakesRulesIsHeard(t *testing.T) {
	for _, c := range commandsWith("mask") {
		if _, heard := hearers[c]; !heard && c != "extract" && c != "diff" {
			t.Errorf("karchive %s takes rules, and no test is about it", c)
		}
	}
}
