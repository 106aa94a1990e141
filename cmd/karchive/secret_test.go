//go:build unix

package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

// plantedSecret is a password that nothing else here spells.
const plantedSecret = "planted-7Jq2xWv9-password"

// loginCluster has a record in orders, for those who know the secret.
func loginCluster(t *testing.T, id string) string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID(id), kfake.SeedTopics(1, "orders"), kfake.EnableSASL(), kfake.Superuser("PLAIN", "ann", plantedSecret))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.SASL(plain.Auth{User: "ann", Pass: plantedSecret}.AsMechanism()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Value: []byte("v")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return c.ListenAddrs()[0]
}

// Whatever the commands print or write, where they succeed and where they fail, the secret is not in it; and no file that they make can be
// read or written by everyone, though the umask would allow it.
func TestNoSecretIsPrintedOrWrittenAndNoFileIsForEveryone(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	source, target, dir := loginCluster(t, "source"), loginCluster(t, "target"), t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	config := filepath.Join(t.TempDir(), "client.properties")
	text := "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"ann\" password=\"" + plantedSecret + "\";\nssl.key.password=" + plantedSecret + "\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	login := []string{"-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=PLAIN", "-X", "sasl.username=ann", "-X", "sasl.password=" + plantedSecret}
	for _, c := range []struct {
		code int
		args []string
	}{
		{0, []string{"capture", "--config", config, "-b", source, "-t", "orders", "-o", in("run")}},
		{0, append([]string{"capture", "-b", source, "-t", "orders", "-o", in("run"), "--format", "json"}, login...)},
		{0, append([]string{"replay", in("run"), "-b", target, "--progress", in("progress"), "--report", in("r.json"), "--report", in("r.html")}, login...)},
		{0, append([]string{"replay", in("run"), "-b", target, "--dry-run", "--format", "json"}, login...)},
		{0, []string{"info", in("run"), "--format", "json"}},
		{0, []string{"extract", in("run"), "--path", "value", "-o", in("table.csv")}},
		{1, []string{"capture", "--config", config, "-b", source, "-t", "orders", "-o", in("run2"), "-X", "security.protocol=SASL_SSL", "--connect-timeout", "2s"}},
		{1, []string{"capture", "--config", config, "-b", source, "-t", "nowhere", "-o", in("run2")}},
		{1, append([]string{"capture", "-b", source, "-t", "orders", "-o", in("run2"), "-X", "sasl.mechanism=SCRAM-SHA-256"}, login[4:]...)},
		{2, append([]string{"capture", "-b", source, "-t", "orders", "-o", in("run2"), "-X", "sasl.pasword=" + plantedSecret}, login...)},
		{2, []string{"capture", "-b", source, "-t", "orders", "-o", in("run2"), "-X", "sasl.jaas.config=PlainLoginModule required username=ann password=" + plantedSecret}},
		{2, []string{"capture", "-b", source, "-t", "orders", "-o", in("run2"), "-X", plantedSecret}},
		{1, append([]string{"replay", in("run"), "-b", source}, login...)},
	} {
		var stdout, stderr strings.Builder
		code := run(t.Context(), c.args, strings.NewReader(""), &stdout, &stderr)
		if code != c.code {
			t.Errorf("%v: exit code %d, want %d\n%s", c.args, code, c.code, &stderr)
		}
		if strings.Contains(stdout.String()+stderr.String(), plantedSecret) {
			t.Errorf("%v tells the secret:\n%s%s", c.args, &stdout, &stderr)
		}
	}
	checkFiles(t, dir)
}

func checkFiles(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o007 != 0 {
			t.Errorf("%s has mode %s", name, info.Mode())
		}
		if e.IsDir() {
			return nil
		}
		files++
		content, err := os.ReadFile(name)
		if bytes.Contains(content, []byte(plantedSecret)) {
			t.Errorf("%s has the secret in it", name)
		}
		return err
	})
	if err != nil || files < 6 {
		t.Errorf("%d files were looked at, %v", files, err)
	}
}
