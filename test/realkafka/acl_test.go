//go:build kafka

package realkafka

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/karchive/karchive/test/kafkatest"
)

// TestTheAccessControlListsOfTheDocsAreEnough gives each user of docs/running.md what it says, on a cluster that denies all else, and has the user do
// its work. Without its lists none of them can.
func TestTheAccessControlListsOfTheDocsAreEnough(t *testing.T) {
	b, secured := authorizing(t)
	client := newClient(t, b)
	createTopic(t, client, "orders", 2, kept)
	produce(t, client, texts("orders", 0, "order", 100)...)
	bin, dir := buildCommand(t), t.TempDir()
	archive := filepath.Join(dir, "run1")
	as := func(user string, args ...string) *command {
		return newCommand(bin, append(args, "--config", clientFile(t, user, secured), "--connect-timeout", "1m")...)
	}
	for _, c := range []struct {
		user string
		args []string
	}{
		{"capture", []string{"capture", "-t", "orders", "-o", archive}},
		{"replay", []string{"replay", archive, "--map", "orders:=test.orders", "--create-topics", "--allow-source-cluster", "--exactly-once"}},
	} {
		if denied := as(c.user, c.args...); denied.Run() == nil {
			t.Errorf("%s needs no access control list: %s", c.user, &denied.said)
		}
		grant(t, client, c.user, false)
		if allowed := as(c.user, c.args...); allowed.Run() != nil {
			t.Errorf("%s may not do its work: %s", c.user, &allowed.said)
		}
	}
	checkMembersNeedTheirGroup(t, client, filepath.Join(dir, "shared"), as)
	awaitStable(t, client, "test.orders", 0)
	if got := len(readLog(t, client, "test.orders", 0).records); got != 100 {
		t.Errorf("%d records were replayed, want 100", got)
	}
}

// checkMembersNeedTheirGroup has members that may read the topic do their work without and with the list of their group. Without it they leave nothing.
func checkMembersNeedTheirGroup(t *testing.T, client *kgo.Client, archive string, as func(user string, args ...string) *command) {
	t.Helper()
	member := func(protocol string, records int) *command {
		return as("capture", "capture", "-t", "orders", "-o", archive, "--follow", "--group", "archive-orders", "--group-protocol", protocol,
			"--stop-after", fmt.Sprintf("records=%d", records))
	}
	for _, protocol := range []string{"cooperative", "eager", "consumer"} {
		denied := member(protocol, 100)
		if denied.Run() == nil || !strings.Contains(denied.said.String(), "hint: it takes Read on the group") {
			t.Errorf("%s: a member without an access control list of its group: %s", protocol, &denied.said)
		}
	}
	if _, err := os.Stat(archive); err == nil {
		t.Error("a member that was refused left an archive")
	}
	grant(t, client, "capture", true)
	for _, protocol := range []string{"cooperative", "eager", "consumer"} {
		produce(t, client, texts("orders", 1, protocol, 10)...)
		records := 10
		if protocol == "cooperative" { // the first
			records = 110
		}
		if allowed := member(protocol, records); allowed.Run() != nil {
			t.Errorf("%s: a member may not do its work: %s", protocol, &allowed.said)
		}
	}
}

// authorizing starts a broker that knows users on one of its listeners, whose address it returns, and lets everybody on the other do all.
func authorizing(t *testing.T) (b *kafkatest.Broker, secured string) {
	t.Helper()
	b = kafkatest.Start(t, kafkatest.Options{HeapMB: 384})
	b.Stop()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secured = l.Addr().String()
	l.Close()
	file := filepath.Join(filepath.Dir(b.DataDir()), "server.properties")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	properties := strings.Replace(string(text), "listeners=PLAINTEXT://", "listeners=SECURED://"+secured+",PLAINTEXT://", 1)
	properties = strings.Replace(properties, "PLAINTEXT:PLAINTEXT", "SECURED:SASL_PLAINTEXT,PLAINTEXT:PLAINTEXT", 1)
	properties += `inter.broker.listener.name=PLAINTEXT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
listener.name.secured.sasl.enabled.mechanisms=PLAIN
listener.name.secured.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_capture="c" user_replay="r";
`
	if err := os.WriteFile(file, []byte(properties), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b, secured
}

// clientFile is what a user connects by. A password is the first letter of its user.
func clientFile(t *testing.T, user, address string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "client.properties")
	text := fmt.Sprintf("bootstrap.servers=%s\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=%s\nsasl.password=%s\n", address, user, user[:1])
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// grant makes the access control lists that the commands of docs/running.md make for a user, those of groups or all others.
func grant(t *testing.T, client *kgo.Client, user string, groups bool) {
	t.Helper()
	page, err := os.ReadFile("../../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	granted := 0
	for line := range strings.Lines(string(page)) {
		words, ok := strings.CutPrefix(strings.TrimSpace(line), "$ kafka-acls.sh --bootstrap-server broker:9092 --command-config admin.properties --add ")
		if !ok || !strings.Contains(words, "User:"+user+" ") || strings.Contains(words, " --group ") != groups {
			continue
		}
		results, err := kadm.NewClient(client).CreateACLs(t.Context(), aclOf(t, strings.Fields(words)))
		if err != nil {
			t.Fatalf("%s: %v", words, err)
		}
		for _, r := range results {
			if r.Err != nil {
				t.Fatalf("%s: %v", words, r.Err)
			}
			granted++
		}
	}
	if granted == 0 {
		t.Fatalf("docs/running.md has no access control list for %s", user)
	}
}

// aclOf reads options of kafka-acls.sh, each of which has a value.
func aclOf(t *testing.T, options []string) *kadm.ACLBuilder {
	t.Helper()
	b := kadm.NewACLs().AllowHosts("*").ResourcePatternType(kadm.ACLPatternLiteral)
	var operations []kadm.ACLOperation
	for i := 0; i+1 < len(options); i += 2 {
		switch name, value := options[i], options[i+1]; name {
		case "--allow-principal":
			b.Allow(value)
		case "--operation":
			op, err := kmsg.ParseACLOperation(value)
			if err != nil {
				t.Fatal(err)
			}
			operations = append(operations, op)
		case "--topic":
			b.Topics(value)
		case "--group":
			b.Groups(value)
		case "--transactional-id":
			b.TransactionalIDs(value)
		case "--resource-pattern-type":
			pattern, err := kmsg.ParseACLResourcePatternType(value)
			if err != nil {
				t.Fatal(err)
			}
			b.ResourcePatternType(pattern)
		default:
			t.Fatalf("option %s is not known here", name)
		}
	}
	return b.Operations(operations...)
}
