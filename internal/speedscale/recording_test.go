package speedscale

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

var update = flag.Bool("update", false, "write testdata anew")

// object is JSON as Protobuf spells it: what is 0 or empty is left out by whoever fills it in.
type object map[string]any

// recording makes the RRPairs of a file in testdata.
type recording struct {
	bytes.Buffer
	n     int
	begin time.Time
}

func (r *recording) pair(id string, more object) {
	at := r.begin.Add(time.Duration(r.n) * 1027 * time.Millisecond)
	raw := uuid.MustParse(id)
	pair := object{
		"msgType": "rrpair", "resource": "goproxy", "ts": at.Format("2006-01-02T15:04:05.000000Z"), "duration": 3 + r.n%40, "uuid": base64.StdEncoding.EncodeToString(raw[:]),
		"tags":      object{"captureMode": "proxy", "k8sAppLabel": "notification", "k8sAppPodName": "notification-6d5f9c7b4-x2lqz", "msgNum": strconv.Itoa(r.n), "source": "goproxy"},
		"direction": "OUT", "cluster": "staging", "namespace": "banking", "service": "notification", "status": "OK",
	}
	for k, v := range more {
		pair[k] = v
	}
	line, err := json.Marshal(pair)
	if err != nil {
		panic(err)
	}
	r.Write(append(line, '\n'))
	r.n++
}

// kafka is a call that no later one depends on.
func (r *recording) kafka(id, command string, request, response object) {
	key := "KAFKA_API_KEY_" + strings.ToUpper(command)
	header := func(name string, o object) object {
		out := object{"apiKey": key, "apiVersion": 12, "clientId": "notification-1", "correlationId": r.n + 1}
		if o != nil {
			out[command+name] = o
		}
		return out
	}
	r.pair(id, object{"l7protocol": "kafka", "tech": "Kafka", "network_address": "kafka.banking.svc.cluster.local:9092", "command": command, "location": command,
		"kafka": object{"request": header("Request", request), "response": header("Response", response)}, "netinfo": object{"upstream": object{"hostname": "kafka.banking.svc.cluster.local", "port": 9092}}})
}

// batch is records as Fetch and Produce have them, from an offset on.
func batch(base, timestamp int64, records ...object) object {
	for i, r := range records {
		if i > 0 {
			r["offsetDelta"], r["timestampDelta"] = i, strconv.Itoa(i*7)
		}
	}
	b := object{"attributes": []string{"ATTRIBUTE_NO_COMPRESSION"}, "baseSequence": -1, "baseTimestamp": strconv.FormatInt(timestamp, 10), "batchLength": 70 + 640*len(records),
		"crc32": uint32(timestamp * 2654435761), "magic": 2, "maxTimestamp": strconv.FormatInt(timestamp+int64(len(records)-1)*7, 10), "producerEpoch": -1, "producerId": "-1", "partitionLeaderEpoch": 3, "records": records}
	if base > 0 {
		b["baseOffset"] = strconv.FormatInt(base, 10)
	}
	if len(records) > 1 {
		b["lastOffsetDelta"] = len(records) - 1
	}
	return b
}

func topic(name string, partitions ...object) object {
	return object{"name": name, "partitions": partitions}
}

func partition(n int, batch object) object {
	p := object{"records": batch, "highWatermark": "9000", "lastStableOffset": "9000"}
	if n > 0 {
		p["partitionIndex"] = n
	}
	return p
}

func topics(ts ...object) object { return object{"topics": ts, "sessionId": 1207959552} }

// transaction is a value of about 600 bytes.
func transaction(n int) string {
	return fmt.Sprintf(`{"id":"tx-%06d","account":"acc-%04d","amount":%d.%02d,"currency":"EUR","kind":"card","merchant":{"name":"Shop \"%d\"","city":"Köln","category":%d},"description":"%s","booked":%t,"tags":["web","eu"]}`,
		n, n%97, n%400, n%100, n%13, 5000+n%80, strings.Repeat("payment at the terminal, ", 14), n%2 == 0)
}

