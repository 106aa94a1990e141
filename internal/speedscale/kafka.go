package speedscale

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/format"
)

// Calls are the calls whose records are taken.
type Calls struct{ Fetch, Produce bool }

// ErrTopicID is wrapped where a Fetch names its topic only by an id, and no Metadata response before it told the name.
var ErrTopicID = errors.New("the snapshot does not tell the name of the topic")

// Decoder takes the Kafka records out of RRPairs. It learns the names of topic ids from Metadata responses that it sees.
type Decoder struct {
	Calls Calls
	names map[string]string // of topics, by id
	// Control counts transaction markers, which are no records.
	Control int64
}

// Records returns the records of an RRPair: none when it is not a call that was asked for.
func (d *Decoder) Records(p RRPair) ([]Record, error) {
	d.Learn(p)
	var out []Record
	if d.Calls.Fetch {
		fetched, err := d.records(p, p.Get("kafka.response.FetchResponse"), fetchBase)
		if err != nil {
			return nil, err
		}
		out = append(out, fetched...)
	}
	if d.Calls.Produce {
		produced, err := d.records(p, p.Get("kafka.request.ProduceRequest"), acknowledged(p))
		if err != nil {
			return nil, err
		}
		out = append(out, produced...)
	}
	return out, nil
}

// Learn takes the names of topic ids from an RRPair whose records are not asked for.
func (d *Decoder) Learn(p RRPair) {
	for _, topic := range p.Get("kafka.response.MetadataResponse.topics").Array() {
		if id, name := topic.Get("topicId").String(), pick(topic, topicNames...).String(); id != "" && name != "" {
			if d.names == nil {
				d.names = make(map[string]string)
			}
			d.names[strings.Clone(id)] = strings.Clone(name)
		}
	}
}

// The names that a field may have, the first that is there counting.
var (
	topicLists      = []string{"topics", "responses", "topicData"}
	topicNames      = []string{"name", "topic", "topicName"}
	partitionLists  = []string{"partitions", "partitionResponses", "partitionData"}
	partitionNames  = []string{"partitionIndex", "partition", "index"}
	timestampBases  = []string{"baseTimestamp", "firstTimestamp"}
	headerFields    = []string{"magic", "batchLength", "crc32", "crc", "baseOffset", "lastOffsetDelta", "baseTimestamp", "maxTimestamp", "producerId"}
	producedOffsets = []string{"baseOffset", "offset"}
)

func pick(from gjson.Result, names ...string) gjson.Result {
	for _, name := range names {
		if f := from.Get(name); f.Exists() {
			return f
		}
	}
	return gjson.Result{}
}

// place is where in a call a batch stands.
type place struct {
	topic     string
	partition int32
	batch     gjson.Result
}

// baseOffset is the offset of the first record of a batch; ok is false where it is not known.
type baseOffset func(place) (base int64, ok bool, err error)

func (d *Decoder) records(p RRPair, call gjson.Result, base baseOffset) (out []Record, err error) {
	for _, topic := range pick(call, topicLists...).Array() {
		partitions := pick(topic, partitionLists...).Array()
		for _, partition := range partitions {
			records, err := d.partition(p, topic, partition, base)
			if err != nil {
				return nil, err
			}
			out = append(out, records...)
		}
	}
	return out, nil
}

func (d *Decoder) partition(p RRPair, topic, partition gjson.Result, base baseOffset) (out []Record, err error) {
	for _, batch := range batches(partition.Get("records")) {
		at := place{batch: batch}
		if at.topic, err = d.topicName(topic); err != nil {
			return nil, err
		}
		n, err := integer(pick(partition, partitionNames...), 32)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("topic %s: its partition is not a partition", at.topic)
		}
		at.partition = int32(n)
		records, err := d.batch(p, at, base)
		if err != nil {
			return nil, fmt.Errorf("topic %s partition %d: %w", at.topic, at.partition, err)
		}
		out = append(out, records...)
	}
	return out, nil
}

// batches are the record batches: one, or an array of them.
func batches(f gjson.Result) []gjson.Result {
	switch {
	case f.IsArray():
		return f.Array()
	case f.IsObject():
		return []gjson.Result{f}
	}
	return nil
}

func (d *Decoder) topicName(topic gjson.Result) (string, error) {
	if name := pick(topic, topicNames...).String(); name != "" {
		return strings.Clone(name), nil
	}
	id := topic.Get("topicId").String()
	if name := d.names[id]; name != "" {
		return name, nil
	}
	if id == "" {
		return "", errors.New("a topic without a name")
	}
	return "", fmt.Errorf("topic id %s: %w", id, ErrTopicID)
}

// fetchBase is the base offset that the batch itself has.
func fetchBase(at place) (int64, bool, error) {
	n, err := integer(at.batch.Get("baseOffset"), 64)
	return n, hasHeader(at.batch), err
}

func hasHeader(batch gjson.Result) bool { return pick(batch, headerFields...).Exists() }

// acknowledged is the base offset that the response to a Produce request names. In the request it means nothing.
func acknowledged(p RRPair) baseOffset {
	response := p.Get("kafka.response.ProduceResponse")
	return func(at place) (int64, bool, error) {
		for _, topic := range pick(response, topicLists...).Array() {
			if pick(topic, topicNames...).String() != at.topic {
				continue
			}
			for _, partition := range pick(topic, partitionLists...).Array() {
				if n, err := integer(pick(partition, partitionNames...), 32); err != nil || int32(n) != at.partition {
					continue
				}
				base, err := integer(pick(partition, producedOffsets...), 64)
				return base, base >= 0, err
			}
		}
		return 0, false, nil
	}
}

// batch decodes the records of a batch.
func (d *Decoder) batch(p RRPair, at place, base baseOffset) ([]Record, error) {
	attributes := at.batch.Get("attributes").Raw
	records := at.batch.Get("records").Array()
	if strings.Contains(attributes, "CONTROL") {
		d.Control += int64(len(records))
		return nil, nil
	}
	first, numbered, err := base(at)
	if err != nil {
		return nil, fmt.Errorf("its base offset: %w", err)
	}
	times, err := timesOf(p, at.batch, strings.Contains(attributes, "LOG_APPEND"))
	if err != nil {
		return nil, err
	}
	out := make([]Record, 0, len(records))
	for i, raw := range records {
		r := Record{Topic: at.topic, Partition: at.partition, Numbered: numbered}
		r.LeaderEpoch = leaderEpoch(at.batch)
		if err := r.decode(raw, first+int64(i), first, times); err != nil {
			return nil, fmt.Errorf("record %d: %w", i, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func leaderEpoch(batch gjson.Result) int32 {
	if n, err := integer(batch.Get("partitionLeaderEpoch"), 32); err == nil && hasHeader(batch) {
		return int32(n)
	}
	return format.NoLeaderEpoch
}
