package format

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/karchive/karchive/internal/parquetbytes"
)

// The Parquet library's readers judge the encodings: segments are read through them.

func TestNumbersOfEveryWidthComeBack(t *testing.T) {
	for width := range 65 {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(width), 1))
			n := 1 + random.IntN(700) // ends anywhere in a block
			records := make([]Record, n)
			for i := range records {
				records[i].Offset = 1200 + int64(i)
				records[i].TimestampMs = int64(random.Uint64() >> (64 - width)) // a shift by 64 gives zero
				records[i].LeaderEpoch = max(NoLeaderEpoch, int32(random.Uint32()>>max(0, 32-width)))
			}
			got, _ := readSegment(t, writeSegment(t, optionsIn(Parquet), records))
			checkEqual(t, got, records)
		})
	}
}

func TestNumbersAtTheEdgesComeBack(t *testing.T) {
	times := []int64{math.MinInt64, math.MaxInt64, 0, -1, math.MaxInt64, math.MinInt64, 1}
	epochs := []int32{math.MaxInt32, -1, 0, math.MaxInt32, 1, -1}
	var records []Record
	for i := range int64(300) {
		records = append(records, Record{Offset: 1200 + i*i*i, TimestampMs: times[i%int64(len(times))], LeaderEpoch: epochs[i%int64(len(epochs))],
			TimestampType: TimestampType(i%3 - 1)})
	}
	got, _ := readSegment(t, writeSegment(t, optionsIn(Parquet), records))
	checkEqual(t, got, records)
}

func TestLevelsInRunsOfEveryLengthComeBack(t *testing.T) {
	for run := 1; run <= 40; run++ {
		var records []Record
		for i := range 500 {
			r := Record{Offset: 1200 + int64(i)}
			if i/run%2 == 0 {
				r.Key = []byte{}
				r.Headers = []Header{{"a", nil}, {"b", []byte{}}, {"c", []byte("v")}}[:i%4]
			}
			records = append(records, r)
		}
		got, _ := readSegment(t, writeSegment(t, optionsIn(Parquet), records))
		checkEqual(t, got, records)
	}
}

// Lengths that do not fit their page are an error, not a panic, and no byte is left over.
func TestAPageWhoseLengthsDoNotFitIsRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		lengths []int64
		bytes   string
		want    string // empty: it is right
	}{
		{"right", []int64{1, 3}, "abcd", ""},
		{"a negative length", []int64{-1, 5}, "abcd", "length -1 in a page of 4 bytes"},
		{"a length beyond the page", []int64{5, -1}, "abcd", "length 5 in a page of 4 bytes"},
		{"bytes left over", []int64{1, 2}, "abcd", "lengths add up to 3 of 4 bytes"},
		{"too few bytes", []int64{2, 3}, "abcd", "lengths add up to 5 of 4 bytes"},
	} {
		shape := payloadShapeOf(readValue)
		body := parquetbytes.AppendLevels(nil, []byte{definedPayload, definedPayload}, shape.definitionBits)
		body = append(parquetbytes.AppendDelta(body, c.lengths, true), c.bytes...)
		o := &ownReader{ownScratch: new(ownScratch)}
		_, err := o.split(page{body, len(c.lengths)}, shape)
		if got := fmt.Sprint(err); (err == nil) != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}