// snapshot is a consumer's and a producer's traffic of some minutes, most of it polls that bring nothing.
func snapshot() []byte {
	r := &recording{begin: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	const ms = 1772366400000
	id := func() string { return fmt.Sprintf("5d1f0c2e-7a41-4b0e-9c55-%012x", r.n) }
	r.pair(id(), object{"l7protocol": "https", "tech": "JSON", "command": "POST", "location": "/v1/login", "network_address": "api.example.com:443", "status": "200",
		"http": object{"req": object{"url": "/v1/login", "uri": "/v1/login?x=1", "version": "2.0", "method": "POST", "host": "api.example.com",
			"headers":    object{"User-Agent": []string{"Prometheus/2.51", "probe"}, "Content-Type": []string{"application/json"}},
			"bodyBase64": base64.StdEncoding.EncodeToString([]byte(`{"UserName":"cXEuOVj","remember":true}`))},
			"res": object{"statusCode": 200, "statusMessage": "200 OK", "contentType": "application/json", "bodyBase64": base64.StdEncoding.EncodeToString([]byte(`{"token":"t-1"}`))}}})
	r.kafka(id(), "Metadata", nil, object{"topics": []object{{"name": "transactions", "topicId": "2Vp8GmYlTzuZ0qv7n3mB0A=="}, {"name": "accounts", "topicId": "0sNzqVjVQo2y7vhF0oCd3A=="}}})
	r.kafka(id(), "Heartbeat", object{"groupId": "notification", "memberId": "m-1"}, object{})
	next := []int64{0, 4100}
	for n := 0; n < 60; n += 3 {
		p := n / 3 % 2
		base, at := next[p], int64(ms+n*350)
		records := []object{
			{"keyString": fmt.Sprintf("acc-%04d", n%97), "valueString": transaction(n), "headers": []object{{"key": "type", "valueString": "created"}, {"key": "trace", "value": base64.StdEncoding.EncodeToString([]byte{0xff, byte(n)})}}},
			{"keyString": fmt.Sprintf("acc-%04d", (n+1)%97), "valueString": transaction(n + 1)},
			{"key": base64.StdEncoding.EncodeToString([]byte{0, 1, byte(n)}), "headers": []object{{"key": "deleted"}}},
		}
		fetch := func() {
			r.kafka(id(), "Fetch", object{"maxWaitMs": 500, "minBytes": 1, "topics": []object{{"name": "transactions", "partitions": []object{{"partitionIndex": p, "fetchOffset": strconv.FormatInt(base, 10)}}}}},
				topics(topic("transactions", partition(p, batch(base, at, records...)))))
		}
		fetch()
		if n == 12 { // the consumer was restarted and asks again
			fetch()
		}
		next[p] += 3
		r.kafka(id(), "Fetch", object{"maxWaitMs": 500, "minBytes": 1}, object{"sessionId": 1207959552})
	}
	// One call with several topics and partitions, a batch of several, a transaction's marker, times that the broker gave, and a topic by id.
	marker := batch(50, ms+30000, object{"key": "AAAAAQ==", "value": "AAAAAAAA"})
	marker["attributes"] = []string{"ATTRIBUTE_TRANSACTIONAL", "ATTRIBUTE_CONTROL"}
	appended := batch(900, ms+30500, object{"valueString": ""}, object{"valueString": "text, with \"quotes\"\r\nand lines"})
	appended["attributes"] = []string{"ATTRIBUTE_TIMESTAMP_TYPE_LOG_APPEND_TIME"}
	r.kafka(id(), "Fetch", nil, topics(
		topic("transactions", partition(0, batch(next[0], ms+30000, object{"valueString": transaction(60)}, object{"valueString": transaction(61)})), partition(1, batch(next[1], ms+30000, object{"valueString": transaction(62)}))),
		object{"topicId": "0sNzqVjVQo2y7vhF0oCd3A==", "partitions": []object{{"records": marker}, {"partitionIndex": 7, "records": []object{appended, batch(902, ms+31000, object{"valueString": "ok"})}}}}))
	r.kafka(id(), "Produce", object{"acks": -1, "timeoutMs": 30000, "topics": []object{topic("notifications", partition(2, batch(0, ms+31500, object{"keyString": "acc-0001", "valueString": `{"mail":"sent"}`}, object{"keyString": "acc-0002", "valueString": `{"mail":"queued"}`})))}},
		object{"topics": []object{topic("notifications", object{"partitionIndex": 2, "baseOffset": "77"})}})
	return r.Bytes()
}

// guide is what the two rows of the guide come from, and calls around them.
func guide() []byte {
	r := &recording{begin: time.Date(2024, 1, 15, 10, 30, 43, 0, time.UTC)}
	fetched := func(id string, base int64, value string, at string) {
		ts, err := time.Parse(time.RFC3339, at)
		if err != nil {
			panic(err)
		}
		r.begin = ts.Add(-time.Duration(r.n) * 1027 * time.Millisecond)
		r.kafka(id, "Fetch", nil, topics(topic("dev-fulfillment", partition(0, batch(base, ts.UnixMilli()-20, object{"valueString": value})))))
	}
	r.kafka("f8a1ee8e-3a9b-4c8f-8c25-6d3b3c7d2c10", "ApiVersions", nil, nil)
	r.kafka("0d5b4a8c-7b2e-4f4c-9b43-0f6f3f1f8a11", "Metadata", nil, object{"topics": []object{{"name": "dev-fulfillment"}}})
	fetched("44f7a2cc-2045-4fb6-9635-3da8aa7fa909", 3, "message1", "2024-01-15T10:30:45.123Z")
	r.kafka("a3c19f62-13f7-4a9e-8d43-2a9d60d8f112", "Fetch", nil, object{"sessionId": 9})
	fetched("58f7a2cc-1135-4fa6-3433-ada5aa2fa161", 4, "message2", "2024-01-15T10:30:46.456Z")
	return r.Bytes()
}

// TestTheRecordingsAreAsTheyAreMade keeps the files that other tests and the README use as this file describes them.
func TestTheRecordingsAreAsTheyAreMade(t *testing.T) {
	for name, data := range map[string][]byte{"testdata/snapshot.jsonl": snapshot(), "testdata/guide.jsonl": guide()} {
		if *update {
			if err := os.WriteFile(name, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s is not what this test makes: %v; run with -update", name, err)
		}
	}
}
