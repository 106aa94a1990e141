package format_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/internal/ondisk"
)

var update = flag.Bool("update", false, "write the test vectors anew")

const vectorsFile = "../testdata/vectors.json"

// vector is a record with its canonical bytes and their digest. Keys of headers are base64 too: they may be any bytes.
type vector struct {
	Name          string       `json:"name"`
	Offset        int64        `json:"offset"`
	TimestampMs   int64        `json:"timestamp_ms"`
	TimestampType int8         `json:"timestamp_type"`
	LeaderEpoch   int32        `json:"leader_epoch"`
	Key           *[]byte      `json:"key"`
	Value         *[]byte      `json:"value"`
	Headers       [][2]*[]byte `json:"headers"`
	Canonical     string       `json:"canonical"`
	Digest        string       `json:"digest"`
}

func vectorRecords() (names []string, records []format.Record) {
	add := func(name string, r format.Record) { names, records = append(names, name), append(records, r) }
	add("all zero, key and value null", format.Record{})
	add("key and value empty", format.Record{Key: []byte{}, Value: []byte{}})
	add("an order", format.Record{Offset: 1200, TimestampMs: 1700000000123, LeaderEpoch: 3, Key: []byte("order-17"),
		Value: []byte(`{"amount":12.50}`), Headers: []format.Header{{Key: "type", Value: []byte("created")}}})
	add("no timestamp, no epoch", format.Record{Offset: 7, TimestampMs: format.NoTimestamp, TimestampType: format.TimestampNone,
		LeaderEpoch: format.NoLeaderEpoch, Value: []byte("v")})
	add("headers: duplicate, null, empty, empty key, key that is not UTF-8", format.Record{Offset: 1 << 40, TimestampMs: 1700000000000000,
		TimestampType: format.TimestampLogAppend, Headers: []format.Header{{Key: "a"}, {Key: "a", Value: []byte{}}, {Key: "", Value: []byte("x")},
			{Key: "\xff\xfe", Value: []byte{0}}}})
	return names, records
}

func newVector(name string, r format.Record) vector {
	payload := func(b []byte) *[]byte {
		if b == nil {
			return nil
		}
		return &b
	}
	canonical := format.AppendCanonical(nil, &r)
	v := vector{name, r.Offset, r.TimestampMs, int8(r.TimestampType), r.LeaderEpoch, payload(r.Key), payload(r.Value), [][2]*[]byte{},
		hex.EncodeToString(canonical), ondisk.Digest(canonical)}
	for _, h := range r.Headers {
		v.Headers = append(v.Headers, [2]*[]byte{payload([]byte(h.Key)), payload(h.Value)})
	}
	return v
}

func TestVectorsOfTheSpecificationHold(t *testing.T) {
	var vectors []vector
	names, records := vectorRecords()
	for i := range records {
		vectors = append(vectors, newVector(names[i], records[i]))
	}
	got, err := json.MarshalIndent(vectors, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(vectorsFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the canonical bytes or digests are not those of %s: the format has changed", vectorsFile)
	}
}
