// Package billing is a small service: it reads orders and writes an invoice for each.
package billing

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Order is a record's value in topic orders.
type Order struct {
	ID    int `json:"id"`
	Cents int `json:"cents"`
}

// Invoice is a record's value in topic invoices.
type Invoice struct {
	Order int       `json:"order"`
	Total string    `json:"total"`
	Made  time.Time `json:"made"`
}

// Run reads orders as the group billing and writes invoices, until ctx ends.
func Run(ctx context.Context, broker string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumerGroup("billing"), kgo.ConsumeTopics("orders"), kgo.AllowAutoTopicCreation(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	if err != nil {
		return err
	}
	defer client.Close()
	if err := work(ctx, client); ctx.Err() == nil {
		return err
	}
	return nil
}

func work(ctx context.Context, client *kgo.Client) error {
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for _, r := range fetches.Records() {
			invoice, err := makeInvoice(r.Value)
			if err != nil {
				return fmt.Errorf("order at offset %d: %w", r.Offset, err)
			}
			if err := client.ProduceSync(ctx, &kgo.Record{Topic: "invoices", Key: r.Key, Value: invoice}).FirstErr(); err != nil {
				return err
			}
		}
		if err := client.CommitUncommittedOffsets(ctx); err != nil {
			return err
		}
	}
}

func makeInvoice(order []byte) ([]byte, error) {
	var o Order
	if err := json.Unmarshal(order, &o); err != nil {
		return nil, err
	}
	return json.Marshal(Invoice{Order: o.ID, Total: fmt.Sprintf("%d.%02d", o.Cents/100, o.Cents%100), Made: time.Now()})
}
