package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/urfave/cli/v2"

	"github.com/karchive/karchive/internal/connect"
)

// canaries are secrets of the shapes that secrets have. All have the word in them, in either case.
var canaries = []string{"CANARY7jq2xWv9Z", "canary7jq2xwv9z", "-----BEGIN PRIVATE KEY-----\nCANARY7jq2xWv9Z\ncanary7jq2xwv9z\n-----END PRIVATE KEY-----\n"}

// mine is everything that a test of canaries runs and looks at.
type mine struct {
	*testing.T
	in  string // files with canaries
	out string // what is written
	run string // an archive
}

func newMine(t *testing.T) *mine {
	t.Helper()
	m := &mine{T: t, in: place(t), out: place(t)}
	m.run = filepath.Join(m.out, "run")
	var stdout, stderr strings.Builder
	table := m.file("good.csv", "value\na\nb\n")
	if code := run(t.Context(), []string{"import", "csv", table, "-o", m.run, "--topic", "orders"}, nil, &stdout, &stderr); code != exitDone {
		t.Fatalf("import: exit code %d: %s", code, &stderr)
	}
	return m
}

// place is a directory whose name says nothing.
func place(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(filepath.Dir(t.TempDir())), "place")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (m *mine) file(name, text string) string {
	m.Helper()
	path := filepath.Join(m.in, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		m.Fatal(err)
	}
	return path
}

// said runs a command line and returns everything that it printed.
func (m *mine) said(args ...string) string {
	m.Helper()
	var stdout, stderr strings.Builder
	ctx := m.Context()
	if len(args) > 0 && args[0] == "serve" { // goes on until it is stopped
		stopped, stop := context.WithTimeout(ctx, 50*time.Millisecond)
		defer stop()
		ctx = stopped
	}
	run(ctx, args, strings.NewReader(""), &stdout, &stderr)
	return stdout.String() + stderr.String()
}

// quiet fails when a command line repeats a canary.
func (m *mine) quiet(args ...string) {
	m.Helper()
	if said := m.said(args...); strings.Contains(strings.ToLower(said), "canary") {
		m.Errorf("karchive %q tells the secret:\n%s", args, said)
	}
}

// nothingWritten fails when a canary is in a file.
func (m *mine) nothingWritten() {
	m.Helper()
	err := filepath.WalkDir(m.out, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if bytes.Contains(bytes.ToLower(data), []byte("canary")) {
			m.Errorf("%s has the secret in it", name)
		}
		return err
	})
	if err != nil {
		m.Error(err)
	}
}

func has(c *cli.Command, flag string) bool { return findFlag(c, flag) != nil }

// usual is the beginning of a command line of a command that gets as far as it can without a cluster.
func (m *mine) usual(c *cli.Command) []string {
	args := []string{c.Name}
	switch {
	case strings.HasPrefix(c.ArgsUsage, "ARCHIVE"):
		args = append(args, m.run)
		if has(c, "path") {
			args = append(args, "--path", "value")
		}
	case c.Name == "import":
		args = append(args, "csv", filepath.Join(m.in, "good.csv"))
	case c.Name == "diff":
		args = append(args, "topic:orders", m.run)
	case c.Name == "groups":
		args = append(args, groupsRestore, m.run)
	}
	if c.Name == "serve" {
		args = append(args, "--listen", "127.0.0.1:0")
	}
	if has(c, "brokers") {
		args = append(args, "-b", "127.0.0.1:1", "--connect-timeout", "10ms")
	}
	if has(c, "topics") {
		args = append(args, "-t", "orders")
	}
	if has(c, "output") {
		args = append(args, "-o", filepath.Join(m.out, "new"))
	}
	if c.Name == "pack" { // what it is told is looked at behind its place
		os.RemoveAll(filepath.Join(m.out, "new"))
	}
	return args
}

func commandsOf() []*cli.Command { return newEnv(nil, nil, nil).commands() }

