package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	testUsers  = 400
	testEnvKey = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
)

const testEnvRules = `sample-by:
  - {path: value.id, topics: users}
  - {path: value.user.id, topics: orders}
  - {path: headers.user, topics: payments}
mask:
  - {path: value.id, action: hash, topics: users}
  - {path: value.user.id, action: hash, topics: orders}
  - {path: value.userId, action: hash, topics: payments}
  - {path: key, action: hash, topics: [users, payments]}
  - headers.user=hash
  - headers.mail=hash
  - value.email=hash
  - value.user.email=hash
  - value.cards.#.number=redact
  - value.card=redact
mask-key: "@mask.key"
require-coverage: true
`

// person is what a user's records say of them.
type person struct{ id, key, mail, escapedMail, card, secondCard string }

func originalPerson(i int) person {
	mail := fmt.Sprintf("person%d@mail.example.com", i)
	return person{fmt.Sprintf("usr-%05d", i), mail, mail, `\u0070` + mail[1:], testCard(i), testCard(i + 7)}
}

// masked is the person as the rules must have it.
func (p person) masked() person {
	mail := token(p.mail)
	return person{token(p.id), mail, mail, mail, "***", "***"}
}

// token is what the action hash makes of a text, as help explains it.
func token(text string) string {
	h := hmac.New(sha256.New, []byte(testEnvKey))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))[:32]
}

// records are a user, three orders and a payment.
func (p person) records(i int) []*kgo.Record {
	headers := []kgo.RecordHeader{{Key: "user", Value: []byte(p.id)}, {Key: "mail", Value: []byte(p.mail)}}
	out := []*kgo.Record{
		{Topic: "users", Key: []byte(p.id), Headers: headers,
			Value: fmt.Appendf(nil, `{ "id":%q, "email" : %q,"score": 1.50, "cards":[{"number":%q},{"number":%q}] }`, p.id, p.mail, p.card, p.secondCard)},
		{Topic: "payments", Key: []byte(p.key), Headers: headers, Value: fmt.Appendf(nil, `{"userId":%q,"card":%q,"paid":true}`, p.id, p.card)},
	}
	for n := range 3 {
		out = append(out, &kgo.Record{Topic: "orders", Key: fmt.Appendf(nil, "ord-%d-%d", i, n), Headers: headers,
			Value: fmt.Appendf(nil, `{"amount":%d.00,"user":{"id":%q,"email":"%s"},"note":"\u00e9 %d"}`, n, p.id, p.escapedMail, n)})
	}
	return out
}

// testCard is a card number that passes Luhn's check.
func testCard(i int) string {
	body := fmt.Sprintf("411111%09d", i)
	for last := range 10 {
		number, sum := body+fmt.Sprint(last), 0
		for k := range number {
			d := int(number[len(number)-1-k] - '0')
			if k%2 == 1 {
				d = d*2/10 + d*2%10
			}
			sum += d
		}
		if sum%10 == 0 {
			return number
		}
	}
	return ""
}

func startTopics(t *testing.T, id string) (string, *kgo.Client) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID(id), kfake.SeedTopics(3, "users", "orders", "payments"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics("users", "orders", "payments"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return c.ListenAddrs()[0], client
}

func consumeAll(t *testing.T, client *kgo.Client) []*kgo.Record {
	t.Helper()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), "users", "orders", "payments")
	if err != nil {
		t.Fatal(err)
	}
	want := int64(0)
	ends.Each(func(o kadm.ListedOffset) { want += o.Offset })
	var out []*kgo.Record
	for int64(len(out)) < want {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		out = append(out, fetches.Records()...)
	}
	return out
}

func command(t *testing.T, want int, args ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr); got != want {
		t.Fatalf("karchive %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, &stdout, &stderr)
	}
}

func TestATestEnvironmentGetsWholeEntitiesAndNothingPersonal(t *testing.T) {
	source, producer := startTopics(t, "production")
	target, consumer := startTopics(t, "test")
	for i := range testUsers {
		for _, r := range originalPerson(i).records(i) {
			producer.Produce(context.Background(), r, nil)
		}
	}
	if err := producer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	rules, archive := filepath.Join(dir, "mask.yaml"), filepath.Join(dir, "run1")
	for name, text := range map[string]string{"mask.yaml": testEnvRules, "mask.key": testEnvKey} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command(t, 0, "capture", "-b", source, "-t", "users,orders,payments", "-o", archive, "--quiet")
	command(t, 0, "replay", archive, "-b", target, "--sample", "10%", "--rules", rules, "--rate", "800/s", "--quiet")

	got := consumeAll(t, consumer)
	checkNothingPersonal(t, got)
	checkWhole(t, got)
}

// checkNothingPersonal searches every byte of the target, also as another decoder reads its escapes.
func checkNothingPersonal(t *testing.T, got []*kgo.Record) {
	t.Helper()
	var all bytes.Buffer
	for _, r := range got {
		fmt.Fprintf(&all, "%s\n%s\n", r.Key, r.Value)
		var decoded any
		if err := json.Unmarshal(r.Value, &decoded); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&all, decoded)
		for _, h := range r.Headers {
			fmt.Fprintf(&all, "%s=%s\n", h.Key, h.Value)
		}
	}
	for i := range testUsers {
		p := originalPerson(i)
		for _, original := range []string{p.id, p.mail, p.card, p.secondCard} {
			if bytes.Contains(all.Bytes(), []byte(original)) {
				t.Fatalf("%s is in the target", original)
			}
		}
	}
	if bytes.Contains(all.Bytes(), []byte("@")) {
		t.Error("an e-mail address is in the target")
	}
}

// checkWhole joins the topics by the masked id: each user that is there has all records, which are byte for byte as they were but for what is
// masked, and nobody else has any.
func checkWhole(t *testing.T, got []*kgo.Record) {
	t.Helper()
	byID := map[string][]string{}
	for _, r := range got {
		i := slices.IndexFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == "user" })
		byID[string(r.Headers[i].Value)] = append(byID[string(r.Headers[i].Value)], recordText(r))
	}
	if len(byID) < testUsers/20 || len(byID) > testUsers/6 {
		t.Errorf("%d of %d users are in a sample of 10%%", len(byID), testUsers)
	}
	for i := range testUsers {
		p := originalPerson(i).masked()
		texts, sampled := byID[p.id]
		if !sampled {
			continue
		}
		delete(byID, p.id)
		var want []string
		for _, r := range p.records(i) {
			want = append(want, recordText(r))
		}
		slices.Sort(want)
		slices.Sort(texts)
		if !slices.Equal(texts, want) {
			t.Fatalf("user %d: got\n%s\nwant\n%s", i, strings.Join(texts, "\n"), strings.Join(want, "\n"))
		}
	}
	for id := range byID {
		t.Errorf("%s is nobody's masked id", id)
	}
}

// recordText is all of a record that rules may change.
func recordText(r *kgo.Record) string {
	return fmt.Sprintf("%s %q %q %q", r.Topic, r.Key, r.Value, r.Headers)
}
