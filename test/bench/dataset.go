//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/karchive/karchive/format"
)

// dataset is a log of records that are made up, the same in every run.
type dataset struct {
	name    string
	records int
	make    func(random *rand.Rand, i int) format.Record
}

const firstTimestamp = 1_700_000_000_000

// each calls use with every record. The record is its caller's until the next call.
func (d dataset) each(use func(i int, r *format.Record) error) error {
	random := rand.New(rand.NewPCG(17, 4))
	for i := range d.records {
		r := d.make(random, i)
		r.Offset, r.TimestampMs = int64(i), firstTimestamp+int64(i)/10
		if err := use(i, &r); err != nil {
			return err
		}
	}
	return nil
}

// scaled is d with a share of its records.
func (d dataset) scaled(share float64) dataset {
	d.records = max(1, int(float64(d.records)*share))
	return d
}

// The datasets of the bench: J1K are JSON documents of about a kilobyte with a key and two headers, J100 of about a hundred bytes with a key
// alone, J100K few large ones.
var datasets = map[string]dataset{
	"J1K":   {"J1K", 1_000_000, orderOf1K},
	"J100":  {"J100", 4_000_000, eventOf100},
	"J100K": {"J100K", 20_000, documentOf100K},
}

var (
	cities = []string{"Amsterdam", "Berlin", "Lisbon", "London", "Madrid", "Oslo", "Paris", "Prague", "Rome", "Vienna"}
	states = []string{"created", "paid", "packed", "shipped", "delivered", "returned"}
)

func orderOf1K(random *rand.Rand, i int) format.Record {
	v := make([]byte, 0, 1100)
	v = fmt.Appendf(v, `{"order":%d,"id":"%016x","customer":{"id":%d,"email":"user%d@example.com","city":%q},"state":%q,"lines":[`,
		i, random.Uint64(), random.IntN(200_000), random.IntN(200_000), cities[random.IntN(len(cities))], states[random.IntN(len(states))])
	for line := range 9 {
		if line > 0 {
			v = append(v, ',')
		}
		v = fmt.Appendf(v, `{"sku":"SKU-%06d","name":"Article number %d","quantity":%d,"price":%d.%02d}`,
			random.IntN(100_000), random.IntN(5000), 1+random.IntN(9), random.IntN(500), random.IntN(100))
	}
	v = fmt.Appendf(v, `],"total":%d.%02d,"token":"%016x%016x"}`, random.IntN(5000), random.IntN(100), random.Uint64(), random.Uint64())
	return format.Record{Key: fmt.Appendf(nil, "order-%08d", i), Value: v, Headers: []format.Header{
		{Key: "type", Value: []byte("order." + states[random.IntN(len(states))])},
		{Key: "trace-id", Value: fmt.Appendf(nil, "%016x%016x", random.Uint64(), random.Uint64())},
	}}
}

func eventOf100(random *rand.Rand, i int) format.Record {
	return format.Record{
		Key: fmt.Appendf(nil, "user-%06d", random.IntN(200_000)),
		Value: fmt.Appendf(make([]byte, 0, 100), `{"seq":%d,"city":%q,"state":%q,"amount":%d.%02d,"ok":%t}`,
			i, cities[random.IntN(len(cities))], states[random.IntN(len(states))], random.IntN(1000), random.IntN(100), random.IntN(2) == 0),
	}
}

func documentOf100K(random *rand.Rand, i int) format.Record {
	v := append(make([]byte, 0, 110_000), '[')
	for len(v) < 100_000 {
		v = append(append(v, orderOf1K(random, i).Value...), ',')
	}
	v[len(v)-1] = ']'
	return format.Record{Key: fmt.Appendf(nil, "document-%d", i), Value: v}
}