// manyLines leaves out, of a short run, what runs many command lines one after the other: the race detector has nothing to find in them.
func manyLines(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("many command lines")
	}
}

func TestACanaryWhereNoSecretBelongsIsNotRepeated(t *testing.T) {
	manyLines(t)
	m := newMine(t)
	for _, canary := range canaries {
		m.quiet(canary)
		m.quiet("--" + canary)
		m.quiet("-p" + canary)
		m.quiet("help", canary)
		for _, c := range commandsOf() {
			usual := m.usual(c)
			m.quiet(canary, c.Name)
			for _, flag := range []string{"--" + canary, "-" + canary, "-p" + canary, "--password=" + canary, "--" + canary + "=x", "--no-" + canary} {
				m.quiet(append(usual, flag)...)
			}
			switch {
			case c.Name == "import":
				m.quiet(c.Name, canary)
			case !strings.Contains(c.ArgsUsage, "..."): // else it is the name of one more file
				m.quiet(append(usual, canary)...)
			}
			m.quiet(c.Name, "sasl.password="+canary)
			m.quiet(c.Name, "sasl.password: "+canary)
			if !has(c, "X") {
				continue
			}
			m.quiet("-X", "sasl.password", canary, c.Name)
			m.quiet(c.Name, "-X", "sasl.password", canary)
			m.quiet(c.Name, "-X", "sasl.password=", canary)
			m.quiet(c.Name, "-Xssl.key.password=", canary)
			m.quiet(append(usual, "-X", canary)...)
			m.quiet(append(usual, "-X"+canary+"=")...)
			m.quiet(append(usual, "-b", "user:"+canary+"@host:9092")...)
			m.quiet(append(usual, "-b", "user:"+canary)...)
			m.quiet(append(usual, "--config", canary)...)
		}
	}
	m.nothingWritten()
}

// Values that are repeated when they are wrong, because they are names, times, numbers or one of a few words.
var repeatable = strings.Fields(`topics partitions from until output path limit timestamp-column header-column column key-column topic-column
	partition-column offset-column object topic progress report map replay-id rules format start-at filter rrpairs calls sample-by rename remove key value
	html ready-file listen advertise since`)

func TestACanaryInTheValueOfAFlagIsNotRepeated(t *testing.T) {
	manyLines(t)
	m := newMine(t)
	for _, canary := range canaries {
		for _, c := range commandsOf() {
			for _, f := range c.Flags {
				name := f.Names()[0]
				if !takesValue(f) {
					m.quiet(append(m.usual(c), dashed(name)+"="+canary)...)
				}
				if _, checked := f.(*cli.GenericFlag); !takesValue(f) || slices.Contains(repeatable, name) || checked && !slices.Contains(secretive, name) {
					continue
				}
				values := []string{canary, "@" + canary, "env:" + canary, canary + "=" + canary, "value.a=" + canary}
				switch name {
				case "mask":
					values = []string{canary, "@" + canary, "env:" + canary, "value.a=" + canary, "value.a=fixed:" + canary, "timestamp=fixed=" + canary} // a wrong path is said with its right spelling
				case "set":
					values = []string{"value.a=" + canary} // what stands before = is a path
				case "brokers":
					values = []string{"user:" + canary, "user:" + canary + "@host", "kafka://" + canary + "@host"}
				}
				for _, value := range values {
					m.quiet(append(m.usual(c), dashed(name)+"="+value)...)
				}
			}
		}
	}
	m.nothingWritten()
}

