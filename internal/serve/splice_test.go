package serve

import (
	"bytes"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestASplicedAnswerIsTheWholeAnswer(t *testing.T) {
	standIn := []byte("0123456789abcdef")
	var bodies []body
	for _, size := range []int{1, 126, 127, 16_383, 300_000} {
		b := body{batches: [][]byte{bytes.Repeat([]byte{byte(size)}, size/2), bytes.Repeat([]byte{1}, size-size/2)}, size: size}
		bodies = append(bodies, b)
	}
	for _, version := range []int16{4, 11, 12, 13, 17} {
		whole, spliced := kmsg.NewPtrFetchResponse(), kmsg.NewPtrFetchResponse()
		for _, r := range []*kmsg.FetchResponse{whole, spliced} {
			r.SetVersion(version)
			rt := kmsg.NewFetchResponseTopic()
			rt.Topic = "orders"
			for i, b := range bodies {
				empty, full := kmsg.NewFetchResponseTopicPartition(), kmsg.NewFetchResponseTopicPartition()
				empty.Partition, full.Partition = int32(2*i), int32(2*i+1)
				if full.RecordBatches = standIn; r == whole {
					full.RecordBatches = bytes.Join(b.batches, nil)
				}
				rt.Partitions = append(rt.Partitions, empty, full)
			}
			r.Topics = append(r.Topics, rt)
		}
		got := bytes.Join(splice(answer(nil, 7, spliced), standIn, bodies, spliced.IsFlexible()), nil)
		if want := answer(nil, 7, whole); !bytes.Equal(got, want) {
			t.Errorf("version %d: got %d bytes, want %d bytes which are those of a whole answer", version, len(got), len(want))
		}
	}
}
