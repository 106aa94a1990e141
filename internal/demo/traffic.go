package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Topics are the topics that Traffic fills.
var Topics = []string{"orders", "users", "payments"}

// The amounts of traffic.
const (
	orderCount   = 12_000
	userCount    = 4_000
	burstCount   = 20
	burstSize    = 250
	people       = 900 // that users and orders are about
	tombstonePer = 20  // of users: every so manyth change is a removal
)

// Traffic creates Topics in the cluster and fills them with an hour's traffic up to now: orders with keys and headers, changes of users
// in a compacted topic with tombstones among them, and payments in bursts, each burst a transaction, some of them aborted. The same
// seed and now give the same records.
func (c *Cluster) Traffic(ctx context.Context, seed uint64, now time.Time) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.addr), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := c.create(ctx, client, []topic{
		{"orders", 6, map[string]*string{"retention.ms": kadm.StringPtr("604800000")}},
		{"users", 3, map[string]*string{"cleanup.policy": kadm.StringPtr("compact")}},
		{"payments", 4, nil},
	}); err != nil {
		return err
	}
	g := generator{rand.New(rand.NewPCG(seed, 1)), now.Add(-time.Hour)}
	if err := client.ProduceSync(ctx, append(g.orders(), g.users()...)...).FirstErr(); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	return c.payments(ctx, &g)
}

// generator makes records from random numbers.
type generator struct {
	*rand.Rand
	begin time.Time
}

// at is the time of the i-th of n events spread over the hour, in whole milliseconds as Kafka has them.
func (g *generator) at(i, n int) time.Time {
	return g.begin.Add(time.Hour * time.Duration(i) / time.Duration(n)).Truncate(time.Millisecond)
}

func (g *generator) orders() []*kgo.Record {
	var out []*kgo.Record
	for i := range orderCount {
		person := g.IntN(people)
		value := fmt.Sprintf(`{"order":%d,"customer":"c-%04d","items":[{"sku":"%08x","count":%d}],"total":%d.%02d,"currency":"EUR","note":"%s"}`,
			100000+i, person, g.Uint32(), 1+g.IntN(4), g.IntN(300), g.IntN(100), notes[g.IntN(len(notes))])
		out = append(out, &kgo.Record{Topic: "orders", Key: fmt.Appendf(nil, "c-%04d", person), Value: []byte(value), Timestamp: g.at(i, orderCount),
			Headers: []kgo.RecordHeader{{Key: "trace-id", Value: fmt.Appendf(nil, "%016x", g.Uint64())}, {Key: "source", Value: []byte(sources[g.IntN(len(sources))])}}})
	}
	return out
}

var (
	notes   = []string{"", "leave at the door", "Grüße aus Köln", "call first", "三階"}
	sources = []string{"web", "app", "partner"}
)

func (g *generator) users() []*kgo.Record {
	var out []*kgo.Record
	for i := range userCount {
		person := g.IntN(people)
		r := &kgo.Record{Topic: "users", Key: fmt.Appendf(nil, "c-%04d", person), Timestamp: g.at(i, userCount)}
		if g.IntN(tombstonePer) > 0 {
			r.Value = fmt.Appendf(nil, `{"id":"c-%04d","name":"Customer %d","version":%d,"newsletter":%t}`, person, person, i, g.IntN(2) == 0)
		}
		out = append(out, r)
	}
	return out
}

// burst is many payments within a few milliseconds. Their values are binary, as a schema's serializer would make them.
func (g *generator) burst(n int) []*kgo.Record {
	var out []*kgo.Record
	at := g.at(n, burstCount)
	for i := range burstSize {
		value := []byte{0, 0, 0, 0, 7} // the magic byte and schema id of a registry
		for range 40 {
			value = append(value, byte(g.Uint32()))
		}
		out = append(out, &kgo.Record{Topic: "payments", Key: strconv.AppendInt(nil, g.Int64(), 36), Value: value, Timestamp: at.Add(time.Duration(i/100) * time.Millisecond),
			Headers: []kgo.RecordHeader{{Key: "retry", Value: nil}}})
	}
	return out
}

// payments sends each burst as a transaction; every fifth is aborted.
func (c *Cluster) payments(ctx context.Context, g *generator) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.addr), kgo.TransactionalID("payments"), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	if err != nil {
		return err
	}
	defer client.Close()
	for n := range burstCount {
		if err := client.BeginTransaction(); err != nil {
			return fmt.Errorf("begin transaction: %w", err)
		}
		if err := client.ProduceSync(ctx, g.burst(n)...).FirstErr(); err != nil {
			return fmt.Errorf("produce: %w", err)
		}
		if err := client.EndTransaction(ctx, kgo.TransactionEndTry(n%5 != 4)); err != nil {
			return fmt.Errorf("end transaction: %w", err)
		}
	}
	return nil
}
