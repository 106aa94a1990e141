package imports

import (
	"errors"
	"fmt"
	"strconv"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/karchive/karchive/format"
)

var errNotKcat = errors.New("not a record as kcat -J prints it")

// parseKcat reads a line such as
//
//	{"topic":"t","partition":0,"offset":7,"tstype":"create","ts":1700000000000,"broker":0,"headers":["h","v"],"key":"k","payload":"v"}
//
// Text is taken byte for byte: kcat prints bytes that are not UTF-8 as they are. A key or payload that kcat decoded (-s avro) is JSON and
// stays so. Headers may also be an object of arrays.
func parseKcat(line []byte, row *Row) error {
	text := unsafe.String(unsafe.SliceData(line), len(line))
	if !gjson.Valid(text) || !gjson.Parse(text).IsObject() {
		return fmt.Errorf("%w: no JSON object", errNotKcat)
	}
	fields := gjson.GetMany(text, "topic", "partition", "offset", "tstype", "ts", "headers", "key", "payload")
	if fields[0].Type != gjson.String || !fields[7].Exists() {
		return fmt.Errorf("%w: no topic or no payload", errNotKcat)
	}
	row.Topic, row.Placed, row.Numbered, row.LeaderEpoch = fields[0].Str, true, true, format.NoLeaderEpoch
	partition, err := kcatInteger("partition", fields[1], 32)
	if err != nil {
		return err
	}
	row.Partition = int32(partition)
	if row.Offset, err = kcatInteger("offset", fields[2], 64); err != nil {
		return err
	}
	if err := row.kcatTime(fields[3], fields[4]); err != nil {
		return err
	}
	row.Key, row.Value = kcatPayload(fields[6]), kcatPayload(fields[7])
	row.Headers, err = kcatHeaders(fields[5])
	return err
}

func kcatInteger(name string, v gjson.Result, bits int) (int64, error) {
	n, err := strconv.ParseInt(v.Raw, 10, bits)
	if err != nil {
		return 0, fmt.Errorf("%w: its %s is not a whole number", errNotKcat, name)
	}
	return n, nil
}

// kcatTime reads the timestamp, which kcat leaves out where there is none.
func (row *Row) kcatTime(kind, ms gjson.Result) (err error) {
	row.TimestampMs, row.TimestampType = format.NoTimestamp, format.TimestampNone
	if !ms.Exists() || kind.Str == "unknown" {
		return nil
	}
	row.TimestampType = format.TimestampCreate
	if kind.Str == "logappend" {
		row.TimestampType = format.TimestampLogAppend
	}
	row.TimestampMs, err = kcatInteger("ts", ms, 64)
	return err
}

func kcatPayload(v gjson.Result) []byte {
	switch {
	case !v.Exists() || v.Type == gjson.Null:
		return nil
	case v.Type == gjson.String:
		return []byte(v.Str)
	}
	return []byte(v.Raw)
}

func kcatHeaders(v gjson.Result) (out []format.Header, err error) {
	switch {
	case v.IsArray():
		list := v.Array()
		if len(list)%2 != 0 {
			return nil, fmt.Errorf("%w: a header without a value", errNotKcat)
		}
		for i := 0; i < len(list); i += 2 {
			out = append(out, format.Header{Key: list[i].String(), Value: kcatPayload(list[i+1])})
		}
	case v.IsObject():
		v.ForEach(func(name, values gjson.Result) bool {
			for _, value := range values.Array() {
				out = append(out, format.Header{Key: name.String(), Value: kcatPayload(value)})
			}
			return true
		})
	}
	return out, nil
}
