package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// needed is a command line in which a flag would do nothing, and what makes it do something.
type needed struct{ args, with string }

func TestAFlagThatWouldDoNothingIsRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"t.csv": "v\na\nb\n", "key": strings.Repeat("k", 32), "a.avsc": `{"type":"record","name":"A","fields":[]}`,
		"filter.yaml": "filter: 'offset >= 0'\n", "snapshot.jsonl": ""} {
		if err := os.WriteFile(filepath.Clean(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runHere(t, "import", "csv", "t.csv", "-o", "run", "--topic", "orders", "-q")
	const capture, replay, diff = "capture -b 127.0.0.1:1 --connect-timeout 1ms -t orders -o new", "replay run -b 127.0.0.1:1 --connect-timeout 1ms", "diff run run"
	cases := map[string]needed{
		"--spool .":                          {"copy run -o new", ""},
		"--spool ..":                         {capture, "-o nosuch://new"},
		"--spool-size 1GiB":                  {capture + " --follow", "-o nosuch://new"},
		"--spool-size 2GiB":                  {capture + " -o nosuch://new", "--follow"},
		"--rotate-interval 1m":               {capture, "--follow"},
		"--require-hw":                       {capture + " --follow", "--follow=false"},
		"--replication-factor 3":             {replay, "--create-topics"},
		"--replication-factor 2":             {replay, "--exactly-once"},
		"--show-originals":                   {replay + " --dry-run", "--mask key=redact"},
		"--show-originals --mask key=redact": {replay, "--dry-run"},
		"--topic-config retention.ms=1":      {replay, "--create-topics"},
		"--no-topic-configs":                 {replay, "--create-topics"},
		"--schema-ids map":                   {replay, "--schema-registry http://127.0.0.1:1"},
		"--time-unit s":                      {replay, "--timestamp-column t"},
		"--time-unit us":                     {"import kcat t.csv -o new", ""},
		"--partitioner round-robin":          {"import csv t.csv -o new --topic t", "--partitions 2"},
		"-b 127.0.0.1:1":                     {diff, ""},
		"--brokers 127.0.0.1:1":              {"diff kafka://127.0.0.1:1/t run --connect-timeout 1ms", ""},
		"--config t.csv":                     {diff, ""},
		"-X client.id=a":                     {diff, ""},
		"--connect-timeout 1s":               {diff, ""},
		"--catalog-name other":               {"export iceberg run --catalog https://127.0.0.1:1", "--catalog sqlite:///x.db"},
		"--sample-by key":                    {"cat run", "--sample 100%"},
		"--sample-by random":                 {"copy run -o new --rules filter.yaml", "--sample 5%"},
		"--strict":                           {"cat run", "--rules filter.yaml"},
		"--unmaskable pass":                  {"cat run --rules filter.yaml", "--mask key=redact"},
		"--require-match":                    {"cat run --set headers.a=1", "--remove headers.a"},
		"--mask-key @key":                    {"cat run --set headers.a=1", "--sample 50%"},
		"--schema orders=a.avsc":             {"copy run -o new", "--filter true"},
		"--schema orders=nobody.avsc":        {"copy run -o new", "--filter true"},
		"--schema 1=a.avsc":                  {"cat run --raw", "--filter true"},
		"--schema 2=a.avsc":                  {"cat run --count", "--filter true"},
		"--schema 3=a.avsc":                  {diff, "--json"},
		"--schema 4=a.avsc":                  {diff + " --ignore key", "--ignore value.a"},
		"--schema 5=a.avsc":                  {replay, "--filter true"},
		"--schema 6=a.avsc":                  {replay, "--schema-registry http://127.0.0.1:1"},
		"--null none":                        {"extract run --path value --format jsonl", "--format csv"},
		"--missing none":                     {"extract run --path value -o t.parquet", "--format tsv"},
		"--unmaskable redact":                {"extract snapshot.jsonl --path a -o none.csv", ""},
		"--schema 7=a.avsc --path b.c":       {"extract snapshot.jsonl -o none.csv", ""},
		"--raw":                              {"cat run --count", "--count=false"},
	}
	for flag, c := range cases {
		refused, code := said(t, c.args+" "+flag)
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), " ")
		named := strings.Contains(refused, name) || strings.Contains(refused, "is a snapshot")
		if code != exitUsage || !named || strings.Count(refused, "\n") > 2 {
			t.Errorf("karchive %s %s: exit code %d, %s", c.args, flag, code, refused)
		}
		if c.with == "" {
			continue
		}
		if says, _ := said(t, c.args+" "+flag+" "+c.with); says == refused {
			t.Errorf("karchive %s %s: refused with %s, too: %s", c.args, flag, c.with, says)
		}
		os.RemoveAll("new")
	}
	for _, n := range needs {
		tested := func(flag string) bool { return strings.HasPrefix(flag, dashed(n.flag)+" ") || flag == dashed(n.flag) }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(cases)), tested) {
			t.Errorf("no command line is about %s", dashed(n.flag))
		}
		if !slices.ContainsFunc(commandsWith(n.flag), func(c string) bool { return n.command == "" || c == n.command }) {
			t.Errorf("karchive %s has no flag %s", n.command, dashed(n.flag))
		}
	}
}

// said is what a command line says on stderr.
func said(t *testing.T, line string) (says string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), strings.Fields(line), strings.NewReader(""), &stdout, &stderr)
	return stderr.String(), code
}
