// Package invoices is a small service, in a version that is right and in others that are not: it reads orders as the group billing, and
// writes an invoice for each. Tests compare its versions.
package invoices

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// version is what is wrong with a service.
type version struct {
	wrong   int64  // the order whose total is a cent too high
	crash   int64  // the order at which it ends with exit code 3
	until   int64  // the order after which it ends by itself
	silent  bool   // reads and writes nothing
	idle    bool   // does not connect
	endless bool   // writes for ever
	orphan  string // a file that names a child which outlives it
}

// Main runs a service for the broker in KAFKA_BOOTSTRAP_SERVERS until it is asked to end, and returns its exit code.
func Main(args []string, stderr io.Writer) int {
	v := version{}
	f := flag.NewFlagSet("invoices", flag.ContinueOnError)
	f.Int64Var(&v.wrong, "wrong", -1, "")
	f.Int64Var(&v.crash, "crash", -1, "")
	f.Int64Var(&v.until, "until", -1, "")
	f.BoolVar(&v.silent, "silent", false, "")
	f.BoolVar(&v.idle, "idle", false, "")
	f.BoolVar(&v.endless, "endless", false, "")
	f.StringVar(&v.orphan, "orphan", "", "")
	if err := f.Parse(args); err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := v.run(ctx, os.Getenv("KAFKA_BOOTSTRAP_SERVERS")); err != nil && ctx.Err() == nil {
		fmt.Fprintln(stderr, "invoices:", err)
		return 3
	}
	return 0
}

func (v *version) run(ctx context.Context, broker string) error {
	if v.orphan != "" {
		if err := v.spawn(); err != nil {
			return err
		}
	}
	if v.idle {
		<-ctx.Done()
		return nil
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumerGroup("billing"), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		done, err := v.work(ctx, client)
		if err != nil || done {
			return err
		}
	}
}

// spawn starts a child that sleeps, and writes down which it is.
func (v *version) spawn() error {
	c := exec.Command("sleep", "600")
	if err := c.Start(); err != nil {
		return err
	}
	return os.WriteFile(v.orphan, fmt.Append(nil, c.Process.Pid), 0o600)
}

// work makes invoices of what a poll brings.
func (v *version) work(ctx context.Context, client *kgo.Client) (done bool, err error) {
	fetches := client.PollFetches(ctx)
	if err := fetches.Err(); err != nil {
		return false, err
	}
	var failed error
	for _, r := range fetches.Records() {
		invoice, err := v.invoice(r)
		if err != nil {
			return false, err
		}
		if !v.silent {
			client.Produce(ctx, invoice, func(_ *kgo.Record, err error) {
				if err != nil {
					failed = err
				}
			})
		}
		done = done || r.Offset == v.until
	}
	if err := client.Flush(ctx); err != nil || failed != nil {
		return false, fmt.Errorf("write invoices: %w", failed)
	}
	for v.endless && ctx.Err() == nil {
		client.ProduceSync(ctx, &kgo.Record{Topic: "invoices", Value: []byte("{}")})
		time.Sleep(time.Millisecond)
	}
	return done, client.CommitUncommittedOffsets(ctx)
}

func (v *version) invoice(order *kgo.Record) (*kgo.Record, error) {
	var o struct {
		ID    int64 `json:"id"`
		Cents int64 `json:"cents"`
	}
	if err := json.Unmarshal(order.Value, &o); err != nil {
		return nil, fmt.Errorf("order at offset %d: %w", order.Offset, err)
	}
	switch o.ID {
	case v.crash:
		return nil, fmt.Errorf("order %d: out of ink", o.ID)
	case v.wrong:
		o.Cents++
	}
	value := fmt.Appendf(nil, `{"order":%d,"total":"%d.%02d","generated_at":%q}`, o.ID, o.Cents/100, o.Cents%100, time.Now().Format(time.RFC3339Nano))
	return &kgo.Record{Topic: "invoices", Key: order.Key, Value: value}, nil
}
