package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/karchive/karchive/format"
	"github.com/karchive/karchive/format/origin"
)

var source = origin.Source{ClusterID: "r8mTxVDGSPOQ2Yd1nXXf4g", TopicID: "0sNzqVjVQo2y7vhF0oCd3A", Isolation: origin.ReadCommitted}

// segment is what goes into one segment of the archive: records of offsets [base, next).
type segment struct {
	topic      string
	partition  int32
	base, next int64
	records    []format.Record
}

// tortureSegments has a topic of every kind of record, one whose name a reader could hide, a segment without rows, and enough rows for
// several row groups and two segments of a partition.
func tortureSegments() []segment {
	kinds := number(0, kindsOfRecords())
	many := number(5, manyRecords(20_000))
	half := len(many) / 2
	return []segment{
		{"_schemas", 0, 0, 3, number(0, []format.Record{{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("a")}})},
		{"kinds.of-records", 7, 0, 1000, kinds},
		{"kinds.of-records", 8, 0, 12, nil},
		{"orders", 0, 5, many[half].Offset, many[:half]},
		{"orders", 0, many[half].Offset, many[len(many)-1].Offset + 1, many[half:]},
	}
}

// number gives the records offsets from base on, every eighth left out, and those without an epoch one that grows.
func number(base int64, records []format.Record) []format.Record {
	for i := range records {
		records[i].Offset = base + int64(i+i/7)
		if records[i].LeaderEpoch == 0 {
			records[i].LeaderEpoch = int32(i / 100)
		}
	}
	return records
}

func kindsOfRecords() []format.Record {
	var records []format.Record
	payloads := [][]byte{nil, {}, {0}, []byte("text"), []byte("\xff\xfe\x00\x80"), []byte("日本"), []byte(strings.Repeat("x", 3<<20))}
	for _, key := range payloads {
		for _, value := range payloads {
			records = append(records, format.Record{TimestampMs: 1700000000123, Key: key, Value: value})
		}
	}
	// The last is in the year 20,000. DuckDB refuses a file with one past the year 294,000.
	for _, ms := range []int64{format.NoTimestamp, 0, 1, -62135596800000, 9223372036855, 32503680000000, 568971820800000} {
		records = append(records, format.Record{TimestampMs: ms, Value: []byte("time")})
	}
	for _, kind := range []format.TimestampType{format.TimestampNone, format.TimestampCreate, format.TimestampLogAppend} {
		records = append(records, format.Record{TimestampType: kind, LeaderEpoch: format.NoLeaderEpoch, Value: []byte("kind")})
	}
	for _, headers := range kindsOfHeaders() {
		records = append(records, format.Record{TimestampMs: 1700000000456, Key: []byte("k"), Headers: headers})
	}
	return records
}

func kindsOfHeaders() [][]format.Header {
	return [][]format.Header{
		{{Key: "a", Value: []byte("1")}},
		{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "a", Value: []byte("1")}},
		{{Key: "null"}, {Key: "empty", Value: []byte{}}},
		{{Key: "", Value: []byte("empty key")}, {Key: "", Value: nil}},
		{{Key: "\xff", Value: []byte{0xff}}, {Key: "good", Value: []byte{}}, {Key: "half \xe6\x97 and \xc3\x28", Value: nil}},
		{{Key: "日本", Value: []byte("日本")}, {Key: "nul\x00nul", Value: []byte{0}}},
	}
}

// manyRecords are records of about a kilobyte, about half of them noise.
func manyRecords(n int) []format.Record {
	random := rand.New(rand.NewPCG(1, 2))
	records := make([]format.Record, n)
	for i := range records {
		noise := make([]byte, random.IntN(1000))
		for j := range noise {
			noise[j] = byte(random.Uint32())
		}
		records[i] = format.Record{
			TimestampMs: 1700000000000 + int64(random.IntN(1e9)),
			Key:         fmt.Appendf(nil, "customer-%d", random.IntN(5000)),
			Value:       append(fmt.Appendf(nil, `{"order":%d,"text":%q,"noise":`, i, strings.Repeat("ab", i%250)), noise...),
			Headers:     []format.Header{{Key: "trace", Value: fmt.Appendf(nil, "%x", random.Uint64())}},
		}
	}
	return records
}