// A URL is no directory and no file, whatever its kind, and may have a password in it wherever it is given.
func TestACanaryInAURLIsNotRepeated(t *testing.T) {
	manyLines(t)
	m := newMine(t)
	t.Chdir(m.out)
	for _, url := range []string{"s3://key:%s@bucket/run", "S3://key:%s@bucket/run", "s3:/key:%s@bucket/run", "s3a://key:%s@bucket", "https://ann:%s@host/run1", "kafka://ann:%s@host/orders", "KAFKA://ann:%s@host/orders",
		"kafka://host:1/orders?password=%s", "s3://bucket/run?region=%%zz%s", "azblob://%s@account/run?sas_token=%[1]s", "file://host/run?secret=%s"} {
		url = fmt.Sprintf(url, canaries[0])
		for _, c := range commandsOf() {
			if c.Name == "compare" || c.Name == "demo" || c.Name == "help" {
				continue // arguments are archives as elsewhere, or names
			}
			m.quiet(append([]string{url}, c.Name)...)
			usual := m.usual(c)
			if at := slices.Index(usual, m.run); at > 0 {
				m.quiet(append(slices.Clone(usual[:at]), append([]string{url}, usual[at+1:]...)...)...)
			}
			if c.Name == "import" {
				m.quiet("import", "csv", url, "--topic", "orders", "-o", filepath.Join(m.out, "new"))
			}
			if at := slices.Index(usual, "-o"); at > 0 {
				m.quiet(append(slices.Clone(usual[:at]), append([]string{"-o", url}, usual[at+2:]...)...)...)
			}
		}
	}
	if left, err := os.ReadDir(m.out); err != nil || slices.ContainsFunc(left, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ":") }) {
		t.Errorf("a URL became a directory: %v, %v", left, err)
	}
	m.nothingWritten()
}

// connecting are the commands that take settings.
func (m *mine) connecting() (lines [][]string) {
	for _, c := range commandsOf() {
		if has(c, "X") {
			lines = append(lines, m.usual(c))
		}
	}
	if len(lines) < 2 {
		m.Fatalf("%d commands take settings", len(lines))
	}
	return lines
}

func TestACanaryInAnySettingIsNotRepeated(t *testing.T) {
	manyLines(t)
	m := newMine(t)
	protocols := [][]string{nil, {"-X", "security.protocol=SSL"}, {"-X", "security.protocol=SASL_SSL", "-X", "sasl.mechanism=PLAIN"}, {"-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=OAUTHBEARER"}}
	for i, canary := range canaries {
		holds := m.file("holds-a-secret", canary)
		for j, setting := range connect.Names() {
			variable := connect.EnvPrefix + strings.ToUpper(strings.ReplaceAll(setting, ".", "_"))
			value := canary
			if setting == "bootstrap.servers" || setting == "metadata.broker.list" {
				value = "user:" + canary + "@host:9092"
			}
			config := m.file("client.properties", setting+"="+value+"\n"+canary+"\n"+canary+"=\n")
			lines := m.connecting()
			for _, usual := range lines[(i+j)%len(lines):][:1] { // each setting meets every command, with one of the canaries
				for _, p := range protocols {
					line := append(slices.Clip(usual), p...)
					m.quiet(append(line, "-X", setting+"="+value)...)
					m.quiet(append(line, "-X", setting+"=@"+holds)...)
				}
				m.quiet(append(usual, "-X", setting+"=@"+canary)...)
				m.quiet(append(usual, "-X", setting, canary)...)
				m.quiet(append(usual, "-X", setting+" "+canary)...)
				m.quiet(append(usual, "-X", setting+"x="+canary)...)
				m.quiet(append(usual, "--config", config)...)
				m.quiet(append(usual, "--config", config, "-X", "security.protocol=SASL_SSL", "-X", "sasl.mechanism=PLAIN")...)
				m.Setenv(variable, value)
				m.quiet(usual...)
				m.Setenv(variable, "@"+value)
				m.quiet(usual...)
				os.Unsetenv(variable)
			}
		}
	}
	m.nothingWritten()
}

