package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Rows that cannot be taken are somebody's data: they are named by line, column and kind of mistake, and so is a file that is another than it
// was taken for.
func TestABadRowIsNamedAndNotRepeated(t *testing.T) {
	const kcat = `{"topic":"t","partition":0,"offset":0,"tstype":"create","ts":1,"broker":0,"headers":["a","b"],"key":"k","payload":"v"}`
	const line = `{"topic":"t","partition":0,"offset":0,"timestamp_ms":1,"timestamp_type":"create","leader_epoch":0,"key":"k","value":"v","headers":[]}`
	m := newMine(t)
	for _, canary := range []string{"canary@mail.example", `-1CANARY\u0041`} {
		csv := "a,b\n1," + canary + "\n"
		for _, args := range [][]string{
			{"csv", csv, "--column", "b:number"}, {"csv", csv, "--column", "b:bool"}, {"csv", csv, "--column", "b:hex"}, {"csv", csv, "--column", "b:base64"}, {"csv", csv, "--column", "b:json"}, {"csv", csv, "--timestamp-column", "b"},
			{"csv", csv, "--timestamp-column", "b", "--time-unit", "ns"}, {"csv", csv, "--partition-column", "b"}, {"csv", csv, "--offset-column", "b"}, {"csv", csv, "--topic-column", "b"}, {"csv", csv, "--topic-column", "b", "--column", "a:" + "number"},
			{"csv", "a,b\n1,/" + canary + "/\n", "--topic-column", "b"}, {"csv", csv, "--header-column", "h=b:number"}, {"csv", csv, "--object", "a,b:number"}, {"csv", canary + "," + canary + "\n1,2\n", "--column", "none"}, {"csv", canary + "\n", "--column", "none"},
			{"csv", "a\n" + canary + ",2\n"}, {"csv", "a,b\n\"" + canary + "\"x,2\n"}, {"csv", "a,b\n\"" + canary}, {"csv", "a,b\nx" + canary + "\"y,2\n"}, {"csv", canary + ",x," + canary + "\n1,2,3\n"}, {"csv", canary + "\n1\n", "--key-column", "nothing"},
			{"csv", "9999999999999999999" + canary + "\n"}, {"jsonl", canary}, {"jsonl", `{"` + canary}, {"jsonl", `{"a":"` + canary + `"}`, "--timestamp-column", "a"}, {"jsonl", `{"a":{"b":"` + canary + `"}}`, "--partition-column", "a"},
			{"jsonl", `{"a":"` + canary + `"}`, "--offset-column", "a"}, {"jsonl", `{"a":"` + canary + `"}`, "--column", "a:number"}, {"jsonl", `{"a":"` + canary + `"}`, "--column", "b"}, {"jsonl", `{"a":["` + canary + `"]}`, "--topic-column", "a"},
			{"kcat", canary}, {"kcat", strings.Replace(kcat, `"a","b"`, `"`+canary+`"`, 1)}, {"kcat", strings.Replace(kcat, `"partition":0`, `"partition":"`+canary+`"`, 1)}, {"kcat", strings.Replace(kcat, `"offset":0`, `"offset":"`+canary+`"`, 1)},
			{"kcat", strings.Replace(kcat, `"ts":1`, `"ts":"`+canary+`"`, 1)}, {"kcat", strings.Replace(kcat, `"topic":"t"`, `"topic":"/`+canary+`"`, 1)}, {"kcat", strings.Replace(kcat, `"tstype":"create"`, `"tstype":"`+canary+`"`, 1)},
			{"speedscale", canary}, {"speedscale", `{"l7protocol":"` + canary + `"}`}, {"speedscale", `{"kafka":{"response":{"FetchResponse":{"topics":[{"topic":"t","partitions":[{"partitionIndex":"` + canary + `","records":{"records":[{"offsetDelta":"` + canary + `"}]}}]}]}}}}`},
			{"parquet", canary}, {"parquet", "PAR1" + canary + "PAR1"},
		} {
			m.bad(args[0], args[1], args[2:]...)
		}
		for _, field := range []string{`"partition":0`, `"offset":0`, `"timestamp_ms":1`, `"timestamp_type":"create"`, `"leader_epoch":0`, `"key":"k"`, `"headers":[]`, `"topic":"t"`} {
			name, _, _ := strings.Cut(field, ":")
			for _, value := range []string{`"/` + canary + `"`, `{"` + canary + `":1}`, `["` + canary + `"]`, `{"base64":"` + canary + `"}`, canary, `[{"key":"` + canary + `"}]`, `[{"` + canary + `":1}]`} {
				m.bad("jsonl", strings.Replace(line, field, name+":"+value, 1))
			}
			m.bad("jsonl", strings.Replace(line, name, `"`+canary+`"`, 1))
			m.bad("jsonl", strings.Replace(line, field, field+`,"`+canary+`":1`, 1))
		}
	}
}

// bad imports one file, with and without leave to skip.
func (m *mine) bad(kind, text string, more ...string) {
	m.Helper()
	file := m.file("rows", text+"\n")
	topic := []string{"--topic", "t"}
	if kind == "kcat" || kind == "speedscale" || kind == "jsonl" && len(more) == 0 {
		topic = nil
	}
	for _, skip := range []string{"0", "5"} {
		if err := os.RemoveAll(filepath.Join(m.out, "new")); err != nil {
			m.Fatal(err)
		}
		args := append(append([]string{"import", kind, file, "-o", filepath.Join(m.out, "new"), "--skip-bad", skip, "--mask", "value=drop", "--mask", "key=drop", "--mask", "headers.*=drop"}, topic...), more...)
		var stdout, stderr strings.Builder // on stdout are names of topics, when all went well
		run(m.Context(), args, nil, &stdout, &stderr)
		if strings.Contains(strings.ToLower(stderr.String()), "canary") {
			m.Errorf("%q of %q tells what is in it:\n%s", args, text, &stderr)
		}
	}
}
