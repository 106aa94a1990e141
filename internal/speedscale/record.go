package speedscale

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/format"
)

// Record is a Kafka record of an RRPair. Its payloads are copies.
type Record struct {
	format.Record
	Topic     string
	Partition int32
	Numbered  bool // Offset is that of the recording; otherwise it is not known
}

// decode fills in the record. Position is its offset where no delta says another.
func (r *Record) decode(raw gjson.Result, position, first int64, times batchTimes) (err error) {
	r.Offset = position
	if delta := raw.Get("offsetDelta"); delta.Exists() {
		n, err := integer(delta, 32)
		if err != nil {
			return fmt.Errorf("its offset: %w", err)
		}
		r.Offset = first + n
	}
	if offset := raw.Get("offset"); offset.Exists() {
		if r.Offset, err = integer(offset, 64); err != nil {
			return fmt.Errorf("its offset: %w", err)
		}
		r.Numbered = true
	}
	if r.TimestampMs, r.TimestampType, err = times.of(raw); err != nil {
		return fmt.Errorf("its timestamp: %w", err)
	}
	if r.Key, err = payload(raw, "key"); err != nil {
		return err
	}
	if r.Value, err = payload(raw, "value"); err != nil {
		return err
	}
	r.Headers, err = headers(raw.Get("headers"))
	return err
}

// payload is the bytes of a field in base64, or its text under the same name with String; nil when there is neither.
func payload(raw gjson.Result, name string) ([]byte, error) {
	text := raw.Get(name + "String")
	bytes := raw.Get(name)
	switch {
	case bytes.Type == gjson.String:
		b, err := base64.StdEncoding.DecodeString(bytes.String())
		if err == nil || !text.Exists() {
			return b, notBase64(name, err)
		}
		return []byte(text.String()), nil
	case text.Exists() && text.Type != gjson.Null:
		return []byte(text.String()), nil
	case bytes.Exists() && bytes.Type != gjson.Null:
		return nil, fmt.Errorf("its %s is %s and not base64", name, bytes.Type)
	}
	return nil, nil
}

func notBase64(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("its %s is not base64", name)
}

func headers(list gjson.Result) (out []format.Header, err error) {
	for _, h := range list.Array() {
		name := pick(h, "key", "keyString", "name")
		if name.Type != gjson.String {
			return nil, errors.New("a header without a key")
		}
		value, err := payload(h, "value")
		if err != nil {
			return nil, fmt.Errorf("header %d: %w", len(out)+1, err)
		}
		out = append(out, format.Header{Key: strings.Clone(name.String()), Value: value})
	}
	return out, nil
}

// batchTimes is what a batch says of the timestamps of its records.
type batchTimes struct {
	base      int64
	hasBase   bool
	max       int64 // with logAppend, the time of all records
	logAppend bool
	pair      int64 // of the RRPair, where the batch has none; NoTimestamp: that has none either
}

func timesOf(p RRPair, batch gjson.Result, logAppend bool) (t batchTimes, err error) {
	t.logAppend, t.pair = logAppend, format.NoTimestamp
	if at, err := time.Parse(time.RFC3339, p.Get("ts").String()); err == nil {
		t.pair = at.UnixMilli()
	}
	base := pick(batch, timestampBases...)
	t.hasBase = base.Exists()
	if t.base, err = integer(base, 64); err != nil {
		return t, fmt.Errorf("its base timestamp: %w", err)
	}
	if t.max, err = integer(batch.Get("maxTimestamp"), 64); err != nil {
		return t, fmt.Errorf("its last timestamp: %w", err)
	}
	return t, nil
}

func (t batchTimes) of(raw gjson.Result) (ms int64, kind format.TimestampType, err error) {
	own := raw.Get("timestamp")
	switch {
	case t.logAppend && t.max > 0:
		return t.max, format.TimestampLogAppend, nil
	case own.Exists():
		ms, err = integer(own, 64)
	case t.hasBase:
		ms, err = integer(raw.Get("timestampDelta"), 64)
		ms += t.base
	default:
		ms = t.pair
	}
	if ms == format.NoTimestamp {
		return ms, format.TimestampNone, err
	}
	return ms, format.TimestampCreate, err
}