func TestACanaryInTheEnvironmentIsNotRepeated(t *testing.T) {
	manyLines(t)
	m := newMine(t)
	for _, canary := range canaries {
		for _, variable := range []string{connect.EnvConfig, connect.EnvBrokers, connect.EnvPrefix, connect.EnvPrefix + "X", "KARCHIVE_PASSWORD", connect.EnvPrefix + strings.ToUpper(strings.Fields(canary)[0])} {
			value := canary
			if variable == connect.EnvBrokers {
				value = "user:" + canary + "@host"
			}
			m.Setenv(variable, value)
			for _, c := range commandsOf() {
				if c.Name == "demo" {
					continue // it runs the others
				}
				m.quiet(slices.DeleteFunc(m.usual(c), func(s string) bool { return s == "-b" || s == "127.0.0.1:1" })...)
				m.quiet(c.Name, "--help")
				m.quiet("man", c.Name)
				m.quiet("candidates", "--", c.Name, "=-")
			}
			os.Unsetenv(variable)
		}
	}
	m.nothingWritten()
}

func TestACanaryInAFileOfRulesIsNotRepeated(t *testing.T) {
	manyLines(t)
	m := newMine(t)
	for _, canary := range canaries {
		holds, absent := m.file("key", canary), filepath.Join(m.in, "CANARY-absent")
		for i, text := range []string{canary, canary + ": x", "mask-key: " + canary, "mask-key: '@" + filepath.Base(holds) + "'\nmask: [value.a=hash]", "mask-key: '@" + canary + "'\nmask: [value.a=hash]",
			"mask-key: env:" + canary + "\nmask: [value.a=hash]", "sasl.password=" + canary, "sasl.password: " + canary, "table: [{path: value.a, file: key}]", "table: [{path: value.a, file: twice.csv}]",
			"mask: [" + canary, "mask-key: '@" + absent + "'\nmask: [value.a=hash]", "mask-key: [" + canary + "]", "mask-key: {a: " + canary + "}", "mask-key: !!int " + canary} {
			m.file("twice.csv", canary+",a\n"+canary+",b\n")
			rules := m.file("rules.yaml", text)
			for _, c := range commandsOf() {
				if has(c, "rules") {
					said := strings.ReplaceAll(m.said(append(m.usual(c), "--rules", rules)...), m.in, "")
					if strings.Contains(strings.ToLower(said), "canary") {
						m.Errorf("text %d: %s tells the secret:\n%s", i, c.Name, said)
					}
				}
			}
		}
	}
	m.nothingWritten()
}

// A broker knows the password of PLAIN, and may say it in what it answers.
func TestWhatABrokerRepeatsOfALoginIsHidden(t *testing.T) {
	manyLines(t)
	const password = "CANARY7jq2\"<xWv9Z"
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", "ann", password))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		message := "you sent " + string(req.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes)
		resp.ErrorCode, resp.ErrorMessage = 58, &message
		return resp, nil, true
	})
	m := newMine(t)
	for _, usual := range m.connecting() {
		args := append(usual, "-b", c.ListenAddrs()[0], "--connect-timeout", "5s", "-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=PLAIN", "-X", "sasl.username=ann", "-X", "sasl.password="+password)
		args = slices.DeleteFunc(args, func(s string) bool { return s == "127.0.0.1:1" })
		args = slices.Delete(args, slices.Index(args, "-b"), slices.Index(args, "-b")+1)
		said := m.said(args...)
		if strings.Contains(said, "CANARY") || !strings.Contains(said, "[hidden]") {
			t.Errorf("karchive %q: %s", args, said)
		}
	}
	m.nothingWritten()
}

// What a hider is told is hidden in text, JSON and HTML.
func TestAHiderKnowsHowOthersSpellASecret(t *testing.T) {
	manyLines(t)
	var h hider
	if got := h.text("a secret"); got != "a secret" {
		t.Errorf("got %q without a secret", got)
	}
	h.learn([]string{"p<\"x\\yz", "short", "-----BEGIN KEY-----\nabcdefgh\n-----END KEY-----"})
	var b strings.Builder
	h.writer(&b).Write([]byte(`p<"x\yz p\u003c\"x\\yz p&lt;&#34;x\yz short abcdefgh -----BEGIN KEY-----`))
	if got, want := b.String(), "[hidden] [hidden] [hidden] short [hidden] -----BEGIN KEY-----"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
