// Package schema reads and writes keys and values that are written by a schema: Avro, Protobuf, and JSON behind the frame of a registry.
//
// A [Set] holds schemas and finds the one of a payload: by the frame in front of it, by the header beside it, or by its topic. What it
// finds is a [Payload], which becomes a JSON document and, when something in that was changed, a payload of the same schema again. It is the
// only place that knows what is in a frame.
//
// Bytes that nobody can read as what they say they are make an error, and never a document. A document is bounded: a schema or a
// payload made to use up memory makes an error too. Errors say nothing of the contents of records.
//
// The package knows no Kafka client, no flag, no file and no network.
package schema
