// Package speedscale reads snapshots that Speedscale recorded: files of RRPairs, one request and its response each, as JSON, one a line or
// one a file.
//
// # The shape
//
// Speedscale publishes the format in its documentation and in recordings of its demos; this package knows no more than those show:
//
//   - around the payload, from recordings of the demos and the page on the file format: msgType, resource, ts (RFC 3339), l7protocol, tags,
//     uuid (16 bytes in base64), direction, cluster, namespace, service, tech, network_address, command, location, status, and the payload
//     under the name of its protocol, such as http.req, http.res (with bodyBase64) and kafka.request, kafka.response;
//   - for Kafka, from the page on request bodies and from the Kafka guide: ProduceRequest and FetchResponse with topics, partitions and
//     records, where records is a record batch (attributes, baseSequence, baseTimestamp, batchLength, crc32, magic, maxTimestamp,
//     producerEpoch, producerId) and has records again, each with valueString;
//   - the JSON is that of Protobuf: 64-bit numbers are strings, bytes are base64, and what is 0 or empty is left out.
//
// What the pages do not show is taken as Kafka's protocol names it: name and topicId of a topic, partitionIndex (or partition, index) of
// a partition, baseOffset, partitionLeaderEpoch and offsetDelta, timestampDelta, keyString or key, value, headers of a batch and its
// records. Of what is left out, a number is 0 where any field of its batch's header is there; otherwise the batch has no
// offsets, and whoever imports it numbers its records.
//
// Values of this package are for one goroutine.
package speedscale
