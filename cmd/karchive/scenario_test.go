package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/karchive/karchive/test/registrytest"
)

const scenarioSchema = `{"type":"record","name":"User","fields":[{"name":"id","type":"long"},{"name":"email","type":["null","string"]}]}`

// produceUsers sends users in Avro behind the frame of schema 7.
func produceUsers(t *testing.T, broker string, n int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.DefaultProduceTopic("users"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := range n {
		email := fmt.Sprintf("user-%d@example.com", i)
		value := binary.AppendVarint([]byte{0, 0, 0, 0, 7}, int64(i))
		value = append(binary.AppendVarint(append(value, 2), int64(len(email))), email...)
		if err := client.ProduceSync(t.Context(), &kgo.Record{Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// scenarioCommands are those of the first example of a page.
func scenarioCommands(t *testing.T, page string) (commands []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		command, ok := strings.CutPrefix(line, "    $ ")
		if !ok && len(commands) > 0 {
			return commands
		}
		if ok {
			commands = append(commands, strings.TrimSpace(command))
		}
	}
	return commands
}

func scenarioCluster(t *testing.T, options ...kfake.Opt) string {
	t.Helper()
	c, err := kfake.NewCluster(append(options, kfake.NumBrokers(1))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

// TestTheScenarioOfSchemasRunsAsItIsWritten runs the five commands of docs/schemas.md; only the addresses are others, and the key, which decides what
// is in the sample.
func TestTheScenarioOfSchemasRunsAsItIsWritten(t *testing.T) {
	commands := scenarioCommands(t, "../../docs/schemas.md")
	if len(commands) != 5 || !strings.Contains(commands[0], "openssl rand -hex 32 > mask.key") {
		t.Fatalf("got %q, want five commands of which the first makes the key", commands)
	}
	prod, target := registrytest.New(), registrytest.New()
	t.Cleanup(prod.Close)
	t.Cleanup(target.Close)
	prod.SeedSchema("users-value", 1, 7, sr.Schema{Schema: scenarioSchema})
	from, to := scenarioCluster(t, kfake.SeedTopics(1, "users"), kfake.ClusterID("prod")), scenarioCluster(t, kfake.ClusterID("test"))
	produceUsers(t, from, 200)
	addresses := strings.NewReplacer("prod:9092", from, "test:9092", to, "http://registry:8081", prod.URL(), "http://test-registry:8081", target.URL())
	t.Chdir(t.TempDir())
	if err := os.WriteFile("mask.key", []byte(strings.Repeat("0123456789abcdef", 4)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range commands[1:] {
		var stdout, stderr bytes.Buffer
		args := strings.Fields(addresses.Replace(command))[1:]
		if code := run(context.Background(), args, strings.NewReader(""), &stdout, &stderr); code != exitDone {
			t.Fatalf("%s: exit code %d: %s", command, code, &stderr)
		}
		if strings.Contains(stdout.String(), "example.com") {
			t.Errorf("%s: an address is shown: %s", command, &stdout)
		}
	}
	if s, _ := target.GetSchema("users-value", 1); s.ID != 7 {
		t.Errorf("the target: got schema %d, want 7", s.ID)
	}
	var stdout, stderr bytes.Buffer
	run(context.Background(), []string{"capture", "-b", to, "-t", "users", "--schema-registry", target.URL(), "-o", "there", "-q"}, strings.NewReader(""), &stdout, &stderr)
	run(context.Background(), []string{"cat", "there", "-f", "%s\\n", "-q"}, strings.NewReader(""), &stdout, &stderr)
	users := regexp.MustCompile(`(?m)^\{"id":\d+,"email":"[0-9a-f]{32}"\}$`).FindAllString(stdout.String(), -1)
	if got := strings.Count(stdout.String(), `"email"`); len(users) == 0 || len(users) != got || got > 50 {
		t.Errorf("got %d users, %d of them masked, want about 20, all masked: %s%s", got, len(users), &stdout, &stderr)
	}
}
